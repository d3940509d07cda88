"""Attacks and skills: hits, damage, healing and shields, with every draw in order (domain 4.4)."""

from __future__ import annotations

from typing import Final

from actors.domains.domain_types import SkillDef, SkillTarget, StatusKind
from actors.domains.rules.combat.arena import Arena, Fighter
from actors.domains.rules.combat.state import BattleEventKind
from actors.domains.rules.combat.statuses import roll_status

__all__ = [
    "BASIC_ATTACK",
    "add_shield",
    "basic_attack",
    "hit_permille",
    "resolve_attack",
    "use_skill",
]

BASIC_ATTACK: Final = "basic_attack"
_BASIC_POWER_PERMILLE: Final = 1000


def hit_permille(attacker: Fighter, defender: Fighter) -> int:
    """How likely an attack lands."""
    return min(max(940 + attacker.speed - defender.speed, 700), 990)


def resolve_attack(
    arena: Arena, attacker: Fighter, defender: Fighter, power_permille: int, cause: str
) -> bool:
    """One attack on one target.

    Draws: hit; and when it lands, variance and crit. A miss draws nothing more, and neither does
    an attack without power, which only carries a status.

    Returns:
        Whether it landed.
    """
    draw = arena.rng.permille()
    if draw >= hit_permille(attacker, defender) and StatusKind.STUN not in defender.statuses:
        arena.emit(BattleEventKind.MISS, attacker.seq, defender.seq, 0, cause)
        return False
    if power_permille == 0:
        return True
    damage = attacker.attack * power_permille // 1000 * 100 // (100 + defender.defense)
    damage = max(1, max(1, damage) * (950 + arena.rng.below(101)) // 1000)
    kind = BattleEventKind.HIT
    if arena.rng.permille() < attacker.stats.crit_permille:
        kind = BattleEventKind.CRIT
        damage = damage * 1500 // 1000
    if StatusKind.MARK in defender.statuses:
        damage = damage * 1250 // 1000
    if StatusKind.GUARD in defender.statuses:
        damage = max(1, damage * 500 // 1000)
    arena.emit(kind, attacker.seq, defender.seq, damage, cause)
    absorbed = min(damage, defender.shield)
    defender.shield -= absorbed
    arena.lose_hp(defender, damage - absorbed, attacker.seq, cause)
    return True


def basic_attack(arena: Arena, attacker: Fighter, defender: Fighter) -> None:
    """The attack that everyone has."""
    arena.emit(BattleEventKind.ACTION_USED, attacker.seq, defender.seq, 0, BASIC_ATTACK)
    resolve_attack(arena, attacker, defender, _BASIC_POWER_PERMILLE, BASIC_ATTACK)


def use_skill(arena: Arena, user: Fighter, skill: SkillDef, target: Fighter) -> None:
    """Use a ready skill.

    Power strikes enemies, heal and shield go to friends: to the target of a friendly skill, to the
    user of a hostile one. A status goes where the skill is aimed.

    Args:
        arena: the battle.
        user: who acts; pays mana if it is a player.
        skill: ready.
        target: whom it is aimed at; any living enemy for a skill that hits all of them.
    """
    paid = skill.mana_cost if user.pays_mana else 0
    user.mana -= paid
    # One more than the skill says: the end of this very turn counts one down.
    user.cooldowns[skill.skill_id] = skill.cooldown_turns + 1
    arena.emit(BattleEventKind.ACTION_USED, user.seq, target.seq, paid, skill.skill_id)
    if skill.target in {SkillTarget.SELF, SkillTarget.ALLY}:
        friend = target
        if skill.status is not None:
            roll_status(arena, user, target, skill.status)
    else:
        friend = user
        hits_all = skill.target is SkillTarget.ALL_ENEMIES
        for enemy in arena.opponents(user) if hits_all else [target]:
            landed = resolve_attack(arena, user, enemy, skill.power_permille, skill.skill_id)
            if landed and skill.status is not None:
                roll_status(arena, user, enemy, skill.status)
    if skill.heal_permille:
        points = friend.stats.max_hp * skill.heal_permille // 1000
        arena.gain_hp(friend, points, user.seq, skill.skill_id)
    if skill.shield_permille:
        add_shield(arena, user, friend, skill.shield_permille, skill.skill_id)


def add_shield(
    arena: Arena, source: Fighter, target: Fighter, shield_permille: int, cause: str
) -> None:
    """Add shield points, at most the target's maximum hp in all."""
    points = target.stats.max_hp * shield_permille // 1000
    gained = min(points, target.stats.max_hp - target.shield)
    target.shield += gained
    arena.emit(BattleEventKind.SHIELD, source.seq, target.seq, gained, cause)
