"""Limits of the pure rules: sizes and counts that the domain specification fixes."""

from __future__ import annotations

from typing import Final

__all__ = [
    "AFFINITY_HINT_MAX",
    "ANCHOR_CHARS_MAX",
    "BACKPACK_SLOTS_MAX",
    "BATTLE_HOSTILES_MAX",
    "BELT_STACKS_MAX",
    "CARD_PAYLOAD_BYTES_MAX",
    "CHAPTERS_MAX",
    "CURSOR_CHARS_MAX",
    "DESCRIPTION_CHARS_MIN",
    "FINDINGS_LISTED_MAX",
    "FINDING_CHARS_MAX",
    "GRANT_AMOUNT_MAX",
    "IDENTIFIER_CHARS_MAX",
    "IMAGE_BYTES_MAX",
    "IMAGE_PROMPT_CHARS_MAX",
    "IMAGE_SIDE_MAX",
    "IMAGE_SIDE_MIN",
    "IMAGE_SOURCE_CHARS_MAX",
    "IMAGE_TITLE_CHARS_MAX",
    "ITEM_QUANTITY_MAX",
    "JSON_DEPTH_MAX",
    "JSON_INTEGER_MAX",
    "JSON_NODES_MAX",
    "LEVEL_MAX",
    "MODEL_FAULTS_MAX",
    "MODEL_LABEL_CHARS_MAX",
    "MODEL_NARRATION_CHARS_MAX",
    "MODEL_REPLY_CHARS_MAX",
    "NPCS_MIN",
    "OPENING_CHARS_MAX",
    "OVERFLOW_SLOTS_MAX",
    "PREMISE_CHARS_MIN",
    "PUBLISHED_WORKS_MAX",
    "QUALITY_SCORE_MIN",
    "ROLE_SKILLS_MAX",
    "SCENES_PER_CHAPTER_MIN",
    "START_LEVEL_MAX",
    "SUGGESTED_REPLIES_MAX",
    "TURNS_PER_ACTION_MAX",
    "UPLOAD_BYTES_MAX",
    "WORLD_DOCUMENT_BYTES_MAX",
    "WORLD_NAME_CHARS_MIN",
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

CURSOR_CHARS_MAX: Final = 1_024
"""Longest cursor of a list that is read; three values of the longest kind take less."""

IDENTIFIER_CHARS_MAX: Final = 160
"""Longest identifier (domain 1.1)."""

IMAGE_BYTES_MAX: Final = 8 * 1024 * 1024
"""Largest file that a model may make of an image (domain 8.4); a larger one is not kept."""

IMAGE_PROMPT_CHARS_MAX: Final = 600
"""Longest prompt of an image (domain 8.4); ``input.text_too_long``."""

IMAGE_SIDE_MIN: Final = 64
"""Shortest side of an image in pixels (domain 8.4); ``asset.unsupported_media``."""

IMAGE_SIDE_MAX: Final = 4_096
"""Longest side of an image in pixels (domain 8.4); ``asset.unsupported_media``."""

IMAGE_TITLE_CHARS_MAX: Final = 24
"""Longest title on a drawn image (domain 8.4); longer ones are cut."""

MODEL_NARRATION_CHARS_MAX: Final = 1_200
"""Longest narration of a model (domain 8.3); a longer one is not valid."""

MODEL_LABEL_CHARS_MAX: Final = 40
"""Longest label that a model gives a choice (domain 8.3); a longer one is not valid."""

MODEL_REPLY_CHARS_MAX: Final = 2_000
"""Longest reply of a model to an author (domain 8.3); a longer one is not valid."""

MODEL_FAULTS_MAX: Final = 8
"""Most faults of one answer that are told; the rest would not help."""

AFFINITY_HINT_MAX: Final = 1
"""What a model may change an npc's affinity by (domain 5.3); more is taken for this."""

ANCHOR_CHARS_MAX: Final = 400
"""Longest text of an anchor (domain 7.1); more of a sentence is cut."""

SUGGESTED_REPLIES_MAX: Final = 4
"""Most replies that a creation session suggests (domain 7.1)."""

JSON_DEPTH_MAX: Final = 16
"""Most levels of objects and arrays in JSON of users (domain 1.9); ``input.json_malformed``."""

JSON_NODES_MAX: Final = 20_000
"""Most values in JSON of users (domain 1.9); ``input.json_malformed``."""

JSON_INTEGER_MAX: Final = 2**53
"""Largest integer in JSON of users, either way (domain 1.9); ``input.json_malformed``."""

WORLD_DOCUMENT_BYTES_MAX: Final = 1_048_576
"""Longest world document (domain 6.2); a longer one is malformed, or blocks its world."""

CARD_PAYLOAD_BYTES_MAX: Final = 16_384
"""Longest payload of a draft card (domain 7.1)."""

IMAGE_SOURCE_CHARS_MAX: Final = 512
"""Longest address of an image (domain 6.1)."""

ITEM_QUANTITY_MAX: Final = 9_999
"""Most of one item that an author may grant or drop at once: the largest stack (domain 5.4)."""

WORLD_NAME_CHARS_MIN: Final = 2
"""Shortest name of a world (domain 6.5); a shorter one blocks it."""

PREMISE_CHARS_MIN: Final = 40
"""Shortest premise of a world (domain 6.5); a shorter one blocks it."""

DESCRIPTION_CHARS_MIN: Final = 30
"""Shortest description of roles, npcs and scenes that is not warned of (domain 6.5)."""

NPCS_MIN: Final = 3
"""Fewest npcs that are not warned of (domain 6.5)."""

SCENES_PER_CHAPTER_MIN: Final = 2
"""Fewest scenes of a chapter, on average, that are not warned of (domain 6.5)."""

FINDINGS_LISTED_MAX: Final = 5
"""Most findings about missing images of one kind (domain 6.5); the rest would tell nothing new."""

FINDING_CHARS_MAX: Final = 200
"""Longest message of a finding (domain 6.5); longer ones are shortened."""

OPENING_CHARS_MAX: Final = 400
"""Longest opening text of a preview (domain 6.4); the rest is cut."""

QUALITY_SCORE_MIN: Final = 400
"""Lowest quality score that may be published (domain 6.6, PG10)."""

PUBLISHED_WORKS_MAX: Final = 50
"""Most published works of one author (domain 6.6, PG08)."""

UPLOAD_BYTES_MAX: Final = 5 * 1024 * 1024
"""Largest image that a user may send (domain 8.4); ``input.payload_too_large``."""

TURNS_PER_ACTION_MAX: Final = 1_000
"""More turns than any chain between two player turns can have: a stunned player acts again after
at most eight own turns and at most ten combatants act a round. A longer chain is a defect."""

assert START_LEVEL_MAX < LEVEL_MAX
assert IMAGE_SIDE_MIN < IMAGE_SIDE_MAX
assert UPLOAD_BYTES_MAX <= IMAGE_BYTES_MAX
