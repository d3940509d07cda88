"""Limits of the game's actors: quotas, amounts and list sizes that the domain specification fixes.

What bounds the pure rules is in ``rules/limits.py``.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CHAPTER_CLEAR_BONUS",
    "DISPLAY_NAME_CHARS_MAX",
    "LISTED_ROWS_MAX",
    "LIVE_STORIES_MAX",
    "MEMO_CHARS_MAX",
    "MUTATION_QUANTITY_MAX",
    "SIGNUP_BONUS",
    "SOURCE_REF_CHARS_MAX",
    "STORY_BEGIN_SECONDS_MAX",
    "WALLET_AMOUNT_MAX",
]

LIVE_STORIES_MAX: Final = 5
"""Story sessions of one user that are not archived (domain 1.9); ``limit.quota_exceeded``."""

LISTED_ROWS_MAX: Final = 100
"""Most rows that one listing procedure answers (domain 2.4, 2.5); ``input.out_of_range``."""

STORY_BEGIN_SECONDS_MAX: Final = 10
"""How long a caller waits for a story to become active (domain 5.2); then it gets ``starting``."""

SIGNUP_BONUS: Final = 200
"""Sparks for a new account (domain 1.11)."""

CHAPTER_CLEAR_BONUS: Final = 10
"""Sparks for each chapter, once for each user (domain 2.5)."""

WALLET_AMOUNT_MAX: Final = 1_000_000
"""Most sparks that one ledger entry moves (domain 2.5); ``wallet.amount_out_of_range``."""

MEMO_CHARS_MAX: Final = 120
"""Longest memo of a ledger entry (domain 2.5)."""

MUTATION_QUANTITY_MAX: Final = 10_000
"""Most items that one inventory mutation adds or takes; ``inventory.quantity_out_of_range``."""

DISPLAY_NAME_CHARS_MAX: Final = 40
"""Longest display name (domain 1.10); a longer one of an issuer is cut."""

SOURCE_REF_CHARS_MAX: Final = 120
"""Longest source reference or entry key: with a user id before it, it is an id still."""
