from itertools import pairwise

import pytest
from battles import (
    BOSS,
    ELITE,
    MINION,
    STANDARD,
    act,
    active,
    attack,
    foe,
    fought,
    hero,
    policy,
    run,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domains.domain_types import ItemGrant, StatusInstance, StatusKind
from actors.domains.rules.combat import (
    ActionRequest,
    BattleEventKind,
    BattleMode,
    BattleStatus,
    CombatAction,
    CombatantKind,
    CombatOutcome,
    abort_battle,
    apply_action,
    apply_automatic,
    apply_timeout,
    companion_combatant,
    prepare_battle,
    spar_won,
    start_battle,
)
from actors.domains.rules.combat.arena import Arena
from actors.domains.rules.combat.engine import round_order
from actors.domains.rules.errors import RuleError
from actors.domains.rules.items import CORE_ITEMS
from actors.module.types import replace
from actors.rng import SplitMix64

KINDS = BattleEventKind


def started(allies, hostiles, seed, mode=BattleMode.FIGHT):
    return start_battle(prepare_battle(mode, allies, hostiles, seed))[0]


# round, turn order, damage of the player and of the hostile, hp of both after the round
WORKED_FIGHT = [
    (1, [1, 2], [22, 11], (165, 58)),
    (2, [1, 2], [16, 10], (155, 42)),
    (3, [2, 1], [11, 15], (144, 27)),
    (4, [2, 1], [11, 16], (133, 11)),
    (5, [2, 1], [11, 16], (122, 0)),
]


def test_the_worked_fight():
    battles, events = run(started([hero()], [foe()], 42), attack)
    hits = [event for event in events if event.kind in {KINDS.HIT, KINDS.CRIT}]
    hp = [176, 80]
    for number, order, damage, left in WORKED_FIGHT:
        here = [event for event in hits if event.round == number]
        assert [event.actor_seq for event in here] == order
        assert [event.amount for event in here] == damage
        for event in here:
            hp[event.target_seq - 1] = max(0, hp[event.target_seq - 1] - event.amount)
        assert tuple(hp) == left
    assert [event.kind for event in hits].count(KINDS.CRIT) == 1
    assert hits[0].kind is KINDS.CRIT
    end = battles[-1]
    assert (end.outcome, end.round, end.active_seq) == (CombatOutcome.VICTORY, 5, 0)
    assert [row.hp for row in end.combatants] == [122, 0]
    assert (events[-1].kind, events[-1].detail_key) == (KINDS.ENDED, "victory")


def test_the_worked_fight_draws_nothing_else():
    # Initiative twice, then hit, variance and crit of the player: the AI's first draw is next.
    battle = started([hero()], [foe()], 42)
    _, events = act(battle, CombatAction.BASIC_ATTACK)
    assert [(event.kind, event.amount) for event in events] == [
        (KINDS.ACTION_USED, 0),
        (KINDS.CRIT, 22),
        (KINDS.ACTION_USED, 0),
        (KINDS.HIT, 11),
        (KINDS.ROUND_STARTED, 0),
    ]
    assert [event.seq for event in events] == [2, 3, 4, 5, 6]
    assert [event.round for event in events] == [1, 1, 1, 1, 2]


@pytest.mark.parametrize(
    ("level", "pack", "low"),
    [
        (1, [(MINION, 1), (MINION, 1), (STANDARD, 1)], 495),
        (3, [(ELITE, 3)], 495),
        (5, [(BOSS, 6)], 495),
        (10, [(STANDARD, 10)] * 3, 495),
    ],
)
def test_tuning_lets_the_policy_win(level, pack, low):
    ends = [fought([hero(level)], [foe(*one) for one in pack], seed) for seed in range(500)]
    assert sum(outcome is CombatOutcome.VICTORY for outcome, _ in ends) >= low
    assert level > 1 or max(actions for _, actions in ends) <= 40


def test_tuning_makes_a_boss_more_than_basic_attacks():
    ends = [fought([hero(5)], [foe(BOSS, 6)], seed, attack) for seed in range(500)]
    assert sum(outcome is CombatOutcome.VICTORY for outcome, _ in ends) < 100


def refused_code(battle, request, items=CORE_ITEMS):
    with pytest.raises(RuleError) as refused:
        apply_action(battle, request, items)
    return refused.value.code


def test_an_action_needs_an_active_battle():
    prepared = prepare_battle(BattleMode.FIGHT, [hero()], [foe()], 1)
    ended, _ = abort_battle(active())
    for battle in (prepared, ended):
        request = ActionRequest("u_2", CombatAction.BASIC_ATTACK, 99)
        assert refused_code(battle, request) == "combat.not_active_state"


def test_an_action_needs_the_version():
    with pytest.raises(RuleError) as refused:
        act(active(), CombatAction.BASIC_ATTACK, "u_2", expected_version=2)
    assert refused.value.code == "combat.stale_version"
    assert refused.value.details == {"current": 1}


def test_an_action_needs_the_turn():
    battle = active([hero(), hero(user_id="u_2")])
    request = ActionRequest("u_2", CombatAction.BASIC_ATTACK, 1)
    assert refused_code(battle, request) == "combat.not_your_turn"
    spectator = ActionRequest("u_3", CombatAction.BASIC_ATTACK, 1)
    assert refused_code(battle, spectator) == "combat.not_participant"


def test_a_battle_given_stays_as_it_is():
    battle = active(changes={1: {"belt": [ItemGrant("core_healing_herb", 2)], "hp": 10}})
    copy = replace(battle, combatants=[replace(row) for row in battle.combatants])
    act(battle, CombatAction.USE_ITEM, item_id="core_healing_herb")
    assert battle == copy
    assert battle.combatants[0].belt == [ItemGrant("core_healing_herb", 2)]


def test_defeat_when_all_players_are_down_whoever_else_lives():
    companion = companion_combatant("scout", "Wren", 50)
    battle = active([hero(), companion], [foe(BOSS, 50)], changes={1: {"hp": 1}, 3: {"hp": 9999}})
    battles, events = run(battle, attack)
    end = battles[-1]
    assert end.outcome is CombatOutcome.DEFEAT
    assert not end.combatants[0].alive
    assert end.combatants[1].alive
    assert (KINDS.DEFEATED, 1) in {(event.kind, event.target_seq) for event in events}


def test_a_fallen_player_is_passed_over():
    battle = active([hero(), hero(user_id="u_2")], [foe()], changes={2: {"hp": 0, "alive": False}})
    battles, _ = run(battle, attack)
    assert {one.active_seq for one in battles[:-1]} == {1}
    assert battles[-1].outcome is CombatOutcome.VICTORY


def test_a_dot_can_end_a_battle():
    burn = StatusInstance(StatusKind.BURN, 2, 80, 1)
    battle = active(changes={2: {"hp": 3, "statuses": [burn]}})
    after, events = act(battle, CombatAction.GUARD)
    assert after.outcome is CombatOutcome.VICTORY
    assert [event.kind for event in events][-3:] == [KINDS.DOT_TICK, KINDS.DEFEATED, KINDS.ENDED]


def test_equal_initiative_lets_allies_go_first_and_then_the_lower_seq():
    prepared = prepare_battle(BattleMode.FIGHT, [hero(), hero(user_id="u_2")], [foe(), foe()], 0)
    rounds = set()
    for seed in range(2000):
        arena = Arena(replace(prepared, rng_state=seed))
        twin = SplitMix64(seed)
        initiative = {seq: 100 + twin.below(21) for seq in (1, 2, 3, 4)}
        order = round_order(arena)
        assert arena.rng.state == twin.state
        for one, other in pairwise(order):
            assert (-initiative[one], one) < (-initiative[other], other)
        rounds.add(len(set(initiative.values())))
    assert rounds >= {2, 3, 4}


def test_a_timeout_guards():
    after, events = apply_timeout(active())
    assert events[0].kind is KINDS.TIMEOUT_GUARD
    assert (events[1].kind, events[1].detail_key) == (KINDS.STATUS_APPLIED, "guard")
    assert after.version == 2
    with pytest.raises(RuleError) as refused:
        apply_timeout(abort_battle(after)[0])
    assert refused.value.code == "combat.not_active_state"


def test_the_rules_play_for_someone_who_is_away():
    battle = active(changes={1: {"hp": 20}})
    after, events = apply_automatic(battle)
    assert (events[0].kind, events[0].detail_key) == (KINDS.ACTION_USED, "mend")
    assert after.combatants[0].mana == 30 - 10 + 2
    while after.status is BattleStatus.ACTIVE:
        after, _ = apply_automatic(after)
    with pytest.raises(RuleError):
        apply_automatic(after)


def test_aborting_ends_without_a_winner():
    prepared = prepare_battle(BattleMode.FIGHT, [hero()], [foe()], 1)
    for battle in (prepared, active()):
        after, events = abort_battle(battle)
        assert (after.status, after.outcome) == (BattleStatus.ENDED, CombatOutcome.ABORTED)
        assert after.version == battle.version + 1
        assert after.rng_state == battle.rng_state
        assert [event.detail_key for event in events] == ["aborted"]
    with pytest.raises(RuleError) as refused:
        abort_battle(after)
    assert refused.value.code == "combat.not_active_state"


def spar(seed=0, **changes):
    partner = foe(key="mayor", kind=CombatantKind.SPAR_PARTNER)
    return active([hero()], [partner], seed=seed, mode=BattleMode.SPAR, **changes)


def test_a_spar_ends_at_a_fifth_and_leaves_everyone_standing():
    battles, events = run(spar(changes={2: {"hp": 18}}), attack)
    end = battles[-1]
    assert end.outcome is CombatOutcome.SPAR_COMPLETE
    assert all(row.alive and row.hp >= 1 for row in end.combatants)
    assert end.combatants[1].hp <= 16
    assert spar_won(end)
    assert not any(spar_won(battle) for battle in battles[:-1])
    assert KINDS.DEFEATED not in {event.kind for event in events}


def test_a_dot_ends_a_spar_before_the_one_it_hurts_acts():
    burn = StatusInstance(StatusKind.BURN, 2, 80, 1)
    after, events = act(spar(changes={2: {"hp": 20, "statuses": [burn]}}), CombatAction.GUARD)
    assert after.outcome is CombatOutcome.SPAR_COMPLETE
    assert [event.kind for event in events][2:] == [KINDS.DOT_TICK, KINDS.ENDED]


def test_a_spar_is_lost_at_a_fifth_too():
    battles, _ = run(spar(changes={1: {"hp": 37}}), attack)
    assert battles[-1].outcome is CombatOutcome.SPAR_COMPLETE
    assert battles[-1].combatants[0].hp <= 36
    assert not spar_won(battles[-1])


def test_a_spar_can_be_yielded_and_a_fight_cannot():
    after, events = act(spar(), CombatAction.YIELD)
    assert after.outcome is CombatOutcome.SPAR_COMPLETE
    assert [event.kind for event in events] == [KINDS.YIELDED, KINDS.ENDED]
    assert not spar_won(after)
    request = ActionRequest("u_1", CombatAction.YIELD)
    assert refused_code(active(), request) == "combat.yield_not_allowed"


def test_each_player_acts_only_on_the_own_turn():
    battle = started([hero(), hero(user_id="u_2")], [foe(MINION), foe(MINION), foe()], 3)
    battles, _ = run(battle, policy)
    assert battles[-1].outcome is CombatOutcome.VICTORY
    assert {one.active_seq for one in battles[:-1]} == {1, 2}


actions = st.tuples(
    st.sampled_from(CombatAction),
    st.sampled_from(["power_strike", "mend", "brace", "hinder", "nova", "venom", None]),
    st.sampled_from([*CORE_ITEMS, None]),
    st.none() | st.integers(0, 5),
)
packs = st.lists(st.sampled_from([MINION, STANDARD, ELITE]), min_size=1, max_size=6)


@settings(max_examples=150)
@given(st.integers(0, 2**64 - 1), packs, st.integers(1, 3), st.lists(actions, max_size=40))
def test_laws_of_every_battle(seed, ranks, players, intents):
    allies = [hero(user_id=f"u_{number}") for number in range(players)]
    allies.append(companion_combatant("scout", "Wren", 2, hero().skills))
    hostiles = [foe(rank, skills=hero().skills) for rank in ranks]
    prepared = prepare_battle(BattleMode.FIGHT, allies, hostiles, seed)
    belt = [ItemGrant("core_healing_herb", 2), ItemGrant("core_throwing_knife", 1)]
    rows = [replace(row, belt=belt) for row in prepared.combatants]
    battle, events = start_battle(replace(prepared, combatants=rows))
    for action, skill_id, item_id, target_seq in intents:
        if battle.status is not BattleStatus.ACTIVE:
            break
        user_id = battle.combatants[battle.active_seq - 1].user_id
        request = ActionRequest(user_id, action, battle.version, skill_id, item_id, target_seq)
        try:
            after, more = apply_action(battle, request, CORE_ITEMS)
        except RuleError:
            continue
        reversed_items = dict(reversed(CORE_ITEMS.items()))
        assert apply_action(battle, request, reversed_items) == (after, more)
        check_step(battle, after, more)
        battle, events = after, events + more
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    check_events(events)


def check_step(before, after, events):
    assert after.version == before.version + 1
    assert (after.status is BattleStatus.ENDED) == (after.outcome is not CombatOutcome.ONGOING)
    assert (after.active_seq == 0) == (after.status is BattleStatus.ENDED)
    assert after.last_event_seq == before.last_event_seq + len(events)
    for old, new in zip(before.combatants, after.combatants, strict=True):
        assert 0 <= new.hp <= new.stats.max_hp
        assert 0 <= new.mana <= new.stats.max_mana
        assert 0 <= new.shield <= new.stats.max_hp
        assert new.alive == (new.hp > 0)
        assert old.alive or not new.alive
        assert all(status.turns_left > 0 for status in new.statuses)
        assert all(cooldown.turns_left > 0 for cooldown in new.cooldowns)
    if after.status is BattleStatus.ACTIVE:
        actor = after.combatants[after.active_seq - 1]
        assert actor.alive
        assert actor.kind is CombatantKind.PLAYER
        assert after.turn_order[after.turn_index] == after.active_seq


def check_events(events):
    """The dead do nothing, and nobody dies twice."""
    dead = set()
    for event in events:
        if event.kind in {KINDS.ACTION_USED, KINDS.ITEM_USED, KINDS.GUARDED, KINDS.STUNNED}:
            assert event.actor_seq not in dead
        if event.kind is KINDS.DEFEATED:
            assert event.target_seq not in dead
            dead.add(event.target_seq)
