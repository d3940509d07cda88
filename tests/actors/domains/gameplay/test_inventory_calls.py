from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineage import (
    COIN,
    HERB,
    LINEAGE,
    VALE_BLADE,
    VALE_LETTER,
    backpack,
    consume,
    container,
    grant,
    mutate,
    reward,
)
from user_bench import UserBench, claims, only

from actors.domains.domain_types import EquipSlot, GrantSource, ItemCategory, ItemGrant, Rarity
from actors.domains.gameplay.inventory import ContainerKind, InventoryItem, InventorySlot
from actors.domains.gameplay.inventory_calls import (
    ClaimOverflow,
    Discard,
    Equip,
    Grant,
    Move,
    Split,
    Unequip,
)
from actors.domains.messages import RequestLoadout
from actors.errors import ReducerError

BLADE = "core_blade_t1"
MAIL = "core_mail_t1"


def codes(bench: UserBench, name: str, *fields: object) -> str:
    before = bench.rows(InventorySlot)
    with pytest.raises(ReducerError) as refused:
        bench.call(name, *fields)
    assert bench.rows(InventorySlot) == before
    return refused.value.code


def test_a_grant_fills_stacks_before_slots(bench: UserBench) -> None:
    grant(bench, HERB, 15)
    outcome = grant(bench, HERB, 30)
    assert backpack(bench) == [(0, HERB, 20), (1, HERB, 20), (2, HERB, 5)]
    assert (outcome.items_granted, outcome.items_overflowed) == ([ItemGrant(HERB, 30)], [])


def test_a_row_describes_its_item(bench: UserBench) -> None:
    mutate(bench, Grant(ItemGrant(HERB, 2)), "gift")
    row = only(bench.rows(InventorySlot))
    assert row.slot_id == f"{LINEAGE}:{bench.user_id}:backpack:0"
    assert (row.name, row.category) == ("Healing Herb", ItemCategory.CONSUMABLE)
    assert (row.rarity, row.stack_limit) == (Rarity.COMMON, 20)
    assert (row.acquired_source, row.locked_by) == ("gift", None)


def test_a_source_reference_counts_once(bench: UserBench) -> None:
    mutate(bench, Grant(ItemGrant(HERB, 2)), "gift")
    outcome = mutate(bench, Grant(ItemGrant(HERB, 2)), "gift")
    assert (outcome.items_granted, outcome.items_overflowed) == ([], [])
    assert backpack(bench) == [(0, HERB, 2)]


def test_lineages_never_mix(bench: UserBench) -> None:
    grant(bench, HERB, 2)
    grant(bench, HERB, 3, lineage="rs_2")
    assert backpack(bench) == [(0, HERB, 2)]
    assert backpack(bench, "rs_2") == [(0, HERB, 3)]
    assert codes(bench, "move_inventory_slot", "rs_3", 0, 1) == "inventory.slot_empty"


def test_consuming_starts_at_the_highest_slot(bench: UserBench) -> None:
    grant(bench, HERB, 45)
    consume(bench, HERB, 6)
    assert backpack(bench) == [(0, HERB, 20), (1, HERB, 19)]
    with pytest.raises(ReducerError, match=r"^inventory\.insufficient_items"):
        consume(bench, HERB, 40)
    assert backpack(bench) == [(0, HERB, 20), (1, HERB, 19)]


@pytest.mark.parametrize("quantity", [0, 10_001])
def test_mutations_have_a_bounded_quantity(bench: UserBench, quantity: int) -> None:
    with pytest.raises(ReducerError, match=r"^inventory\.quantity_out_of_range"):
        grant(bench, HERB, quantity)


def test_an_unknown_item_is_refused(bench: UserBench) -> None:
    with pytest.raises(ReducerError, match=r"^inventory\.item_unknown"):
        grant(bench, "vale_blade", 1)


def test_mutations_are_the_services_business(bench: UserBench) -> None:
    fields = (bench.user_id, LINEAGE, Grant(ItemGrant(HERB, 2)), "gift")
    with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
        bench.call("apply_inventory_mutation", *fields)
    stranger = UserBench(claims(2))
    with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
        stranger.call("apply_inventory_mutation", *fields)


