"""Limits of the comparison: how long things are waited for, and how much is under way at once."""

from __future__ import annotations

__all__ = ["INSTALL_SECONDS_MAX", "REQUEST_IDS_MAX"]

INSTALL_SECONDS_MAX = 600.0
"""One run of a package manager."""

REQUEST_IDS_MAX = 125
"""Request ids in use, and so calls in flight of a connection: below 128 all spell them in as many
bytes, and rings of a thousand calls come out even."""
