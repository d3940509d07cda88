"""What a combatant without a user does with its turn (domain 4.4)."""

from __future__ import annotations

from typing import NamedTuple

from actors.domains.domain_types import SkillDef, SkillTarget
from actors.domains.rules.combat.arena import Arena, Fighter
from actors.domains.rules.combat.attack import basic_attack, use_skill

__all__ = ["Decision", "ai_choose", "take_ai_turn"]


class Decision(NamedTuple):
    """A skill, or the basic attack when None, and whom it is aimed at."""

    skill: SkillDef | None
    target: Fighter


def ai_choose(arena: Arena, fighter: Fighter) -> Decision:
    """Decide for a fighter with at least one living opponent.

    Draws: one always; one or two more only to choose between several opponents.
    """
    draw = arena.rng.permille()
    usable = [skill for skill in fighter.row.skills if fighter.is_ready(skill)]
    if fighter.hp * 1000 < fighter.stats.max_hp * 300:
        for skill in usable:
            if _recovers(skill):
                return Decision(skill, fighter)
    if draw < 400:
        for skill in usable:
            if skill.target is SkillTarget.ALL_ENEMIES:
                return Decision(skill, arena.opponents(fighter)[0])
            if skill.target is SkillTarget.ENEMY:
                return Decision(skill, _choose_target(arena, fighter))
    return Decision(None, _choose_target(arena, fighter))


def take_ai_turn(arena: Arena, fighter: Fighter) -> None:
    """Decide and act."""
    decision = ai_choose(arena, fighter)
    if decision.skill is None:
        basic_attack(arena, fighter, decision.target)
    else:
        use_skill(arena, fighter, decision.skill, decision.target)


def _recovers(skill: SkillDef) -> bool:
    return skill.target in {SkillTarget.SELF, SkillTarget.ALLY} and bool(
        skill.heal_permille or skill.shield_permille
    )


def _choose_target(arena: Arena, fighter: Fighter) -> Fighter:
    opponents = arena.opponents(fighter)
    if len(opponents) == 1:
        return opponents[0]
    if arena.rng.permille() < 600:
        return min(opponents, key=lambda one: (one.hp * 1000 // one.stats.max_hp, one.seq))
    return opponents[arena.rng.below(len(opponents))]