def test_gear_is_worn_and_swapped(bench: UserBench) -> None:
    grant(bench, HERB, 1)
    grant(bench, BLADE, 2)
    bench.call("equip_item", LINEAGE, 1)
    assert backpack(bench) == [(0, HERB, 1), (2, BLADE, 1)]
    worn = only(container(bench, ContainerKind.EQUIPMENT))
    assert (worn.slot_index, worn.item_id) == (EquipSlot.WEAPON, BLADE)
    acquired_at = worn.created_at
    bench.call("equip_item", LINEAGE, 2)
    assert backpack(bench) == [(0, HERB, 1), (2, BLADE, 1)]
    assert container(bench, ContainerKind.BACKPACK)[1].created_at == acquired_at
    bench.call("unequip_item", LINEAGE, EquipSlot.WEAPON)
    assert backpack(bench) == [(0, HERB, 1), (1, BLADE, 1), (2, BLADE, 1)]
    assert container(bench, ContainerKind.EQUIPMENT) == []
    refused = codes(bench, "unequip_item", LINEAGE, EquipSlot.WEAPON)
    assert refused == "inventory.slot_empty"


def test_what_cannot_be_worn(bench: UserBench) -> None:
    grant(bench, HERB, 1)
    grant(bench, "core_blade_t2", 1)
    assert codes(bench, "equip_item", LINEAGE, 0) == "inventory.not_equippable"
    assert codes(bench, "equip_item", LINEAGE, 5) == "inventory.slot_empty"
    assert codes(bench, "equip_item", LINEAGE, 40) == "inventory.slot_out_of_range"
    assert codes(bench, "equip_item", LINEAGE, 1) == "inventory.requirements_not_met"
    # Tier 2 needs level 9, whose floor is 3 488.
    bench.serve("grant_player_progression_experience", 3_487, GrantSource.ADMIN, "a", None)
    assert codes(bench, "equip_item", LINEAGE, 1) == "inventory.requirements_not_met"
    bench.serve("grant_player_progression_experience", 1, GrantSource.ADMIN, "b", None)
    bench.call("equip_item", LINEAGE, 1)
    assert only(container(bench, ContainerKind.EQUIPMENT)).item_id == "core_blade_t2"


def test_authored_gear_is_known_from_its_reward(bench: UserBench) -> None:
    bench.tell(reward("q1", items=[ItemGrant("vale_blade", 1)], definitions=[VALE_BLADE]))
    assert only(bench.rows(InventoryItem)).definition == VALE_BLADE
    assert codes(bench, "equip_item", LINEAGE, 0) == "inventory.requirements_not_met"
    bench.serve("grant_player_progression_experience", 3_488, GrantSource.ADMIN, "a", None)
    bench.call("equip_item", LINEAGE, 0)
    assert only(container(bench, ContainerKind.EQUIPMENT)).name == "Vale Blade"


def test_stacks_move_merge_and_swap(bench: UserBench) -> None:
    grant(bench, HERB, 25)
    grant(bench, MAIL, 1)
    bench.call("move_inventory_slot", LINEAGE, 1, 9)
    assert backpack(bench) == [(0, HERB, 20), (2, MAIL, 1), (9, HERB, 5)]
    bench.call("move_inventory_slot", LINEAGE, 0, 9)
    assert backpack(bench) == [(0, HERB, 5), (2, MAIL, 1), (9, HERB, 20)]
    bench.call("move_inventory_slot", LINEAGE, 2, 0)
    assert backpack(bench) == [(0, MAIL, 1), (2, HERB, 5), (9, HERB, 20)]
    bench.call("move_inventory_slot", LINEAGE, 9, 9)
    assert codes(bench, "move_inventory_slot", LINEAGE, 9, 40) == "inventory.slot_out_of_range"
    assert codes(bench, "move_inventory_slot", LINEAGE, 3, 4) == "inventory.slot_empty"
    consume(bench, HERB, 15)
    assert backpack(bench) == [(0, MAIL, 1), (2, HERB, 5), (9, HERB, 5)]
    bench.call("move_inventory_slot", LINEAGE, 2, 9)
    assert backpack(bench) == [(0, MAIL, 1), (9, HERB, 10)]


def test_a_part_of_a_stack_is_split_off_or_thrown_away(bench: UserBench) -> None:
    grant(bench, HERB, 10)
    bench.call("split_inventory_stack", LINEAGE, 0, 4)
    assert backpack(bench) == [(0, HERB, 6), (1, HERB, 4)]
    for quantity in (0, 6):
        refused = codes(bench, "split_inventory_stack", LINEAGE, 0, quantity)
        assert refused == "inventory.quantity_out_of_range"
    bench.call("discard_inventory_item", LINEAGE, 1, 4)
    bench.call("discard_inventory_item", LINEAGE, 0, 1)
    assert backpack(bench) == [(0, HERB, 5)]
    for quantity in (0, 6):
        refused = codes(bench, "discard_inventory_item", LINEAGE, 0, quantity)
        assert refused == "inventory.quantity_out_of_range"


