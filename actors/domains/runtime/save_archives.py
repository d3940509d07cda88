"""Save archives: what a user has saved of stories, and how a save comes about (domain 2.6)."""

from __future__ import annotations

from actors.domains.archive_messages import ExportRejected, ExportState, StateExported
from actors.domains.domain_types import ParticipantRole, SessionKind
from actors.domains.gameplay.progression import progression_of
from actors.domains.kinds import STORY, USER
from actors.domains.limits import ARCHIVE_LABEL_CHARS_MAX, ARCHIVES_MAX
from actors.domains.rules.ids import content_hash, owner_of
from actors.domains.rules.text import check_id, clean_text, cut_text
from actors.domains.runtime.directory_entry import SessionDirectoryEntry
from actors.domains.runtime.profile import dashboard_of, save_dashboard
from actors.domains.runtime.refusals import Refusal, note_refusal
from actors.errors import ReducerError
from actors.module.context import ProcedureContext, ReducerContext, ViewContext
from actors.module.functions import message, procedure, reducer
from actors.module.tables import table
from actors.module.types import Timestamp, replace, struct, u32

__all__ = [
    "ProfileSaveArchive",
    "ProfileSaveArchiveBlob",
    "SaveRequest",
    "create_save_archive",
    "create_save_archive_and_return",
    "delete_save_archive",
    "export_rejected",
    "list_save_archives",
    "state_exported",
]


@table(public=True, primary_key="archive_id", index=["user_id", "saved_at"], actor=USER)
class ProfileSaveArchive:
    """A saved story as a list of saves shows it; ``state_hash`` is the state's content hash."""

    archive_id: str
    user_id: str
    world_key: str
    profile_id: str
    published_version: u32
    runtime_session_id: str
    story_session_id: str
    world_name: str
    subtitle: str
    summary_text: str
    cover_image_src: str | None
    chapter_index: u32
    scene_title: str
    player_level: u32
    label: str
    size_bytes: u32
    state_hash: str
    saved_at: Timestamp
    created_at: Timestamp
    updated_at: Timestamp


@table(primary_key="archive_id", actor=USER)
class ProfileSaveArchiveBlob:
    """The saved state itself."""

    archive_id: str
    session_state_json: str


@table(primary_key="save_id", actor=USER)
class SaveRequest:
    """A save that waits for the story's state; without a label it is called after its scene."""

    save_id: str
    archive_id: str
    world_key: str
    story_session_id: str
    label: str
    created_at: Timestamp


@struct
class CreateSaveArchive:
    """Input of ``create_save_archive``; another user needs the service role."""

    user_id: str | None
    story_session_id: str
    label: str | None
    replace_archive_id: str | None
    request_id: str


@struct
class DeleteSaveArchive:
    """Input of ``delete_save_archive``; another user needs the service role."""

    user_id: str | None
    archive_id: str
    request_id: str


@struct
class ListSaveArchives:
    """Input of ``list_save_archives``; another user needs the service role."""

    user_id: str | None
    limit: u32


@struct
class RequestedSave:
    """A save that waits for the story's state, and the archive that it will be."""

    save_id: str
    archive_id: str


@reducer(actor=USER)
def create_save_archive(ctx: ReducerContext, input: CreateSaveArchive) -> RequestedSave:
    """Ask a story for its state; the archive appears, or is replaced, when it has come.

    Only the host saves, since what is saved goes on with the host alone. Whether the story can be
    saved now is known by the story, see ``create_save_archive_and_return``.

    Raises ``story.not_found``, ``auth.forbidden`` for guests, ``archive.not_found`` for the one to
    replace, ``archive.quota_exceeded``, and the refusals of ids and texts.
    """
    label = clean_text(input.label or "", ARCHIVE_LABEL_CHARS_MAX)
    entry = ctx.db[SessionDirectoryEntry].find(check_id(input.story_session_id))
    if entry is None or entry.kind is not SessionKind.STORY:
        raise ReducerError("story.not_found", "there is no such story session")
    if entry.role is not ParticipantRole.HOST:
        raise ReducerError("auth.forbidden", "only the host saves the story")
    save_id = ctx.new_id("sa_")
    ctx.db[SaveRequest].insert(
        SaveRequest(
            save_id=save_id,
            archive_id=_place(ctx, save_id, input.replace_archive_id),
            world_key=entry.world_key,
            story_session_id=entry.session_key,
            label=label,
            created_at=ctx.timestamp,
        )
    )
    ctx.send(STORY.key(entry.session_key), ExportState(save_id, ctx.key), idempotency_key=save_id)
    return RequestedSave(save_id, input.replace_archive_id or save_id)


