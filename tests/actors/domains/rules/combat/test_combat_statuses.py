import pytest
from battles import active, foe, hero

from actors.domains.domain_types import SkillStatus, StatusInstance, StatusKind
from actors.domains.rules.combat import BattleEventKind
from actors.domains.rules.combat.arena import Arena
from actors.domains.rules.combat.statuses import (
    apply_status,
    begin_turn,
    end_turn,
    roll_status,
)
from actors.module.types import replace

KINDS = BattleEventKind


def status(kind, turns=2, potency=100, source=2):
    return StatusInstance(kind, turns, potency, source)


def arena_with(*statuses, **fields):
    """An arena whose fighter 1 has lasting effects."""
    return Arena(active(changes={1: {"statuses": list(statuses), **fields}}))


def put(kind, turns=2, potency=100, chance=1000):
    return SkillStatus(kind, turns, potency, chance)


def stats_of(*statuses):
    arena = arena_with(*statuses)
    fighter = arena.fighters[1]
    fighter.stats = replace(fighter.stats, attack=100, defense=100, speed=100)
    return fighter.attack, fighter.defense, fighter.speed


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({}, (100, 100, 100)),
        ({StatusKind.WEAKEN: 255}, (74, 100, 100)),
        ({StatusKind.FORTIFY: 250}, (100, 125, 100)),
        ({StatusKind.HASTE: 300, StatusKind.SLOW: 100}, (100, 100, 120)),
        ({StatusKind.WEAKEN: 900, StatusKind.FORTIFY: 900}, (40, 160, 100)),
        ({StatusKind.SLOW: 900}, (100, 100, 40)),
    ],
)
def test_effective_stats(kinds, expected):
    assert stats_of(*(status(kind, 2, potency) for kind, potency in kinds.items())) == expected


def test_dots_ignore_shield_and_act_in_order():
    arena = arena_with(
        status(StatusKind.BLEED, potency=1),
        status(StatusKind.BURN, potency=50),
        status(StatusKind.REGEN, potency=100),
        hp=50,
        shield=21,
    )
    fighter = arena.fighters[1]
    assert begin_turn(arena, fighter)
    assert [(event.detail_key, event.amount) for event in arena.events] == [
        ("regen", 17),
        ("burn", 8),
        ("bleed", 1),
    ]
    assert (fighter.hp, fighter.shield) == (50 + 17 - 9, 10)


def test_a_dot_can_kill_and_then_no_other_acts():
    arena = arena_with(status(StatusKind.BURN, potency=80), status(StatusKind.POISON), hp=5)
    fighter = arena.fighters[1]
    assert not begin_turn(arena, fighter)
    assert not fighter.alive
    assert [event.kind for event in arena.events] == [KINDS.DOT_TICK, KINDS.DEFEATED]


def test_guard_lasts_until_the_own_next_turn():
    arena = arena_with()
    fighter = arena.fighters[1]
    apply_status(arena, fighter, fighter, put(StatusKind.GUARD, 1))
    end_turn(arena, fighter)
    assert StatusKind.GUARD in fighter.statuses
    assert begin_turn(arena, fighter)
    assert StatusKind.GUARD not in fighter.statuses


def test_a_stun_takes_a_turn_and_leaves_immunity_for_one():
    arena = arena_with()
    fighter, other = arena.fighters[1], arena.fighters[2]
    apply_status(arena, other, fighter, put(StatusKind.STUN, 1))
    apply_status(arena, other, fighter, put(StatusKind.STUN, 4))
    assert fighter.statuses[StatusKind.STUN].turns_left == 1
    assert not begin_turn(arena, fighter)
    end_turn(arena, fighter)
    apply_status(arena, other, fighter, put(StatusKind.STUN, 1))
    assert StatusKind.STUN not in fighter.statuses
    assert begin_turn(arena, fighter)
    end_turn(arena, fighter)
    apply_status(arena, other, fighter, put(StatusKind.STUN, 1))
    assert StatusKind.STUN in fighter.statuses


def test_the_same_kind_refreshes_to_the_larger():
    arena = arena_with(status(StatusKind.BURN, 3, 20), status(StatusKind.POISON, 1, 10))
    fighter, other = arena.fighters[1], arena.fighters[2]
    apply_status(arena, other, fighter, put(StatusKind.BURN, 1, 50))
    assert list(fighter.statuses.values()) == [
        status(StatusKind.BURN, 3, 50),
        status(StatusKind.POISON, 1, 10),
    ]


def test_a_status_on_oneself_is_not_shortened_by_the_running_turn():
    arena = arena_with()
    fighter, other = arena.fighters[1], arena.fighters[2]
    apply_status(arena, fighter, fighter, put(StatusKind.HASTE, 2))
    apply_status(arena, fighter, other, put(StatusKind.SLOW, 2))
    end_turn(arena, fighter)
    assert fighter.statuses[StatusKind.HASTE].turns_left == 2
    assert other.statuses[StatusKind.SLOW].turns_left == 2


def test_a_turn_ends_with_what_ran_out():
    arena = arena_with(status(StatusKind.MARK, 1), status(StatusKind.SLOW, 2), mana=29)
    fighter = arena.fighters[1]
    fighter.cooldowns = {"mend": 1, "brace": 3}
    end_turn(arena, fighter)
    assert list(fighter.statuses.values()) == [status(StatusKind.SLOW, 1)]
    assert fighter.cooldowns == {"brace": 2}
    assert fighter.mana == 30
    assert [(event.kind, event.detail_key) for event in arena.events] == [
        (KINDS.STATUS_EXPIRED, "mark")
    ]


def test_the_dead_take_no_status():
    arena = Arena(active([hero()], [foe()], changes={2: {"hp": 0, "alive": False}}))
    apply_status(arena, arena.fighters[1], arena.fighters[2], put(StatusKind.BURN))
    assert arena.fighters[2].statuses == {}
    assert arena.events == []


@pytest.mark.parametrize(("chance", "drawn"), [(1000, 0), (999, 1), (0, 1)])
def test_a_certain_status_draws_nothing(chance, drawn):
    arena = arena_with()
    twin = Arena(arena.battle).rng
    for _ in range(drawn):
        twin.next_u64()
    roll_status(arena, arena.fighters[2], arena.fighters[1], put(StatusKind.BURN, chance=chance))
    assert arena.rng.state == twin.state
    assert (StatusKind.BURN in arena.fighters[1].statuses) == (chance > 0)
