"""Limits of what operators leave behind, each with what happens beyond it."""

from __future__ import annotations

__all__ = [
    "ANNOUNCEMENT_CHARS_MAX",
    "ARCHIVE_RECORDS",
    "AUDIT_RECORDS_MAX",
    "BANS_MAX",
    "PENDING_MAX",
]

AUDIT_RECORDS_MAX = 1_024
"""Audit records that the operations actor keeps itself; with more, the oldest go to an archive."""

ARCHIVE_RECORDS = 256
"""Audit records of one archive, and of the message that brings them there."""

PENDING_MAX = 256
"""Commands that have begun and not ended; one more is refused with ``limit.quota_exceeded``."""

BANS_MAX = 100_000
"""Users who are banned at the same time; one more is refused with ``limit.quota_exceeded``."""

ANNOUNCEMENT_CHARS_MAX = 2_000
"""Characters of an announcement; a longer one is refused with ``limit.text_too_long``."""

assert ARCHIVE_RECORDS < AUDIT_RECORDS_MAX
