"""Skills: authored values clamped to what the rules allow, and the starter skills (domain 4.3)."""

from __future__ import annotations

from typing import Final

from actors.domains.domain_types import SkillDef, SkillStatus, SkillTarget, StatusKind
from actors.domains.rules.effects import normalise_status
from actors.module.types import replace

__all__ = ["STARTER_SKILLS", "normalise_skill"]

_COOLDOWN_TURNS_MAX: Final = 6


def normalise_skill(skill: SkillDef) -> SkillDef:
    """The skill within bounds, never cheaper or faster than its effect costs.

    Authored values are clamped, never refused. Normalising twice changes nothing more.
    """
    hits_all = skill.target is SkillTarget.ALL_ENEMIES
    power = min(max(skill.power_permille, 0), 1400 if hits_all else 2500)
    heal = min(max(skill.heal_permille, 0), 500)
    shield = min(max(skill.shield_permille, 0), 400)
    status = normalise_status(skill.status)
    mana_cost = -(-max(0, power - 1000) // 100) + -(-heal // 30) + -(-shield // 30)
    mana_cost += (3 if status else 0) + (4 if hits_all else 0)
    slow, quick = power >= 1800 or heal >= 300, power < 1300
    cooldown_turns = 3 if slow else 1 if quick else 2
    return replace(
        skill,
        power_permille=power,
        heal_permille=heal,
        shield_permille=shield,
        mana_cost=max(skill.mana_cost, mana_cost),
        cooldown_turns=min(max(skill.cooldown_turns, cooldown_turns), _COOLDOWN_TURNS_MAX),
        status=status,
    )


STARTER_SKILLS: Final = (
    SkillDef("power_strike", "Power Strike", SkillTarget.ENEMY, 1600, 0, 0, 8, 2, None),
    SkillDef("mend", "Mend", SkillTarget.SELF, 0, 250, 0, 10, 3, None),
    SkillDef("brace", "Brace", SkillTarget.SELF, 0, 0, 200, 8, 3, None),
    SkillDef(
        "hinder",
        "Hinder",
        SkillTarget.ENEMY,
        700,
        0,
        0,
        6,
        3,
        SkillStatus(StatusKind.WEAKEN, 2, 250, 800),
    ),
)
"""What a role without skills of its own can do."""
