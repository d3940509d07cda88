"""Directory entries: which sessions a user has, and thereby whose rows the user's queries read."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from actors.domains.domain_types import ParticipantRole, SessionKind
from actors.domains.kinds import AGENT, STORY, USER
from actors.keys import ActorKey
from actors.module.tables import table
from actors.module.types import Timestamp

__all__ = ["LIVE_STATES", "DirectoryState", "SessionDirectoryEntry", "attached_actor"]


class DirectoryState(IntEnum):
    """Where a session stands for one of its users (domain 1.10)."""

    STARTING = 0
    ACTIVE = 1
    PAUSED = 2
    ARCHIVED = 3


LIVE_STATES = frozenset({DirectoryState.STARTING, DirectoryState.ACTIVE, DirectoryState.PAUSED})
"""States in which a session counts against the quota and its rows are attached (domain 1.6)."""


_ACTORS: Final = {SessionKind.STORY: STORY, SessionKind.AGENT_RPG: AGENT}


def attached_actor(entry: SessionDirectoryEntry) -> ActorKey | None:
    """The actor whose rows the user's queries read because of this entry (domain 1.6)."""
    kind = _ACTORS.get(entry.kind)
    if kind is None or entry.state not in LIVE_STATES:
        return None
    return kind.key(entry.session_key)


@table(
    public=True,
    primary_key="session_key",
    index=["user_id", "kind", "state"],
    actor=USER,
    attaches=attached_actor,
)
class SessionDirectoryEntry:
    """A session of the user (domain 1.10). ``session_key`` is the session's or the run's id."""

    session_key: str
    user_id: str
    kind: SessionKind
    role: ParticipantRole
    state: DirectoryState
    title: str
    world_key: str
    runtime_session_id: str | None
    last_activity_at: Timestamp
    created_at: Timestamp
