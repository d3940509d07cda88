"""Limits of the pure rules: sizes and counts that the domain specification fixes."""

from __future__ import annotations

from typing import Final

__all__ = [
    "AFFINITY_HINT_MAX",
    "BACKPACK_SLOTS_MAX",
    "BATTLE_HOSTILES_MAX",
    "BELT_STACKS_MAX",
    "CHAPTERS_MAX",
    "GRANT_AMOUNT_MAX",
    "IDENTIFIER_CHARS_MAX",
    "JSON_DEPTH_MAX",
    "JSON_INTEGER_MAX",
    "JSON_NODES_MAX",
    "LEVEL_MAX",
    "MODEL_FAULTS_MAX",
    "MODEL_LABEL_CHARS_MAX",
    "MODEL_NARRATION_CHARS_MAX",
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

MODEL_NARRATION_CHARS_MAX: Final = 1_200
"""Longest narration of a model (domain 8.3); a longer one is not valid."""

MODEL_LABEL_CHARS_MAX: Final = 40
"""Longest label that a model gives a choice (domain 8.3); a longer one is not valid."""

MODEL_FAULTS_MAX: Final = 8
"""Most faults of one answer that are told; the rest would not help."""

AFFINITY_HINT_MAX: Final = 1
"""What a model may change an npc's affinity by (domain 5.3); more is taken for this."""

JSON_DEPTH_MAX: Final = 16
"""Most levels of objects and arrays in JSON of users (domain 1.9); ``input.json_malformed``."""

JSON_NODES_MAX: Final = 20_000
"""Most values in JSON of users (domain 1.9); ``input.json_malformed``."""

JSON_INTEGER_MAX: Final = 2**53
"""Largest integer in JSON of users, either way (domain 1.9); ``input.json_malformed``."""

TURNS_PER_ACTION_MAX: Final = 1_000
"""More turns than any chain between two player turns can have: a stunned player acts again after
at most eight own turns and at most ten combatants act a round. A longer chain is a defect."""

assert START_LEVEL_MAX < LEVEL_MAX
