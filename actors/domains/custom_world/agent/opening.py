"""Agent opening: how a user begins a creation session, or takes one up again (domain 7.3)."""

from __future__ import annotations

from actors import (
    ProcedureContext,
    ReducerContext,
    ReducerError,
    ViewContext,
    message,
    procedure,
    reducer,
    replace,
    struct,
)
from actors.domains.custom_world.agent.reads import AgentSessionSnapshot, snapshot_of
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    session_world_key,
)
from actors.domains.custom_world.headers import open_header
from actors.domains.custom_world.limits import (
    LIVE_SESSIONS_MAX,
    OPERATION_BEGIN_SECONDS_MAX,
    SEED_CHARS_MAX,
)
from actors.domains.domain_types import ParticipantRole, SessionKind
from actors.domains.kinds import AGENT, USER
from actors.domains.rules.text import clean_text
from actors.domains.runtime.directory_entry import (
    LIVE_STATES,
    DirectoryState,
    SessionDirectoryEntry,
)
from actors.domains.runtime.settings import RuntimeSetting, check_locale
from actors.domains.world_messages import (
    AgentBegin,
    ReopenRejected,
    ReopenSession,
    SessionReopened,
)

__all__ = [
    "BegunAgentSession",
    "CreateCustomWorldAgentSession",
    "create_custom_world_agent_session",
    "create_custom_world_agent_session_and_return",
    "reopen_session",
]


@struct
class CreateCustomWorldAgentSession:
    """Input of ``create_custom_world_agent_session``."""

    seed_text: str | None
    locale: str | None
    request_id: str


@struct
class BegunAgentSession:
    """The id of a session that is beginning."""

    agent_session_id: str


@reducer(actor=USER)
def create_custom_world_agent_session(
    ctx: ReducerContext, input: CreateCustomWorldAgentSession
) -> BegunAgentSession:
    """Begin to create a world; a seed text is answered as a first message.

    Without a locale the user's own one counts, and English without that.

    Raises ``limit.quota_exceeded``, ``runtime.invalid_locale`` or ``input.text_too_long``.
    """
    seed = clean_text(input.seed_text or "", SEED_CHARS_MAX)
    locale = input.locale
    if locale is not None:
        check_locale(locale)
    else:
        setting = ctx.db[RuntimeSetting].find(ctx.key)
        locale = None if setting is None else setting.locale
    _check_slot(ctx)
    session_id = ctx.new_id("cws_")
    _put_entry(ctx, session_id, DirectoryState.STARTING)
    open_header(ctx, session_id, "")
    ctx.send(
        AGENT.key(session_id),
        AgentBegin(session_id, ctx.key, locale, seed or None),
        idempotency_key=session_id,
    )
    return BegunAgentSession(session_id)


@procedure(actor=USER)
async def create_custom_world_agent_session_and_return(
    ctx: ProcedureContext, input: CreateCustomWorldAgentSession
) -> AgentSessionSnapshot:
    """Begin a session, and answer it once it is there.

    Raises what ``create_custom_world_agent_session`` raises, and ``dependency.timeout``.
    """
    begun = await ctx.call(create_custom_world_agent_session, input)

    def is_there(view: ViewContext) -> AgentSessionSnapshot | None:
        session = view.db[CustomWorldAgentSession].find(begun.agent_session_id)
        return None if session is None else snapshot_of(view.db, session)

    agent = AGENT.key(begun.agent_session_id)
    snapshot = await ctx.until(agent, is_there, OPERATION_BEGIN_SECONDS_MAX)
    if snapshot is None:
        raise ReducerError("dependency.timeout", "the session has not started yet")
    return snapshot


@message(USER)
def reopen_session(ctx: ReducerContext, payload: ReopenSession) -> None:
    """Give an archived session one of the user's slots again, if one is free."""
    assert ctx.source is not None
    entry = ctx.db[SessionDirectoryEntry].find(payload.agent_session_id)
    try:
        if entry is None or entry.state not in LIVE_STATES:
            _check_slot(ctx)
    except ReducerError as refusal:
        rejected = ReopenRejected(payload.operation_id, refusal.code, refusal.message)
        ctx.send(ctx.source, rejected, idempotency_key=payload.operation_id)
        return
    if entry is None:
        _put_entry(ctx, payload.agent_session_id, DirectoryState.ACTIVE)
    else:
        opened = replace(entry, state=DirectoryState.ACTIVE, last_activity_at=ctx.timestamp)
        ctx.db[SessionDirectoryEntry].update(opened)
    ctx.send(
        ctx.source, SessionReopened(payload.operation_id), idempotency_key=payload.operation_id
    )


def _check_slot(ctx: ReducerContext) -> None:
    entries = ctx.db[SessionDirectoryEntry].filter(kind=SessionKind.AGENT_RPG)
    if sum(entry.state in LIVE_STATES for entry in entries) >= LIVE_SESSIONS_MAX:
        raise ReducerError(
            "limit.quota_exceeded", "too many creation sessions are open", limit=LIVE_SESSIONS_MAX
        )


def _put_entry(ctx: ReducerContext, agent_session_id: str, state: DirectoryState) -> None:
    """Enter a session into the directory; its title it tells itself."""
    ctx.db[SessionDirectoryEntry].insert(
        SessionDirectoryEntry(
            session_key=agent_session_id,
            user_id=ctx.key,
            kind=SessionKind.AGENT_RPG,
            role=ParticipantRole.HOST,
            state=state,
            title="",
            world_key=session_world_key(agent_session_id),
            runtime_session_id=None,
            last_activity_at=ctx.timestamp,
            created_at=ctx.timestamp,
        )
    )
