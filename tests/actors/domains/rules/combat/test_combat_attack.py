import pytest
from battles import active, foe, hero

from actors.domains.domain_types import (
    SkillCooldown,
    SkillDef,
    SkillStatus,
    SkillTarget,
    StatusInstance,
    StatusKind,
)
from actors.domains.rules.combat import BattleEventKind
from actors.domains.rules.combat.arena import Arena
from actors.domains.rules.combat.attack import hit_permille, resolve_attack, use_skill
from actors.domains.rules.combat.decision import ai_choose
from actors.module.types import replace
from actors.rng import SplitMix64

KINDS = BattleEventKind
NIP = SkillDef("nip", "Nip", SkillTarget.ENEMY, 1200, 0, 0, 2, 1, None)
HOWL = SkillDef("howl", "Howl", SkillTarget.ALL_ENEMIES, 900, 0, 0, 4, 1, None)
LICK = SkillDef("lick", "Lick", SkillTarget.SELF, 0, 200, 0, 7, 1, None)
HIDE = SkillDef("hide", "Hide", SkillTarget.SELF, 0, 0, 200, 7, 1, None)


def drawing(*wanted):
    """A seed whose first permille draws lie in the ranges given."""
    for seed in range(1_000_000):
        rng = SplitMix64(seed)
        if all(low <= rng.permille() < high for low, high in wanted):
            return seed
    raise AssertionError("no such seed")


def duel(seed, *, attacker=None, defender=None):
    arena = Arena(active(seed=seed, changes={1: attacker or {}, 2: defender or {}}))
    return arena, arena.fighters[1], arena.fighters[2]


def drawn(arena):
    """How many draws the arena has taken."""
    rng, count = SplitMix64(arena.battle.rng_state), 0
    while rng.state != arena.rng.state:
        rng.next_u64()
        count += 1
    return count


def on(kind, potency=500):
    return {"statuses": [StatusInstance(kind, 2, potency, 1)]}


# hit; variance 500 permille of 101 = 50, so 1000 permille; no crit
PLAIN = drawing((0, 900), (500, 501), (500, 1000))
CRIT = drawing((0, 900), (500, 501), (0, 50))
MISS = drawing((990, 1000))


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [((100, 100), 940), ((130, 100), 970), ((300, 50), 990), ((50, 300), 700)],
)
def test_hit_chances(speeds, expected):
    _, attacker, defender = duel(0)
    attacker.stats = replace(attacker.stats, speed=speeds[0])
    defender.stats = replace(defender.stats, speed=speeds[1])
    assert hit_permille(attacker, defender) == expected


@pytest.mark.parametrize(
    ("seed", "power", "defender", "kind", "damage"),
    [
        (PLAIN, 1000, {}, KINDS.HIT, 16),
        (PLAIN, 1600, {}, KINDS.HIT, 26),
        (CRIT, 1000, {}, KINDS.CRIT, 24),
        (PLAIN, 1000, on(StatusKind.MARK), KINDS.HIT, 20),
        (PLAIN, 1000, on(StatusKind.GUARD), KINDS.HIT, 8),
        (CRIT, 1000, on(StatusKind.FORTIFY, 500), KINDS.CRIT, 24),
        (PLAIN, 1, {}, KINDS.HIT, 1),
        (PLAIN, 1, on(StatusKind.GUARD), KINDS.HIT, 1),
    ],
)
def test_damage(seed, power, defender, kind, damage):
    arena, one, other = duel(seed, defender=defender)
    assert resolve_attack(arena, one, other, power, "x")
    assert (arena.events[0].kind, arena.events[0].amount) == (kind, damage)
    assert other.hp == 80 - damage
    assert drawn(arena) == 3


@pytest.mark.parametrize(("draw", "damage"), [(0, 894), (500, 942), (999, 989)])
def test_variance(draw, damage):
    # 999 attack on 6 defense is 942 before the variance of 950 to 1050 permille.
    arena, one, other = duel(drawing((0, 900), (draw, draw + 1), (500, 1000)))
    one.stats = replace(one.stats, attack=999)
    other.hp = 9999
    resolve_attack(arena, one, other, 1000, "x")
    assert arena.events[0].amount == damage


def test_shields_take_damage_first():
    arena, one, other = duel(PLAIN, defender={"shield": 10})
    resolve_attack(arena, one, other, 1000, "x")
    assert (other.shield, other.hp) == (0, 74)
    arena, one, other = duel(PLAIN, defender={"shield": 30})
    resolve_attack(arena, one, other, 1000, "x")
    assert (other.shield, other.hp) == (14, 80)


