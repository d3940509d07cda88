"""Limits of AI tasks: sizes, counts and times that the domain specification fixes (8.1, 8.3)."""

from __future__ import annotations

from typing import Final

__all__ = [
    "ANSWER_CHARS_MAX",
    "ANSWER_TOKENS_MAX",
    "ANSWER_UNHEARD_CHARS_MAX",
    "BROKEN_CHARS_MAX",
    "CHUNKS_KEPT_MICROS",
    "CHUNK_CHARS_MAX",
    "DIGEST_CHARS_MAX",
    "DRAFT_CHARS_MAX",
    "DRAFT_TOKENS_MAX",
    "FAILURE_CHARS_MAX",
    "FALLBACK_CHUNK_CHARS_MAX",
    "HISTORY_CHARS_MAX",
    "HISTORY_EVENTS_MAX",
    "LABEL_CHARS_MAX",
    "REQUEST_BYTES_MAX",
    "STAGES_MAX",
    "STRUCTURED_BYTES_MAX",
    "TASKS_ENDED_MAX",
    "TASKS_LISTED_MAX",
    "TEXT_CHARS_MAX",
    "WARNINGS_MAX",
    "WARNING_CHARS_MAX",
]

STAGES_MAX: Final = 6
"""Most stages of a task, of which it has one at least: ``ai.invalid_stages``."""

LABEL_CHARS_MAX: Final = 60
"""Longest label of a task or a reference: ``input.text_too_long``."""

REQUEST_BYTES_MAX: Final = 32_768
"""Largest JSON of what a task is asked: ``input.payload_too_large``."""

STRUCTURED_BYTES_MAX: Final = 65_536
"""Largest JSON of a result: ``input.payload_too_large``."""

TEXT_CHARS_MAX: Final = 16_000
"""Longest text of a stage. A chunk beyond it is cut, and the stage completes with a warning."""

CHUNK_CHARS_MAX: Final = 2_048
"""Longest text of one chunk: ``input.text_too_long``."""

CHUNKS_KEPT_MICROS: Final = 10 * 60 * 1_000_000
"""Chunks go so long after their stage is final; the text lives on in the stage."""

WARNINGS_MAX: Final = 16
"""Warnings of one stage; the rest is not kept."""

WARNING_CHARS_MAX: Final = 200
"""Longest warning; a longer one is cut."""

FAILURE_CHARS_MAX: Final = 200
"""Longest failure message; a longer one is cut."""

TASKS_ENDED_MAX: Final = 50
"""Ended tasks that an actor keeps, with all that belongs to them; the oldest goes first. What they
came to is elsewhere: a story's events keep their texts, and the id of a task that has gone."""

TASKS_LISTED_MAX: Final = 50
"""Most tasks that one call lists: ``input.out_of_range``."""

DIGEST_CHARS_MAX: Final = 6_000
"""Longest digest of a world in a prompt (domain 8.3); its least important part is cut."""

HISTORY_CHARS_MAX: Final = 8_000
"""Most characters of what was told before in a prompt (domain 8.3); the oldest goes first."""

HISTORY_EVENTS_MAX: Final = 12
"""Most events that were told before in a prompt (domain 8.3)."""

BROKEN_CHARS_MAX: Final = 4_000
"""Most characters of a broken answer that are sent back for repair; the rest is cut."""

ANSWER_TOKENS_MAX: Final = 2_000
"""What a model may write for one turn: enough for the longest narration, in any language."""

ANSWER_CHARS_MAX: Final = 16_000
"""A model's answer that is longer is not listened to any more."""

ANSWER_UNHEARD_CHARS_MAX: Final = 400
"""An answer that nobody sees is reported on whenever it has grown so much, to keep the lease."""

DRAFT_TOKENS_MAX: Final = 16_000
"""What a model may write for a whole world."""

DRAFT_CHARS_MAX: Final = 60_000
"""A draft that is longer is not listened to any more."""

FALLBACK_CHUNK_CHARS_MAX: Final = 120
"""A reply that no model gave comes in chunks of so many characters (domain 11.4)."""

assert FALLBACK_CHUNK_CHARS_MAX <= CHUNK_CHARS_MAX <= TEXT_CHARS_MAX
