import pytest
from battles import BOSS, ELITE, MINION, STANDARD, LevelSource, foe, hero

from actors.domains.domain_types import ItemGrant
from actors.domains.rules.combat import (
    BattleMode,
    BattleSide,
    BattleStatus,
    CombatantKind,
    CombatOutcome,
    companion_combatant,
    hostile_combatant,
    prepare_battle,
    start_battle,
    with_loadout,
)
from actors.domains.rules.errors import RuleError
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.progression import hostile_profile


def test_the_slime_pack():
    battle = prepare_battle(
        BattleMode.FIGHT, [hero()], [foe(MINION), foe(MINION), foe(STANDARD)], 7
    )
    assert (battle.status, battle.outcome) == (BattleStatus.PREPARING, CombatOutcome.ONGOING)
    assert [(row.seq, row.hp, row.stats.attack) for row in battle.combatants] == [
        (1, 176, 18),
        (2, 48, 6),
        (3, 48, 6),
        (4, 80, 8),
    ]
    assert (battle.rng_state, battle.version, battle.escape_blocked) == (7, 0, False)


def test_allies_come_first():
    battle = prepare_battle(
        BattleMode.FIGHT,
        [hero(), hero(user_id="u_2"), companion_combatant("scout", "Wren", 3)],
        [foe(BOSS)],
        7,
    )
    kinds = [row.kind for row in battle.combatants]
    assert kinds == [*[CombatantKind.PLAYER] * 2, CombatantKind.COMPANION, CombatantKind.HOSTILE]
    assert [row.side for row in battle.combatants] == [*[BattleSide.ALLY] * 3, BattleSide.HOSTILE]
    assert battle.escape_blocked
    assert battle.combatants[2].stats.attack == 14 * 1200 // 1000


@pytest.mark.parametrize("count", [0, 7])
def test_one_to_six_hostiles(count):
    with pytest.raises(RuleError) as refused:
        prepare_battle(BattleMode.FIGHT, [hero()], [foe()] * count, 7)
    assert refused.value.code == "combat.too_many_hostiles"


@pytest.mark.parametrize(("hp", "expected"), [(0, 1), (80, 80), (176, 176), (999, 176)])
def test_players_enter_with_what_they_have(hp, expected):
    assert hero(hp=hp).hp == expected


def test_hostiles_keep_their_profile():
    row = hostile_combatant(hostile_profile("brute", ELITE, 3), "Brute")
    assert (row.level, row.rank, row.level_source) == (3, ELITE, LevelSource.FALLBACK)
    assert (row.entity_key, row.display_name, row.mana) == ("brute", "Brute", 0)


def test_loadouts():
    battle = prepare_battle(BattleMode.FIGHT, [hero(), hero(user_id="u_2")], [foe()], 7)
    worn = [CORE_ITEMS["core_blade_t1"].mods, CORE_ITEMS["core_mail_t1"].mods]
    belt = [ItemGrant("core_healing_herb", 3)]
    after = with_loadout(battle, "u_2", 1, 999, worn, belt)
    assert after.combatants[0] == battle.combatants[0]
    row = after.combatants[1]
    assert (row.hp, row.stats.attack, row.stats.max_hp, row.belt) == (186, 21, 186, belt)
    assert with_loadout(battle, "u_3", 1, 999, worn, belt) == battle


def test_a_loadout_brings_the_level_and_a_full_head():
    battle = prepare_battle(BattleMode.FIGHT, [hero()], [foe()], 7)
    (row, _) = with_loadout(battle, "u_1", 3, 176, [], []).combatants
    assert (row.level, row.hp, row.stats.max_hp) == (3, 176, 233)
    assert (row.mana, row.stats.max_mana) == (36, 36)


def test_starting_opens_round_one_and_waits_for_a_player():
    prepared = prepare_battle(BattleMode.FIGHT, [hero()], [foe()], 42)
    battle, events = start_battle(prepared)
    assert prepared.status is BattleStatus.PREPARING
    assert (battle.status, battle.round, battle.version) == (BattleStatus.ACTIVE, 1, 1)
    assert (battle.active_seq, battle.turn_order) == (1, [1, 2])
    assert [event.seq for event in events] == [1]
    assert battle.last_event_seq == 1