def test_a_miss_draws_once():
    arena, one, other = duel(MISS)
    assert not resolve_attack(arena, one, other, 1000, "x")
    assert (arena.events[0].kind, other.hp, drawn(arena)) == (KINDS.MISS, 80, 1)


def test_the_stunned_are_always_hit_and_the_draw_is_still_taken():
    arena, one, other = duel(MISS, defender=on(StatusKind.STUN))
    assert resolve_attack(arena, one, other, 1000, "x")
    assert drawn(arena) == 3


def test_an_attack_without_power_only_lands():
    arena, one, other = duel(PLAIN)
    assert resolve_attack(arena, one, other, 0, "x")
    assert (other.hp, drawn(arena), arena.events) == (80, 1, [])


def test_a_status_needs_a_hit():
    sting = SkillDef(
        "sting",
        "Sting",
        SkillTarget.ENEMY,
        700,
        0,
        0,
        6,
        1,
        SkillStatus(StatusKind.SLOW, 2, 9, 500),
    )
    arena, one, other = duel(MISS)
    use_skill(arena, one, sting, other)
    assert (other.statuses, drawn(arena)) == ({}, 1)
    arena, one, other = duel(drawing((0, 900), (500, 501), (500, 1000), (0, 500)))
    use_skill(arena, one, sting, other)
    assert (list(other.statuses), drawn(arena)) == ([StatusKind.SLOW], 4)


def test_what_a_hostile_skill_gives_goes_to_its_user():
    drain = SkillDef("drain", "Drain", SkillTarget.ENEMY, 1000, 100, 100, 9, 1, None)
    arena, one, other = duel(PLAIN, attacker={"hp": 100})
    use_skill(arena, one, drain, other)
    assert (one.hp, one.shield, other.shield) == (117, 17, 0)


def choice(seed, skills, hostile=None, players=1):
    allies = [hero(user_id=f"u_{index}") for index in range(players)]
    changes = {players + 1: hostile or {}, 2: {"hp": 5}} if players > 1 else {2: hostile or {}}
    arena = Arena(active(allies, [foe(skills=skills)], seed=seed, changes=changes))
    decision = ai_choose(arena, arena.fighters[players + 1])
    skill = decision.skill.skill_id if decision.skill else None
    return skill, decision.target.seq, drawn(arena)


LOW, HIGH = drawing((0, 400), (0, 600)), drawing((400, 1000), (0, 600))


@pytest.mark.parametrize(
    ("seed", "skills", "hostile", "expected"),
    [
        (HIGH, [NIP], {}, None),
        (LOW, [NIP], {}, "nip"),
        (LOW, [LICK, NIP, HOWL], {}, "nip"),
        (LOW, [HOWL, NIP], {}, "howl"),
        (LOW, [LICK], {}, None),
        (HIGH, [NIP, LICK, HIDE], {"hp": 23}, "lick"),
        (HIGH, [HIDE, LICK], {"hp": 23}, "hide"),
        (HIGH, [LICK], {"hp": 24}, None),
        (LOW, [NIP], {"hp": 23}, "nip"),
        (LOW, [NIP, HOWL], {"cooldowns": [("nip", 1)]}, "howl"),
        (HIGH, [LICK], {"hp": 23, "cooldowns": [("lick", 1)]}, None),
    ],
)
def test_choices_of_the_ai(seed, skills, hostile, expected):
    if "cooldowns" in hostile:
        hostile = {**hostile, "cooldowns": [SkillCooldown(*one) for one in hostile["cooldowns"]]}
    skill, target, draws = choice(seed, skills, hostile)
    assert (skill, draws) == (expected, 1)
    assert target == (2 if expected in {"lick", "hide"} else 1)


def test_the_ai_uses_skills_below_four_hundred():
    assert choice(drawing((399, 400)), [NIP])[0] == "nip"
    assert choice(drawing((400, 401)), [NIP])[0] is None


def test_the_ai_goes_for_the_weakest_below_six_hundred():
    assert choice(drawing((400, 1000), (599, 600)), [], players=3)[1:] == (2, 2)
    assert choice(drawing((400, 1000), (600, 601), (900, 1000)), [], players=3)[1:] == (3, 3)


def test_the_ai_draws_for_a_target_among_several():
    weakest = drawing((400, 1000), (0, 600))
    anyone = drawing((400, 1000), (600, 1000), (0, 333))
    assert choice(weakest, [], players=3) == (None, 2, 2)
    assert choice(anyone, [], players=3) == (None, 1, 3)
    assert choice(LOW, [HOWL], players=3) == ("howl", 1, 1)
