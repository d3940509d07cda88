"""Limits of the game's actors: quotas, amounts and list sizes that the domain specification fixes.

What bounds the pure rules is in ``rules/limits.py``.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ARCHIVES_MAX",
    "ARCHIVE_LABEL_CHARS_MAX",
    "ASSETS_LISTED_MAX",
    "BOTTOM_TAB_CHARS_MAX",
    "BROWSE_BATCH_MAX",
    "BROWSE_HISTORY_MAX",
    "BROWSE_LISTED_DEFAULT",
    "CHAPTER_CLEAR_BONUS",
    "CLIENT_STATE_BYTES_MAX",
    "COUNTERS_TOLD_MICROS",
    "CREATOR_BONUS",
    "CREATOR_BONUSES_PER_DAY",
    "DIRECTORY_ARCHIVED_MAX",
    "DISPLAY_NAME_CHARS_MAX",
    "FIXTURE_COPIES_MAX",
    "GALLERY_LISTED_MAX",
    "GALLERY_QUERY_CHARS_MAX",
    "GALLERY_SCANNED_MAX",
    "GALLERY_TOP_LIKED",
    "GALLERY_WORLDS_CACHED_MAX",
    "HEADERS_ARCHIVED_MAX",
    "IMAGE_SRC_CHARS_MAX",
    "LIBRARY_LISTED_MAX",
    "LISTED_ROWS_MAX",
    "LIVE_STORIES_MAX",
    "MEMO_CHARS_MAX",
    "MODERATION_REASON_CHARS_MAX",
    "MUTATION_QUANTITY_MAX",
    "OBJECTS_LOOKED_UP_MAX",
    "OBJECTS_SWEEP_MICROS",
    "OBJECT_ALONE_MICROS_MAX",
    "OBJECT_BYTES_MAX",
    "PROFILES_DELETED_MAX",
    "PROFILES_MAX",
    "REFUSALS_MAX",
    "SIGNUP_BONUS",
    "SNAPSHOT_SLOTS",
    "SOURCE_REF_CHARS_MAX",
    "STORY_BEGIN_SECONDS_MAX",
    "VOLUME_MAX",
    "WALLET_AMOUNT_MAX",
    "WORK_SUBTITLE_CHARS_MAX",
    "WORK_SUMMARY_CHARS_MAX",
    "WORK_TITLE_CHARS_MAX",
]

LIVE_STORIES_MAX: Final = 5
"""Story sessions of one user that are not archived (domain 1.9); ``limit.quota_exceeded``."""

LISTED_ROWS_MAX: Final = 100
"""Most rows that one listing procedure answers (domain 2.4, 2.5); ``input.out_of_range``."""

STORY_BEGIN_SECONDS_MAX: Final = 10
"""How long a caller waits for a story to become active (domain 5.2); then it gets ``starting``."""

DIRECTORY_ARCHIVED_MAX: Final = 200
"""Archived sessions that a user's directory lists; the one longest unused goes first."""

REFUSALS_MAX: Final = 32
"""Refusals of a user that are kept for callers who wait; the oldest goes first."""

ARCHIVES_MAX: Final = 20
"""Save archives of one user (domain 2.6); ``archive.quota_exceeded``."""

ARCHIVE_LABEL_CHARS_MAX: Final = 40
"""Longest label of a save archive (domain 2.6); ``input.text_too_long``."""

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

VOLUME_MAX: Final = 100
"""Loudest volume (domain 2.1); ``runtime.volume_out_of_range``."""

SNAPSHOT_SLOTS: Final = 3
"""Snapshots of one user; slot 0 is saved by the client itself (domain 2.2)."""

BOTTOM_TAB_CHARS_MAX: Final = 32
"""Longest name of a client's tab (domain 2.2)."""

CLIENT_STATE_BYTES_MAX: Final = 65_536
"""Largest JSON of a snapshot (domain 2.2); ``input.payload_too_large``."""

