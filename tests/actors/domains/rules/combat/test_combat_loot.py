import pytest
from battles import BOSS, ELITE, MINION, STANDARD, active, foe, hero
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import HostileDefeat, ItemGrant, LootEntry
from actors.domains.rules.combat import (
    coins_of,
    defeated_hostiles,
    defeats_of,
    merge_grants,
    roll_loot,
    roll_table,
)
from actors.domains.rules.items import CORE_ITEMS
from actors.rng import SplitMix64

HERB = [LootEntry("core_healing_herb", 1000, 1, 1)]


def draws(before, rng):
    twin, count = SplitMix64(before), 0
    while twin.state != rng.state:
        twin.next_u64()
        count += 1
    return count


def test_defeats_coins_and_loot_of_the_slime_pack():
    pack = [foe(MINION, key="slime"), foe(MINION, key="slime"), foe(STANDARD)]
    dead = {seq: {"hp": 0, "alive": False} for seq in (2, 3, 4)}
    hostiles = defeated_hostiles(active([hero()], pack, changes=dead))
    assert [row.seq for row in hostiles] == [2, 3, 4]
    assert defeats_of(hostiles) == [
        HostileDefeat("slime", MINION, 1, 6),
        HostileDefeat("slime", MINION, 1, 6),
        HostileDefeat("wolf", STANDARD, 1, 12),
    ]
    assert coins_of(hostiles) == 8
    rng = SplitMix64(5)
    loot = roll_loot(rng, hostiles, {"slime": HERB, "wolf": HERB})
    assert loot == [ItemGrant("core_healing_herb", 3)]
    assert draws(5, rng) == 3


def test_only_the_fallen_count():
    battle = active([hero()], [foe(), foe()], changes={1: {"alive": False}, 2: {"alive": False}})
    assert [row.seq for row in defeated_hostiles(battle)] == [2]


@pytest.mark.parametrize(("rank", "coins"), [(MINION, 6), (STANDARD, 12), (ELITE, 30), (BOSS, 120)])
def test_coins_by_rank(rank, coins):
    assert coins_of([foe(rank, 3)]) == coins


def test_table_draws_one_for_chance_and_one_for_a_range():
    table = [
        LootEntry("a", 1000, 2, 2),
        LootEntry("b", 1000, 1, 3),
        LootEntry("c", 0, 1, 3),
        LootEntry("d", 344, 1, 1),
    ]
    # The draws of seed 42 are 741; 159, 278; 344; 38 permille; below(3) of 278 is 0.
    rng = SplitMix64(42)
    assert roll_table(rng, table) == [ItemGrant("a", 2), ItemGrant("b", 1), ItemGrant("d", 1)]
    assert draws(42, rng) == 5


@given(st.integers(0, 2**64 - 1), st.integers(1, 50))
def test_default_tables(seed, level):
    tier = min(max(-(-level // 10), 1), 5)
    gear = {f"core_{kind}_t{tier}" for kind in ("blade", "mail", "charm")}
    better = {f"core_{kind}_t{min(tier + 1, 5)}" for kind in ("blade", "mail", "charm")}
    for rank in (MINION, STANDARD):
        rng = SplitMix64(seed)
        first = SplitMix64(seed).permille()
        chance = 200 if rank is MINION else 350
        expected = [ItemGrant("core_healing_herb", 1)] if first < chance else []
        assert roll_loot(rng, [foe(rank, level)], {"wolf": []}) == expected
    elite = roll_loot(SplitMix64(seed), [foe(ELITE, level)], {})
    assert elite[0].item_id in gear
    assert elite[1:] in ([], [ItemGrant("core_mana_drop", 1)])
    boss = roll_loot(SplitMix64(seed), [foe(BOSS, level)], {})
    assert boss[0].item_id in better
    assert boss[1:] == [ItemGrant("core_healing_herb", 3)]
    assert all(grant.item_id in CORE_ITEMS for grant in elite + boss)


def test_grants_merge_in_order():
    grants = [ItemGrant("b", 1), ItemGrant("a", 2), ItemGrant("b", 3)]
    assert merge_grants(grants) == [ItemGrant("b", 4), ItemGrant("a", 2)]
