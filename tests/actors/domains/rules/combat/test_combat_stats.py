import pytest

from actors.domains.domain_types import CombatStats, HostileRank, ItemMods
from actors.domains.rules.combat.stats import (
    clamp_stats,
    companion_profile,
    group_pressure,
    player_stats,
)
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.progression import profile_at_level

MINION, STANDARD, ELITE, BOSS = HostileRank


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (1, (176, 30, 18, 6, 100, 50)),
        (3, (233, 36, 24, 8, 102, 50)),
        (5, (299, 42, 30, 10, 104, 50)),
        (10, (501, 57, 51, 17, 109, 50)),
    ],
)
def test_players(level, expected):
    assert player_stats(level) == CombatStats(*expected)


def test_equipment_adds_up():
    worn = [CORE_ITEMS[item].mods for item in ("core_blade_t1", "core_mail_t1", "core_charm_t1")]
    assert player_stats(1, worn) == CombatStats(201, 30, 21, 8, 100, 60)


def test_stats_are_clamped():
    low = player_stats(1, [ItemMods(-999, -999, -9999, -999, -999)])
    high = player_stats(50, [ItemMods(999, 999, 9999, 999, 999)])
    assert low == CombatStats(1, 30, 1, 0, 50, 0)
    assert high == CombatStats(9999, 177, 999, 999, 300, 400)
    assert clamp_stats(high) == high


@pytest.mark.parametrize(
    ("ranks", "allies", "attacks"),
    [
        ([MINION, MINION, STANDARD], 1, [6, 6, 8]),
        ([MINION, MINION, STANDARD], 2, [7, 7, 10]),
        ([MINION, MINION, STANDARD], 3, [9, 9, 12]),
        ([STANDARD], 1, [12]),
        ([STANDARD], 4, [12]),
        ([MINION] * 4, 1, [5, 5, 5, 5]),
        ([MINION] * 6, 1, [5, 5, 5, 5, 5, 5]),
    ],
)
def test_group_pressure(ranks, allies, attacks):
    stats = [profile_at_level("x", rank, 1, 0).stats for rank in ranks]
    pressed = group_pressure(stats, allies)
    assert [one.attack for one in pressed] == attacks
    assert [one.max_hp for one in pressed] == [one.max_hp for one in stats]


def test_group_pressure_leaves_an_attack():
    assert group_pressure([CombatStats(1, 0, 1, 0, 50, 0)] * 6, 1)[0].attack == 1


def test_companions_are_a_level_below_and_hit_harder():
    profile = companion_profile("scout", 5)
    assert (profile.level, profile.stats.attack) == (4, 18 * 1200 // 1000)
    assert companion_profile("scout", 1).level == 1