BROWSE_HISTORY_MAX: Final = 100
"""Worlds in one user's history (domain 2.3), where the longest ago goes first; and visits that
wait for the catalog, where one more is refused with ``limit.quota_exceeded``."""

BROWSE_BATCH_MAX: Final = 20
"""Most worlds that one call enters into the history (domain 2.3); ``input.out_of_range``."""

BROWSE_LISTED_DEFAULT: Final = 50
"""Worlds that are listed when the caller does not say how many (domain 2.3)."""

WORK_TITLE_CHARS_MAX: Final = 60
"""Longest name of a work (domain 2.3, 6.1)."""

WORK_SUBTITLE_CHARS_MAX: Final = 120
"""Longest subtitle of a work (domain 2.3, 6.1)."""

WORK_SUMMARY_CHARS_MAX: Final = 400
"""Longest summary of a work (domain 2.3, 6.1)."""

IMAGE_SRC_CHARS_MAX: Final = 512
"""Longest address of an image (domain 2.3, 6.1)."""

assert ARCHIVES_MAX <= LISTED_ROWS_MAX
assert BROWSE_BATCH_MAX <= BROWSE_HISTORY_MAX <= LISTED_ROWS_MAX

FIXTURE_COPIES_MAX: Final = 128
"""Copies of the fixture world that may be published at once; ``input.out_of_range``."""

PROFILES_MAX: Final = 200
"""Library profiles of one user that are not deleted (domain 6.8); ``limit.quota_exceeded``."""

PROFILES_DELETED_MAX: Final = 200
"""Deleted profiles that a library remembers; the one deleted first goes first."""

HEADERS_ARCHIVED_MAX: Final = 200
"""Headers of archived creation sessions of one user; the one longest unchanged goes first."""

LIBRARY_LISTED_MAX: Final = 50
"""Most profiles that one call lists (domain 6.8); ``input.out_of_range``."""

GALLERY_LISTED_MAX: Final = 50
"""Most worlds that one call lists (domain 6.8); ``input.out_of_range``."""

GALLERY_SCANNED_MAX: Final = 1_000
"""Worlds that one call looks at for a filter; then the page ends where it stands, with a cursor."""

GALLERY_QUERY_CHARS_MAX: Final = 40
"""Longest text that worlds are searched for (domain 6.8); ``input.text_too_long``."""

GALLERY_TOP_LIKED: Final = 50
"""Rows of ``gallery_top_liked`` (domain 6.1)."""

GALLERY_WORLDS_CACHED_MAX: Final = 32
"""Published documents that are kept read; the least recently asked for goes first."""

COUNTERS_TOLD_MICROS: Final = 5_000_000
"""Shortest time between two notices of a world's counters to its author (domain 6.9)."""

MODERATION_REASON_CHARS_MAX: Final = 200
"""Longest reason of a moderator (domain 6.8); ``input.text_too_long``."""

CREATOR_BONUS: Final = 1
"""Sparks for the first like of a user (domain 2.5)."""

CREATOR_BONUSES_PER_DAY: Final = 50
"""Likes that one author is paid for in a day of UTC (domain 2.5); further ones pay nothing."""

ASSETS_LISTED_MAX: Final = 50
"""Most objects that one call lists (domain 8.6); ``input.out_of_range``."""

OBJECT_BYTES_MAX: Final = 8_388_608
"""Largest file that is stored (domain 8.6); ``asset.content_length_out_of_range``."""

OBJECTS_SWEEP_MICROS: Final = 86_400_000_000
"""Between two sweeps for files that no row knows (domain 8.5)."""

OBJECT_ALONE_MICROS_MAX: Final = 86_400_000_000
"""Age at which a file without a row is deleted (domain 8.5)."""

OBJECTS_LOOKED_UP_MAX: Final = 200
"""Files that a sweep looks up in one step of the catalog, so that others get their turns."""
