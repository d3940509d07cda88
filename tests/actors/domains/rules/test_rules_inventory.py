import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import ItemCategory, ItemGrant
from actors.domains.rules.errors import RuleError
from actors.domains.rules.inventory import (
    Inventory,
    Slot,
    consume_items,
    grant_items,
    quantity_of,
)
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.trade import roll_stock
from actors.module.types import replace
from actors.rng import SplitMix64

HERB, COIN, BLADE = "core_healing_herb", "core_coin", "core_blade_t1"
RELIC = replace(
    CORE_ITEMS[BLADE], item_id="relic", category=ItemCategory.KEY, equip_slot=None, value_coins=9
)
ITEMS = {**CORE_ITEMS, "relic": RELIC}


def herbs(index, quantity, locked_by=None):
    return Slot(index, HERB, quantity, 20, locked_by)


def blades(count, start=0):
    return tuple(Slot(index, BLADE, 1, 1) for index in range(start, start + count))


def given_to(inventory, *grants):
    return grant_items(inventory, [ItemGrant(*grant) for grant in grants], ITEMS)


def test_fifteen_and_thirty_herbs():
    after = given_to(Inventory((herbs(0, 15),)), (HERB, 30)).inventory
    assert after.backpack == (herbs(0, 20), herbs(1, 20), herbs(2, 5))


def test_stacks_fill_by_index_and_gaps_from_the_lowest():
    before = Inventory((herbs(1, 18), Slot(2, COIN, 5, 9999), herbs(4, 19)))
    after = given_to(before, (HERB, 25)).inventory
    assert after.backpack == (
        herbs(0, 20),
        herbs(1, 20),
        Slot(2, COIN, 5, 9999),
        herbs(3, 2),
        herbs(4, 20),
    )


def test_locked_stacks_stay_as_they_are():
    after = given_to(Inventory((herbs(0, 3, "ss_1.bt_1"),)), (HERB, 4)).inventory
    assert after.backpack == (herbs(0, 3, "ss_1.bt_1"), herbs(1, 4))


def test_what_does_not_fit_overflows():
    outcome = given_to(Inventory(blades(39)), (BLADE, 3))
    assert outcome.inventory.backpack == blades(40)
    assert outcome.inventory.overflow == blades(2)
    assert outcome.granted == [ItemGrant(BLADE, 1)]
    assert outcome.overflowed == [ItemGrant(BLADE, 2)]


def test_what_does_not_even_overflow_becomes_coins():
    backpack = (*blades(39), Slot(39, COIN, 7, 9999))
    outcome = given_to(Inventory(backpack, blades(19)), (BLADE, 3))
    assert outcome.inventory.overflow == blades(20)
    assert outcome.inventory.backpack[39] == Slot(39, COIN, 7 + 2 * 20, 9999)
    assert outcome.granted == [ItemGrant(COIN, 40)]
    assert outcome.overflowed == [ItemGrant(BLADE, 3)]


def test_keys_push_the_overflow_beyond_its_limit():
    outcome = given_to(Inventory(blades(40), blades(20)), ("relic", 2))
    assert outcome.inventory.overflow[20:] == (
        Slot(20, "relic", 1, 1),
        Slot(21, "relic", 1, 1),
    )


def test_coins_are_never_dropped():
    outcome = given_to(Inventory(blades(40), blades(20)), (COIN, 12), (BLADE, 2))
    assert outcome.inventory.overflow[20:] == (Slot(20, COIN, 12 + 2 * 20, 9999),)
    assert outcome.granted == []
    assert outcome.overflowed == [ItemGrant(COIN, 12), ItemGrant(BLADE, 2), ItemGrant(COIN, 40)]


@given(st.permutations(sorted(ITEMS)), st.integers(0, 2**32))
def test_the_order_of_a_catalogue_means_nothing(names, seed):
    shuffled = {name: ITEMS[name] for name in names}
    grants = [ItemGrant(HERB, seed % 50 + 1), ItemGrant(BLADE, seed % 7 + 1), ItemGrant("relic", 2)]
    before = Inventory(blades(38))
    assert grant_items(before, grants, shuffled) == grant_items(before, grants, ITEMS)
    stock = roll_stock(SplitMix64(seed), ITEMS, ["metal", "medicine"], 5)
    assert roll_stock(SplitMix64(seed), shuffled, {"medicine", "metal"}, 5) == stock


def test_unknown_items_are_refused():
    with pytest.raises(RuleError) as refused:
        given_to(Inventory(), (HERB, 1), ("nothing", 1))
    assert refused.value.code == "inventory.item_unknown"


def test_consumption_starts_at_the_highest_slot():
    before = Inventory((herbs(0, 5), herbs(3, 5), herbs(7, 5)))
    assert consume_items(before, [ItemGrant(HERB, 7)]).backpack == (herbs(0, 5), herbs(3, 3))
    assert consume_items(before, [ItemGrant(HERB, 15)]).backpack == ()


def test_too_few_items():
    before = Inventory((herbs(0, 2), Slot(1, COIN, 5, 9999)))
    with pytest.raises(RuleError) as refused:
        consume_items(before, [ItemGrant(COIN, 1), ItemGrant(HERB, 1), ItemGrant(HERB, 2)])
    assert refused.value.code == "inventory.insufficient_items"
    assert refused.value.details == {"item_id": HERB, "missing": 1}


def test_locks_keep_everyone_out_but_their_holder():
    before = Inventory((herbs(0, 2, "ss_1.bt_1"), herbs(1, 1)))
    assert quantity_of(before, HERB) == 1
    assert quantity_of(before, HERB, "ss_1.bt_1") == 3
    with pytest.raises(RuleError):
        consume_items(before, [ItemGrant(HERB, 2)])
    after = consume_items(before, [ItemGrant(HERB, 2)], "ss_1.bt_1")
    assert after.backpack == (herbs(0, 1, "ss_1.bt_1"),)


stacks = st.lists(
    st.tuples(st.integers(0, 39), st.sampled_from([HERB, COIN, BLADE]), st.integers(1, 20)),
    unique_by=lambda stack: stack[0],
    max_size=40,
)
grants = st.lists(
    st.tuples(st.sampled_from([HERB, COIN, BLADE, "relic"]), st.integers(1, 60)), max_size=5
)


@given(stacks, grants)
def test_nothing_is_lost_but_what_became_coins(stacks, grants):
    slots = [
        Slot(index, item, min(quantity, ITEMS[item].stack_limit), ITEMS[item].stack_limit)
        for index, item, quantity in sorted(stacks)
    ]
    before = Inventory(tuple(slots))
    after = given_to(before, *grants).inventory
    for container, size in ((after.backpack, 40), (after.overflow, 10_000)):
        indexes = [slot.slot_index for slot in container]
        assert indexes == sorted(set(indexes))
        assert all(index < size for index in indexes)
        assert all(1 <= slot.quantity <= slot.stack_limit for slot in container)
    for item_id in (HERB, BLADE, "relic"):
        granted = sum(quantity for key, quantity in grants if key == item_id)
        had = quantity_of(before, item_id)
        has = sum(s.quantity for s in (*after.backpack, *after.overflow) if s.item_id == item_id)
        assert has <= had + granted
        if len(after.overflow) < 20 or item_id == "relic":
            assert has == had + granted


@given(stacks)
def test_consuming_everything_leaves_nothing(stacks):
    slots = tuple(herbs(index, quantity) for index, _, quantity in sorted(stacks))
    before = Inventory(slots)
    held = quantity_of(before, HERB)
    assert consume_items(before, [ItemGrant(HERB, held)]).backpack == ()
