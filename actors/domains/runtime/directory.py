"""Directory: a user's sessions from begin to archive, and who tells them of the user's presence."""

from __future__ import annotations

from actors.domains.custom_world.draft_play import draft_to_play
from actors.domains.domain_types import ParticipantRole, SessionKind, WorldKind
from actors.domains.gameplay.story import StorySession
from actors.domains.kinds import STORY, USER
from actors.domains.limits import (
    DIRECTORY_ARCHIVED_MAX,
    LIVE_STORIES_MAX,
    STORY_BEGIN_SECONDS_MAX,
)
from actors.domains.messages import RecordSession, StoryBegin, StoryPresence, StoryRejected
from actors.domains.rules.ids import world_key
from actors.domains.rules.text import check_id, check_slug
from actors.domains.runtime.account import account_of, is_present
from actors.domains.runtime.directory_entry import (
    LIVE_STATES,
    DirectoryState,
    SessionDirectoryEntry,
)
from actors.domains.runtime.refusals import Refusal, note_refusal
from actors.domains.runtime.settings import check_locale, is_strict
from actors.errors import ReducerError
from actors.module.context import DatabaseReader, ProcedureContext, ReducerContext, ViewContext
from actors.module.functions import message, procedure, reducer
from actors.module.types import replace, struct

__all__ = [
    "BeginStorySession",
    "BegunStory",
    "announce_presence",
    "begin_story_session",
    "begin_story_session_and_return",
    "check_story_slot",
    "live_stories",
    "open_entry",
    "record_session",
    "story_rejected",
    "until_decided",
]


@struct
class BeginStorySession:
    """Input of ``begin_story_session``."""

    profile_id: str
    role_key: str
    locale: str | None
    request_id: str


@struct
class BegunStory:
    """The ids of a story that is starting."""

    story_session_id: str
    runtime_session_id: str


@reducer(actor=USER)
def begin_story_session(ctx: ReducerContext, input: BeginStorySession) -> BegunStory:
    """Begin a new playthrough of a world: the first step of domain 12.6.

    A world of the caller's own library that is not published is tried out as it is (domain 6.7).

    Raises ``limit.quota_exceeded``, ``runtime.invalid_locale``, ``world.gate_blocked`` for a draft
    that cannot be tried out, and the refusals of ids. Whether a published world may be entered is
    found out by the story, see ``begin_story_session_and_return``.
    """
    profile_id, role_key = check_id(input.profile_id), check_slug(input.role_key)
    if input.locale is not None:
        check_locale(input.locale)
    check_story_slot(len(live_stories(ctx.db)))
    assert ctx.claims is not None
    account = account_of(ctx, ctx.claims)
    draft = draft_to_play(ctx.db, profile_id)
    begun = BegunStory(ctx.new_id("ss_"), ctx.new_id("rs_"))
    open_entry(ctx, begun, world_key(WorldKind.CUSTOM_WORLD, profile_id), "")
    ctx.send(
        STORY.key(begun.story_session_id),
        StoryBegin(
            story_session_id=begun.story_session_id,
            runtime_session_id=begun.runtime_session_id,
            host_user_id=ctx.key,
            host_display_name=account.display_name,
            profile_id=profile_id,
            role_key=role_key,
            locale=input.locale,
            is_strict=is_strict(ctx.db),
            draft=draft,
        ),
        idempotency_key=begun.story_session_id,
    )
    return begun


@procedure(actor=USER)
async def begin_story_session_and_return(
    ctx: ProcedureContext, input: BeginStorySession
) -> StorySession:
    """Begin a story and answer its session once it is active, or as it is after the deadline.

    Raises what ``begin_story_session`` raises, and the code with which the story was refused:
    ``world.not_found``, ``world.gate_blocked``, ``story.role_not_found``.
    """
    begun = await ctx.call(begin_story_session, input)
    session_id = begun.story_session_id
    await until_decided(ctx, ctx.user_id, session_id)
    session = await ctx.read(
        STORY.key(session_id), lambda view: view.db[StorySession].find(session_id)
    )
    if session is None:
        raise ReducerError("dependency.timeout", "the story has not started yet")
    return session


