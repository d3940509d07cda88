"""Snapshots: what a client needs to resume where it was; never the truth of the game (domain 2.2).

A snapshot is the state of a user interface, and a pointer to a story session.
"""

from __future__ import annotations

from actors.domains.domain_types import SessionKind
from actors.domains.kinds import USER
from actors.domains.limits import BOTTOM_TAB_CHARS_MAX, CLIENT_STATE_BYTES_MAX, SNAPSHOT_SLOTS
from actors.domains.rules.canonical_json import read_json, write_json
from actors.domains.rules.ids import content_hash, derived_id
from actors.domains.rules.text import check_id, clean_text
from actors.domains.runtime.directory_entry import SessionDirectoryEntry
from actors.errors import ReducerError
from actors.module.context import ReducerContext, ViewContext
from actors.module.functions import procedure, reducer
from actors.module.tables import table
from actors.module.types import Timestamp, struct, u32

__all__ = [
    "RuntimeSnapshot",
    "delete_runtime_snapshot",
    "get_runtime_snapshot",
    "upsert_runtime_snapshot",
]


@table(public=True, primary_key="snapshot_id", index=["user_id"], actor=USER)
class RuntimeSnapshot:
    """What a client saved in a slot; ``checksum`` is the content hash of its canonical JSON.

    ``world_key`` is that of the session, as the directory has it. ``story_version`` stays none:
    a story's version moves with every turn, and only the story knows it.
    """

    snapshot_id: str
    user_id: str
    slot: u32
    story_session_id: str | None
    story_version: u32 | None
    world_key: str | None
    version: u32
    bottom_tab: str
    client_state_json: str
    checksum: str
    saved_at: Timestamp
    created_at: Timestamp
    updated_at: Timestamp


@struct
class GetRuntimeSnapshot:
    """Input of ``get_runtime_snapshot``; another user needs the service role."""

    user_id: str | None
    slot: u32


@struct
class UpsertRuntimeSnapshot:
    """Input of ``upsert_runtime_snapshot``. An empty slot has the version 0."""

    user_id: str | None
    slot: u32
    story_session_id: str | None
    bottom_tab: str
    client_state_json: str
    expected_version: u32 | None
    request_id: str


@struct
class DeleteRuntimeSnapshot:
    """Input of ``delete_runtime_snapshot``."""

    user_id: str | None
    slot: u32
    request_id: str


@procedure(actor=USER)
def get_runtime_snapshot(ctx: ViewContext, input: GetRuntimeSnapshot) -> RuntimeSnapshot | None:
    """The snapshot in a slot; None without one. Raises ``snapshot.slot_out_of_range``."""
    return ctx.db[RuntimeSnapshot].find(_snapshot_id(ctx.key, input.slot))


@reducer(actor=USER)
def upsert_runtime_snapshot(ctx: ReducerContext, input: UpsertRuntimeSnapshot) -> RuntimeSnapshot:
    """Save into a slot: version 1, or one more than the version that is there.

    Raises ``snapshot.slot_out_of_range``, ``snapshot.stale_version``,
    ``snapshot.session_not_found``, ``input.json_malformed`` (also for JSON that is no object),
    ``input.payload_too_large``, and the refusals of ids and texts.
    """
    snapshot_id = _snapshot_id(ctx.key, input.slot)
    world_key = _world_key(ctx, input.story_session_id)
    bottom_tab = clean_text(input.bottom_tab, BOTTOM_TAB_CHARS_MAX)
    state = read_json(input.client_state_json, CLIENT_STATE_BYTES_MAX)
    if not isinstance(state, dict):
        raise ReducerError("input.json_malformed", "the client's state must be a JSON object")
    state_json = write_json(state)
    snapshots = ctx.db[RuntimeSnapshot]
    known = snapshots.find(snapshot_id)
    current = 0 if known is None else known.version
    if input.expected_version is not None and input.expected_version != current:
        raise ReducerError(
            "snapshot.stale_version", "the slot was saved by another client", current=current
        )
    return snapshots.upsert(
        RuntimeSnapshot(
            snapshot_id=snapshot_id,
            user_id=ctx.key,
            slot=input.slot,
            story_session_id=input.story_session_id,
            story_version=None,
            world_key=world_key,
            version=current + 1,
            bottom_tab=bottom_tab,
            client_state_json=state_json,
            checksum=content_hash(state_json.encode()),
            saved_at=ctx.timestamp,
            created_at=ctx.timestamp if known is None else known.created_at,
            updated_at=ctx.timestamp,
        )
    )


@reducer(actor=USER)
def delete_runtime_snapshot(ctx: ReducerContext, input: DeleteRuntimeSnapshot) -> None:
    """Empty a slot; an empty one stays as it is. Raises ``snapshot.slot_out_of_range``."""
    ctx.db[RuntimeSnapshot].delete(_snapshot_id(ctx.key, input.slot))


def _snapshot_id(user_id: str, slot: int) -> str:
    if slot >= SNAPSHOT_SLOTS:
        raise ReducerError(
            "snapshot.slot_out_of_range", f"slots are 0 to {SNAPSHOT_SLOTS - 1}", slot=slot
        )
    return derived_id(user_id, slot)


def _world_key(ctx: ReducerContext, story_session_id: str | None) -> str | None:
    """The world of a story that is in the user's directory, in whatever state."""
    if story_session_id is None:
        return None
    entry = ctx.db[SessionDirectoryEntry].find(check_id(story_session_id))
    if entry is None or entry.kind is not SessionKind.STORY:
        raise ReducerError("snapshot.session_not_found", "there is no such story")
    return entry.world_key
