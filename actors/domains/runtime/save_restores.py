"""Save restores: an archived story is played on in a new session of its lineage (domain 2.6).

The new session reads the archive and checks that it could begin, then the older session ends, then
the new one opens: at no time two sessions of a lineage are played (domain 1.2), and an archive that
cannot be played leaves everything as it was. Items, experience and sparks are not rolled back.
"""

from __future__ import annotations

from actors.domains.archive_messages import (
    ImportState,
    ResumeStory,
    StateImported,
    Supersede,
    Superseded,
)
from actors.domains.custom_world.draft_play import archived_draft
from actors.domains.domain_types import ParticipantRole
from actors.domains.kinds import STORY, USER
from actors.domains.rules.ids import content_hash, derived_id, owner_of
from actors.domains.rules.text import check_id
from actors.domains.runtime.directory import (
    BegunStory,
    check_story_slot,
    live_stories,
    open_entry,
    until_decided,
)
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.domains.runtime.profile import PlayReceipt, ProfilePlayedWorld
from actors.domains.runtime.save_archives import ProfileSaveArchive, ProfileSaveArchiveBlob
from actors.errors import ReducerError
from actors.module.context import DatabaseReader, ProcedureContext, ReducerContext
from actors.module.functions import message, procedure, reducer
from actors.module.types import replace, struct

__all__ = [
    "restore_save_archive",
    "restore_save_archive_and_return",
    "state_imported",
    "superseded",
]


@struct
class RestoreSaveArchive:
    """Input of ``restore_save_archive``; another user needs the service role."""

    user_id: str | None
    archive_id: str
    request_id: str


@reducer(actor=USER)
def restore_save_archive(ctx: ReducerContext, input: RestoreSaveArchive) -> BegunStory:
    """Begin a new session from an archive; the older one of its lineage gives its slot to it.

    Raises ``archive.not_found``, ``archive.corrupt_state``, ``archive.pending_state`` while another
    restore of the lineage is under way, ``limit.quota_exceeded``, ``world.not_found`` for a test
    play whose draft was deleted, and the refusals of ids. Whether the world may be entered is found
    out by the story, see ``restore_save_archive_and_return``.
    """
    archive = ctx.db[ProfileSaveArchive].find(check_id(input.archive_id))
    if archive is None:
        raise ReducerError("archive.not_found", "there is no such archive")
    state_json = ctx.db[ProfileSaveArchiveBlob].get(archive.archive_id).session_state_json
    if content_hash(state_json.encode()) != archive.state_hash:
        raise ReducerError("archive.corrupt_state", "the archive is damaged")
    draft = archived_draft(ctx.db, archive.profile_id) if not archive.published_version else None
    lineage = archive.runtime_session_id
    others = _played(ctx.db, lineage)
    if any(entry.state is DirectoryState.STARTING for entry in others):
        raise ReducerError("archive.pending_state", "the story is being restored")
    check_story_slot(len(live_stories(ctx.db)) - len(others))
    begun = BegunStory(ctx.new_id("ss_"), lineage)
    open_entry(ctx, begun, archive.world_key, archive.world_name)
    ctx.send(
        STORY.key(begun.story_session_id),
        ImportState(begun.story_session_id, ctx.key, state_json, draft),
        idempotency_key=begun.story_session_id,
    )
    return begun


@procedure(actor=USER)
async def restore_save_archive_and_return(
    ctx: ProcedureContext, input: RestoreSaveArchive
) -> BegunStory:
    """Restore an archive and answer the ids of the session that goes on from it.

    Raises what ``restore_save_archive`` raises, the code with which the story was refused
    (``world.not_found``, ``world.gate_blocked``, ``archive.corrupt_state``), and
    ``dependency.timeout``; the same request finds the session then.
    """
    begun = await ctx.call(restore_save_archive, input)
    user_id = owner_of(input.user_id or ctx.user_id)
    if await until_decided(ctx, user_id, begun.story_session_id) is None:
        raise ReducerError("dependency.timeout", "the story has not started yet")
    return begun


@message(USER)
def state_imported(ctx: ReducerContext, payload: StateImported) -> None:
    """The new session could begin: end the older one first."""
    entry = ctx.db[SessionDirectoryEntry].get(payload.story_session_id)
    _play_on(ctx, entry)
    for other in _played(ctx.db, entry.runtime_session_id):
        if other.session_key != entry.session_key:
            ctx.send(
                STORY.key(other.session_key),
                Supersede(entry.session_key),
                idempotency_key=entry.session_key,
            )
    _resume_alone(ctx, entry)


@message(USER)
def superseded(ctx: ReducerContext, payload: Superseded) -> None:
    """An older session has ended: the new one opens when it was the last."""
    _resume_alone(ctx, ctx.db[SessionDirectoryEntry].get(payload.successor_id))


def _played(db: DatabaseReader, runtime_session_id: str | None) -> list[SessionDirectoryEntry]:
    """The user's own live sessions of a lineage."""
    return [
        entry
        for entry in live_stories(db)
        if entry.role is ParticipantRole.HOST and entry.runtime_session_id == runtime_session_id
    ]


def _resume_alone(ctx: ReducerContext, entry: SessionDirectoryEntry) -> None:
    if len(_played(ctx.db, entry.runtime_session_id)) == 1:
        ctx.send(
            STORY.key(entry.session_key),
            ResumeStory(entry.session_key),
            idempotency_key=entry.session_key,
        )


def _play_on(ctx: ReducerContext, entry: SessionDirectoryEntry) -> None:
    """Let the session's play time count; a playthrough that goes on is no new play of the world."""
    receipts, worlds = ctx.db[PlayReceipt], ctx.db[ProfilePlayedWorld]
    receipts.insert(PlayReceipt(entry.session_key, 0, ctx.timestamp))
    world = worlds.get(derived_id(ctx.key, entry.world_key))
    worlds.update(replace(world, last_session_id=entry.session_key, last_played_at=ctx.timestamp))