def test_what_the_story_needs_is_not_thrown_away(bench: UserBench) -> None:
    bench.tell(reward("q1", items=[ItemGrant("vale_letter", 1)], definitions=[VALE_LETTER]))
    refused = codes(bench, "discard_inventory_item", LINEAGE, 0, 1)
    assert refused == "inventory.not_discardable"


def test_a_full_backpack_overflows_and_the_overflow_is_claimed(bench: UserBench) -> None:
    grant(bench, BLADE, 40)
    outcome = grant(bench, HERB, 25)
    assert (outcome.items_granted, outcome.items_overflowed) == ([], [ItemGrant(HERB, 25)])
    stacks = container(bench, ContainerKind.OVERFLOW)
    assert [(row.slot_index, row.quantity) for row in stacks] == [(0, 20), (1, 5)]
    assert codes(bench, "claim_overflow_item", LINEAGE, 0) == "inventory.full_state"
    assert codes(bench, "claim_overflow_item", LINEAGE, 2) == "inventory.slot_empty"
    bench.call("equip_item", LINEAGE, 7)
    assert codes(bench, "split_inventory_stack", LINEAGE, 0, 1) == (
        "inventory.quantity_out_of_range"
    )
    bench.call("claim_overflow_item", LINEAGE, 1)
    assert backpack(bench)[7] == (7, HERB, 5)
    assert codes(bench, "unequip_item", LINEAGE, EquipSlot.WEAPON) == "inventory.full_state"
    assert codes(bench, "split_inventory_stack", LINEAGE, 7, 1) == "inventory.full_state"
    bench.call("claim_overflow_item", LINEAGE, 0)
    assert backpack(bench)[7] == (7, HERB, 20)
    assert only(container(bench, ContainerKind.OVERFLOW)).quantity == 5
    assert codes(bench, "claim_overflow_item", LINEAGE, 0) == "inventory.full_state"


def test_a_battles_belt_is_not_touched(bench: UserBench) -> None:
    grant(bench, HERB, 5)
    grant(bench, MAIL, 1)
    bench.tell(RequestLoadout("ss_1.bt_1", LINEAGE, None))
    for name, fields in (
        ("move_inventory_slot", (0, 5)),
        ("move_inventory_slot", (1, 0)),
        ("split_inventory_stack", (0, 1)),
        ("discard_inventory_item", (0, 1)),
        ("equip_item", (0,)),
    ):
        assert codes(bench, name, LINEAGE, *fields) == "inventory.locked_state"


def test_services_may_do_what_owners_may(bench: UserBench) -> None:
    grant(bench, BLADE, 1)
    grant(bench, HERB, 10)
    mutate(bench, Equip(0))
    mutate(bench, Unequip(EquipSlot.WEAPON))
    mutate(bench, Move(1, 3))
    mutate(bench, Split(3, 4))
    mutate(bench, Discard(1, 1))
    assert backpack(bench) == [(0, BLADE, 1), (1, HERB, 3), (3, HERB, 6)]
    with pytest.raises(ReducerError, match=r"^inventory\.slot_empty"):
        mutate(bench, ClaimOverflow(0))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["equip_item", "move_inventory_slot", "split_inventory_stack"]),
            st.integers(0, 6),
            st.integers(0, 6),
        ),
        max_size=25,
    )
)
def test_moving_stacks_about_neither_makes_nor_loses_items(
    moves: list[tuple[str, int, int]],
) -> None:
    bench = UserBench()
    for item_id, quantity in ((HERB, 30), (BLADE, 2), (COIN, 50)):
        grant(bench, item_id, quantity)

    def held() -> dict[str, int]:
        sums: dict[str, int] = {}
        for row in bench.rows(InventorySlot):
            assert 1 <= row.quantity <= row.stack_limit
            sums[row.item_id] = sums.get(row.item_id, 0) + row.quantity
        return sums

    for name, first, second in moves:
        fields = (first,) if name == "equip_item" else (first, second)
        with contextlib.suppress(ReducerError):
            bench.call(name, LINEAGE, *fields)
        assert held() == {HERB: 30, BLADE: 2, COIN: 50}
