"""Kinds of actors that keep what operators do, and the role that their functions need."""

from __future__ import annotations

from typing import Final

from actors import ActorKind, Audience

__all__ = ["ARCHIVE", "CANARY", "OPERATIONS", "OPERATIONS_ROLE"]

OPERATIONS: Final = ActorKind("operations")
"""The one actor of bans, announcements and the newest audit records."""

ARCHIVE: Final = ActorKind("operations_archive", Audience.ATTACHED)
"""Actors of older audit records, named by the number of their first; nobody attaches them."""

CANARY: Final = ActorKind("operations_canary")
"""The one actor that is written to again and again; on its own, so that it delays nobody."""

OPERATIONS_ROLE: Final = "operations"
"""The role of the server's own calls. It is none of those that tokens are read for."""
