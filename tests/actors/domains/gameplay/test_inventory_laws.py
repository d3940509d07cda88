"""Domain 5.4: whatever is done to an inventory, items are neither made nor lost."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from lineage import COIN, HERB, LINEAGE, VALE_LETTER, consume, grant, reward
from user_bench import UserBench

from actors.domains.domain_types import EquipSlot, ItemGrant
from actors.domains.gameplay.inventory import ContainerKind, InventorySlot
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.limits import BACKPACK_SLOTS_MAX, OVERFLOW_SLOTS_MAX
from actors.errors import ReducerError

BLADE, DROP, LETTER = "core_blade_t1", "core_mana_drop", VALE_LETTER.item_id
ITEMS = {**CORE_ITEMS, LETTER: VALE_LETTER}
KEPT = {COIN, LETTER}

slots = st.integers(0, 41)
items = st.sampled_from([HERB, BLADE, DROP, COIN, LETTER])
steps = st.one_of(
    st.tuples(st.just("grant"), items, st.integers(1, 70)),
    st.tuples(st.just("consume"), items, st.integers(1, 30)),
    st.tuples(st.just("move_inventory_slot"), slots, slots),
    st.tuples(st.just("split_inventory_stack"), slots, st.integers(0, 21)),
    st.tuples(st.just("discard_inventory_item"), slots, st.integers(0, 21)),
    st.tuples(st.just("equip_item"), slots, st.none()),
    st.tuples(st.just("unequip_item"), st.sampled_from(EquipSlot), st.none()),
    st.tuples(st.just("claim_overflow_item"), st.integers(0, 21), st.none()),
)


def _held(bench: UserBench, *, at: ContainerKind | None = None) -> Counter[str]:
    rows = [row for row in bench.rows(InventorySlot) if at in {None, row.container}]
    held: Counter[str] = Counter()
    for row in rows:
        held[row.item_id] += row.quantity
    return held


def _stack(bench: UserBench, slot_index: int) -> str | None:
    return next(
        (
            row.item_id
            for row in bench.rows(InventorySlot)
            if (row.container, row.slot_index) == (ContainerKind.BACKPACK, slot_index)
        ),
        None,
    )


def _check_form(bench: UserBench) -> None:
    overflow = [row for row in bench.rows(InventorySlot) if row.container is ContainerKind.OVERFLOW]
    for row in bench.rows(InventorySlot):
        assert 1 <= row.quantity <= row.stack_limit
        if row.container is ContainerKind.BACKPACK:
            assert row.slot_index < BACKPACK_SLOTS_MAX
        elif row.container is ContainerKind.EQUIPMENT:
            assert ITEMS[row.item_id].equip_slot == row.slot_index
    assert all(row.slot_index < OVERFLOW_SLOTS_MAX or row.item_id in KEPT for row in overflow)


@settings(max_examples=60)
@given(st.sampled_from([0, 38, 59]), st.lists(steps, max_size=25))
def test_a_bag_counts_the_same(blades: int, steps: list[tuple[str, object, object]]) -> None:
    bench = UserBench()
    bench.tell(reward("q1", items=[ItemGrant(LETTER, 3)], definitions=[VALE_LETTER]))
    if blades:
        grant(bench, BLADE, blades)
    bag: Counter[str] = Counter({LETTER: 3, BLADE: blades})
    for name, first, second in steps:
        is_short = name == "consume" and _held(bench, at=ContainerKind.BACKPACK)[first] < second
        try:
            if name == "grant":
                grant(bench, first, second)
                bag[first] += second
                lost = bag[first] - _held(bench)[first]
                if lost:
                    # Only what no container takes is sold, for half its value.
                    assert first not in KEPT
                    bag[first] -= lost
                    bag[COIN] += lost * (ITEMS[first].value_coins // 2)
            elif name == "consume":
                consume(bench, first, second)
                assert not is_short
                bag[first] -= second
            else:
                thrown = _stack(bench, first)
                bench.call(name, LINEAGE, first, *(() if second is None else (second,)))
                if name == "discard_inventory_item":
                    assert thrown not in {None, LETTER}
                    bag[thrown] -= second
        except ReducerError:
            # Consuming is refused only when there is too little.
            assert name != "consume" or is_short
        assert _held(bench) == +bag, name
        _check_form(bench)