@procedure(actor=USER)
async def create_save_archive_and_return(
    ctx: ProcedureContext, input: CreateSaveArchive
) -> ProfileSaveArchive:
    """Save a story and answer the archive.

    Raises what ``create_save_archive`` raises, ``archive.battle_state``, ``archive.pending_state``
    while a settlement or an exchange is under way, ``archive.too_large``,
    ``story.not_active_state`` of a story that has ended, and ``archive.not_found`` when the archive
    is deleted meanwhile.
    """
    requested = await ctx.call(create_save_archive, input)

    def saved(view: ViewContext) -> ProfileSaveArchive | None:
        refusal = view.db[Refusal].find(requested.save_id)
        if refusal is not None:
            raise ReducerError(refusal.error_code, refusal.error_message)
        if view.db[SaveRequest].find(requested.save_id) is not None:
            return None
        archive = view.db[ProfileSaveArchive].find(requested.archive_id)
        if archive is None:
            raise ReducerError("archive.not_found", "the archive was deleted meanwhile")
        return archive

    archive = await ctx.until(USER.key(owner_of(input.user_id or ctx.user_id)), saved)
    if archive is None:
        raise ReducerError("dependency.timeout", "the story has not answered yet")
    return archive


@procedure(actor=USER)
def list_save_archives(ctx: ViewContext, input: ListSaveArchives) -> list[ProfileSaveArchive]:
    """The user's archives, the last saved first; raises ``input.out_of_range``."""
    if not 1 <= input.limit <= ARCHIVES_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {ARCHIVES_MAX}")
    newest_first = list(ctx.db[ProfileSaveArchive].range("saved_at"))[::-1]
    return newest_first[: input.limit]


@reducer(actor=USER)
def delete_save_archive(ctx: ReducerContext, input: DeleteSaveArchive) -> None:
    """Delete an archive, also one that is being saved; an unknown one is no error."""
    archive_id = check_id(input.archive_id)
    requests = ctx.db[SaveRequest]
    for request in requests:
        if request.archive_id == archive_id:
            requests.delete(request.save_id)
    if ctx.db[ProfileSaveArchive].delete(archive_id):
        ctx.db[ProfileSaveArchiveBlob].delete(archive_id)
        _count(ctx)


@message(USER)
def state_exported(ctx: ReducerContext, payload: StateExported) -> None:
    """The story's state has come: write the archive."""
    requests, archives = ctx.db[SaveRequest], ctx.db[ProfileSaveArchive]
    request = requests.find(payload.save_id)
    if request is None:
        return
    requests.delete(payload.save_id)
    known = archives.find(request.archive_id)
    state = payload.state_json.encode()
    archives.upsert(
        ProfileSaveArchive(
            archive_id=request.archive_id,
            user_id=ctx.key,
            world_key=request.world_key,
            profile_id=payload.profile_id,
            published_version=payload.published_version,
            runtime_session_id=payload.runtime_session_id,
            story_session_id=request.story_session_id,
            world_name=payload.world_name,
            subtitle=payload.subtitle,
            summary_text=payload.summary_text,
            cover_image_src=payload.cover_image_src,
            chapter_index=payload.chapter_index,
            scene_title=payload.scene_title,
            player_level=progression_of(ctx.db, ctx.key).level,
            label=request.label or cut_text(payload.scene_title, ARCHIVE_LABEL_CHARS_MAX),
            size_bytes=len(state),
            state_hash=content_hash(state),
            saved_at=ctx.timestamp,
            created_at=ctx.timestamp if known is None else known.created_at,
            updated_at=ctx.timestamp,
        )
    )
    ctx.db[ProfileSaveArchiveBlob].upsert(
        ProfileSaveArchiveBlob(request.archive_id, payload.state_json)
    )
    if known is None:
        _count(ctx)


@message(USER)
def export_rejected(ctx: ReducerContext, payload: ExportRejected) -> None:
    """The story cannot be saved now: keep the reason for the caller."""
    if ctx.db[SaveRequest].delete(payload.save_id):
        note_refusal(ctx, payload.save_id, payload.code, payload.message)


def _place(ctx: ReducerContext, save_id: str, replaced_id: str | None) -> str:
    """The archive that a save will be; saves that are under way take up their places."""
    archives = ctx.db[ProfileSaveArchive]
    if replaced_id is not None:
        if archives.find(check_id(replaced_id)) is None:
            raise ReducerError("archive.not_found", "there is no such archive")
        return replaced_id
    coming = sum(request.archive_id == request.save_id for request in ctx.db[SaveRequest])
    if len(archives) + coming >= ARCHIVES_MAX:
        raise ReducerError(
            "archive.quota_exceeded", f"at most {ARCHIVES_MAX} archives", limit=ARCHIVES_MAX
        )
    return save_id


def _count(ctx: ReducerContext) -> None:
    count = len(ctx.db[ProfileSaveArchive])
    save_dashboard(ctx, replace(dashboard_of(ctx), save_archive_count=count))
