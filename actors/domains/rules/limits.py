"""Limits of the pure rules: sizes and counts that the domain specification fixes."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BACKPACK_SLOTS_MAX",
    "BATTLE_HOSTILES_MAX",
    "BELT_STACKS_MAX",
    "CHAPTERS_MAX",
    "GRANT_AMOUNT_MAX",
    "IDENTIFIER_CHARS_MAX",
    "LEVEL_MAX",
    "OVERFLOW_SLOTS_MAX",
    "ROLE_SKILLS_MAX",
    "START_LEVEL_MAX",
    "TURNS_PER_ACTION_MAX",
]

LEVEL_MAX: Final = 50
"""Highest level of players and hostiles (domain 3.2)."""

GRANT_AMOUNT_MAX: Final = 1_000_000
"""Most experience one grant may ask for (domain 3.9)."""

CHAPTERS_MAX: Final = 24
"""Most chapters of a world (domain 3.4)."""

START_LEVEL_MAX: Final = 30
"""Highest start level of a world (domain 3.4)."""

BATTLE_HOSTILES_MAX: Final = 6
"""Most hostiles of one encounter (domain 3.5, 4.6)."""

BELT_STACKS_MAX: Final = 6
"""Most kinds of consumables a player carries into a battle (domain 4.5)."""

ROLE_SKILLS_MAX: Final = 4
"""Most skills of one role (domain 4.3)."""

BACKPACK_SLOTS_MAX: Final = 40
"""Slots of the backpack (domain 5.4)."""

OVERFLOW_SLOTS_MAX: Final = 20
"""Slots that take what the backpack cannot; quest and key items go beyond (domain 5.4)."""

IDENTIFIER_CHARS_MAX: Final = 160
"""Longest identifier (domain 1.1)."""

TURNS_PER_ACTION_MAX: Final = 1_000
"""More turns than any chain between two player turns can have: a stunned player acts again after
at most eight own turns and at most ten combatants act a round. A longer chain is a defect."""

assert START_LEVEL_MAX < LEVEL_MAX