async def until_decided(
    ctx: ProcedureContext, user_id: str, story_session_id: str
) -> SessionDirectoryEntry | None:
    """Wait until a story that is starting has begun; None after the deadline.

    Raises:
        ReducerError: the code with which the story was refused.
    """

    def decided(view: ViewContext) -> SessionDirectoryEntry | None:
        refusal = view.db[Refusal].find(story_session_id)
        if refusal is not None:
            raise ReducerError(refusal.error_code, refusal.error_message)
        entry = view.db[SessionDirectoryEntry].find(story_session_id)
        is_starting = entry is not None and entry.state is DirectoryState.STARTING
        return None if is_starting else entry

    return await ctx.until(USER.key(user_id), decided, STORY_BEGIN_SECONDS_MAX)


def live_stories(db: DatabaseReader) -> list[SessionDirectoryEntry]:
    """The user's stories that take up a slot (domain 1.9)."""
    stories = db[SessionDirectoryEntry].filter(kind=SessionKind.STORY)
    return [entry for entry in stories if entry.state in LIVE_STATES]


def check_story_slot(taken: int) -> None:
    """Let one more story begin while so many slots are taken (domain 6.7, EW08).

    Raises:
        ReducerError: ``limit.quota_exceeded``.
    """
    if taken >= LIVE_STORIES_MAX:
        raise ReducerError(
            "limit.quota_exceeded", "too many stories are running", limit=LIVE_STORIES_MAX
        )


def open_entry(ctx: ReducerContext, begun: BegunStory, world_key: str, title: str) -> None:
    """Enter a story that the user begins, as its host, into the directory."""
    ctx.db[SessionDirectoryEntry].insert(
        SessionDirectoryEntry(
            session_key=begun.story_session_id,
            user_id=ctx.key,
            kind=SessionKind.STORY,
            role=ParticipantRole.HOST,
            state=DirectoryState.STARTING,
            title=title,
            world_key=world_key,
            runtime_session_id=begun.runtime_session_id,
            last_activity_at=ctx.timestamp,
            created_at=ctx.timestamp,
        )
    )


@message(USER)
def record_session(ctx: ReducerContext, payload: RecordSession) -> None:
    """Bring a session's directory entry up to date: its last message is the truth.

    Who left a story may be invited again, so an archived entry can become active.
    """
    entries = ctx.db[SessionDirectoryEntry]
    known = entries.find(payload.session_key)
    entries.upsert(
        SessionDirectoryEntry(
            session_key=payload.session_key,
            user_id=ctx.key,
            kind=payload.kind,
            role=payload.role,
            state=payload.state,
            title=payload.title,
            world_key=payload.world_key,
            runtime_session_id=payload.runtime_session_id,
            last_activity_at=ctx.timestamp,
            created_at=ctx.timestamp if known is None else known.created_at,
        )
    )
    if payload.state is DirectoryState.ARCHIVED:
        _forget_oldest(ctx)
    began_before = known is not None and known.state in {
        DirectoryState.ACTIVE,
        DirectoryState.PAUSED,
    }
    became_active = payload.state is DirectoryState.ACTIVE and not began_before
    # A session takes its participants for present; whoever left meanwhile is made known here.
    if became_active and payload.kind is SessionKind.STORY and not is_present(ctx.db):
        _tell_presence(ctx, payload.session_key, connected=False)


@message(USER)
def story_rejected(ctx: ReducerContext, payload: StoryRejected) -> None:
    """Archive the entry of a story that could not begin, and keep the reason for its caller."""
    entries = ctx.db[SessionDirectoryEntry]
    entry = entries.get(payload.story_session_id)
    entries.update(replace(entry, state=DirectoryState.ARCHIVED, last_activity_at=ctx.timestamp))
    note_refusal(ctx, payload.story_session_id, payload.code, payload.message)
    _forget_oldest(ctx)


def announce_presence(ctx: ReducerContext, *, connected: bool) -> None:
    """Tell the user's live stories that the first connection came or the last one went."""
    for entry in ctx.db[SessionDirectoryEntry].filter(kind=SessionKind.STORY):
        if entry.state in LIVE_STATES:
            _tell_presence(ctx, entry.session_key, connected=connected)


def _tell_presence(ctx: ReducerContext, story_session_id: str, *, connected: bool) -> None:
    ctx.send(STORY.key(story_session_id), StoryPresence(ctx.key, connected))


def _forget_oldest(ctx: ReducerContext) -> None:
    """Keep the directory's archived entries within their limit; their sessions stay readable."""
    entries = ctx.db[SessionDirectoryEntry]
    archived = entries.filter(state=DirectoryState.ARCHIVED)
    if len(archived) > DIRECTORY_ARCHIVED_MAX:
        oldest = min(archived, key=lambda entry: (entry.last_activity_at, entry.session_key))
        entries.delete(oldest.session_key)
