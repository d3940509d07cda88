"""Agent session: the row that says how the creation of a world stands (domain 7.1, 7.2)."""

from __future__ import annotations

from typing import Final

from actors import ReducerContext, ReducerError, Timestamp, ViewContext, replace, table, u32
from actors.domains.domain_types import AgentAnchor, AgentStage, SupportedAction, WorldKind
from actors.domains.kinds import AGENT
from actors.domains.rules.ids import world_key
from actors.domains.rules.text import check_id
from actors.domains.world_messages import HeaderUpdate
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldAgentSession",
    "CustomWorldAgentState",
    "live_session",
    "note_change",
    "own_session",
    "session_of",
    "session_profile_id",
    "session_world_key",
    "state_of",
]

_PROFILE_PREFIX: Final = "cwp_"


@table(
    public=True,
    primary_key="agent_session_id",
    index=["user_id", "stage"],
    actor=AGENT,
)
class CustomWorldAgentSession:
    """A creation session. ``revision`` counts changes of its cards and links."""

    agent_session_id: str
    user_id: str
    title: str
    locale: str
    stage: AgentStage
    anchors: list[AgentAnchor]
    anchor_coverage_permille: u32
    progress_permille: u32
    revision: u32
    message_count: u32
    card_count: u32
    active_operation_id: str | None
    queued_operation_count: u32
    supported_actions: list[SupportedAction]
    suggested_replies: list[str]
    blocker_count: u32
    warning_count: u32
    quality_score: u32
    publish_gate_passed: bool
    can_enter_world: bool
    result_profile_id: str | None
    last_error_code: str | None
    version: u32
    created_at: Timestamp
    updated_at: Timestamp


@table(primary_key="agent_session_id", actor=AGENT)
class CustomWorldAgentState:
    """What a session knows of itself and nobody else needs.

    Attributes:
        seed_chars: length of the text that the session began with.
        is_drafted: a foundation was drafted.
        live_revision: the revision that the gallery has; None when it has none, and 0 when it has
            something else than any revision since then.
        compiled_revision: the revision that findings and preview were made of.
        charging_operation_id: the head of the queue, while its price is asked for.
        begun_lease: the last lease that a worker has begun to work with.
        publish_key: of the publication, or its withdrawal, that is under way.
        publish_revision: the revision that is being published.
        told: what the user's header was told last.
    """

    agent_session_id: str
    seed_chars: u32
    is_drafted: bool
    live_revision: u32 | None
    compiled_revision: u32
    charging_operation_id: str | None
    begun_lease: str | None
    publish_key: str | None
    publish_revision: u32
    told: HeaderUpdate | None


def session_of(db: DatabaseReader) -> CustomWorldAgentSession:
    """The actor's session; raises ``agent.session_not_found``."""
    session = db[CustomWorldAgentSession].first()
    if session is None:
        raise ReducerError("agent.session_not_found", "there is no such session")
    return session


def state_of(db: DatabaseReader) -> CustomWorldAgentState:
    """What the session knows of itself."""
    (state,) = db[CustomWorldAgentState]
    return state


def own_session(
    ctx: ReducerContext | ViewContext, agent_session_id: str
) -> CustomWorldAgentSession:
    """The caller's own session; raises ``agent.session_not_found``, also for those of others."""
    session = ctx.db[CustomWorldAgentSession].find(check_id(agent_session_id))
    if session is None or session.user_id != ctx.user_id:
        raise ReducerError("agent.session_not_found", "there is no such session")
    return session


def live_session(ctx: ReducerContext, agent_session_id: str) -> CustomWorldAgentSession:
    """The caller's own session, to be worked at.

    Raises:
        ReducerError: ``agent.session_not_found`` or ``agent.archived_state``.
    """
    session = own_session(ctx, agent_session_id)
    if session.stage is AgentStage.ARCHIVED:
        raise ReducerError("agent.archived_state", "the session is archived")
    return session


def session_profile_id(agent_session_id: str) -> str:
    """The id of the one library profile that a session makes, whether it is there or not yet.

    It follows from the session's id, so that a draft compiles to the same document before its
    first publication and after it.
    """
    return _PROFILE_PREFIX + agent_session_id.partition("_")[2]


def session_world_key(agent_session_id: str) -> str:
    """The key of the world that a session makes (domain 1.12)."""
    return world_key(WorldKind.CUSTOM_WORLD, session_profile_id(agent_session_id))


def note_change(ctx: ReducerContext) -> None:
    """Count a change of the session's cards or links."""
    session = session_of(ctx.db)
    ctx.db[CustomWorldAgentSession].update(replace(session, revision=session.revision + 1))
