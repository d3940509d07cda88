"""Limits of the facade: how much one answer holds, and how long a stream waits."""

from __future__ import annotations

from typing import Final

__all__ = ["PAGE_ROWS_DEFAULT", "PAGE_ROWS_MAX", "PIECE_CHARS_MAX", "STREAM_WAIT_SECONDS"]

PAGE_ROWS_DEFAULT: Final = 20
"""Entries of a page whose size the client does not name (domain 11.1)."""

PAGE_ROWS_MAX: Final = 100
"""Most entries of a page of a user's own rows; ``input.out_of_range``."""

STREAM_WAIT_SECONDS: Final = 3600
"""How long a stream waits for a commit before it asks again; commits wake it, not time."""

PIECE_CHARS_MAX: Final = 120
"""Longest piece of a reply that no model wrote (domain 11.4)."""
