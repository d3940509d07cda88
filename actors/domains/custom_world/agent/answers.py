"""Agent answers: what users and the catalog tell a session, and what it then does (12.5, 12.7)."""

from __future__ import annotations

from typing import Final

from actors import ReducerContext, message, replace
from actors.domains.custom_world.agent.archive import reopen
from actors.domains.custom_world.agent.images import bind_image
from actors.domains.custom_world.agent.messages import NewMessage, add_message
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    find_operation,
)
from actors.domains.custom_world.agent.publish import published, stop_publishing, withdrawn
from actors.domains.custom_world.agent.queue import fail, paid, succeed, unpaid
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    CustomWorldAgentState,
    session_of,
    state_of,
)
from actors.domains.custom_world.agent.settle import settle
from actors.domains.custom_world.agent.submit import say
from actors.domains.data import language_of
from actors.domains.data.agent_books import agent_book
from actors.domains.domain_types import (
    AgentAction,
    AgentStage,
    MessageRole,
    OperationStatus,
    TextSource,
)
from actors.domains.kinds import AGENT
from actors.domains.rules.agent import empty_anchors, greeting, greeting_replies
from actors.domains.world_messages import (
    AgentBegin,
    AgentPublishAck,
    AgentUnpublished,
    AssetBound,
    Charged,
    ChargeRejected,
    ProfileSynced,
    PublishRejected,
    ReopenRejected,
    SessionReopened,
    SyncRejected,
)

__all__ = [
    "agent_begin",
    "agent_publish_ack",
    "agent_publish_rejected",
    "agent_unpublished",
    "asset_bound",
    "charge_rejected",
    "charged",
    "profile_synced",
    "reopen_rejected",
    "session_reopened",
    "sync_rejected",
]

_NOT_LIVE: Final = frozenset({"world.not_found", "world.not_published_state"})
"""Refusals by which a session learns that its world is not in the gallery."""


@message(AGENT)
def agent_begin(ctx: ReducerContext, payload: AgentBegin) -> None:
    """Begin the session: a greeting, and the answer to the seed text if there is one."""
    locale = payload.locale or language_of(None)
    book = agent_book(locale)
    seed = payload.seed_text or ""
    ctx.db[CustomWorldAgentState].insert(
        CustomWorldAgentState(
            agent_session_id=payload.agent_session_id,
            seed_chars=len(seed),
            is_drafted=False,
            live_revision=None,
            compiled_revision=0,
            charging_operation_id=None,
            begun_lease=None,
            publish_key=None,
            publish_revision=0,
            told=None,
        )
    )
    ctx.db[CustomWorldAgentSession].insert(
        CustomWorldAgentSession(
            agent_session_id=payload.agent_session_id,
            user_id=payload.user_id,
            title="",
            locale=locale,
            stage=AgentStage.COLLECTING,
            anchors=empty_anchors(),
            anchor_coverage_permille=0,
            progress_permille=0,
            revision=0,
            message_count=0,
            card_count=0,
            active_operation_id=None,
            queued_operation_count=0,
            supported_actions=[],
            suggested_replies=greeting_replies(book),
            blocker_count=0,
            warning_count=0,
            quality_score=0,
            publish_gate_passed=False,
            can_enter_world=False,
            result_profile_id=None,
            last_error_code=None,
            version=0,
            created_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )
    add_message(ctx, NewMessage(MessageRole.ASSISTANT, greeting(book), TextSource.FALLBACK))
    if seed:
        say(ctx, seed, None)
    settle(ctx)


@message(AGENT)
def charged(ctx: ReducerContext, payload: Charged) -> None:
    """An operation's price is taken: it may begin."""
    paid(ctx, find_operation(ctx.db, payload.operation_id), payload.amount)
    settle(ctx)


@message(AGENT)
def charge_rejected(ctx: ReducerContext, payload: ChargeRejected) -> None:
    """An operation's price could not be taken: it fails."""
    unpaid(ctx, find_operation(ctx.db, payload.operation_id), payload.code, payload.message)
    settle(ctx)


@message(AGENT)
def profile_synced(ctx: ReducerContext, payload: ProfileSynced) -> None:
    """The draft is in the library."""
    operation = find_operation(ctx.db, payload.operation_id)
    _name_profile(ctx, payload.profile_id)
    report: dict[str, object] = {"profileId": payload.profile_id, "revision": payload.revision}
    succeed(ctx, operation, report)
    settle(ctx)


@message(AGENT)
def sync_rejected(ctx: ReducerContext, payload: SyncRejected) -> None:
    """The draft could not be written into the library."""
    fail(ctx, find_operation(ctx.db, payload.operation_id), payload.code, payload.message)
    settle(ctx)


@message(AGENT)
def agent_publish_ack(ctx: ReducerContext, payload: AgentPublishAck) -> None:
    """The world is published, by the session or from the library (12.5, step 5)."""
    operation = _running(ctx, AgentAction.PUBLISH_WORLD)
    is_own = state_of(ctx.db).publish_key == payload.publish_key
    published(ctx, payload)
    _name_profile(ctx, payload.profile_id)
    if operation is not None and is_own:
        report: dict[str, object] = {"profileId": payload.profile_id, "version": payload.version}
        succeed(ctx, operation, report)
    settle(ctx)


@message(AGENT)
def agent_publish_rejected(ctx: ReducerContext, payload: PublishRejected) -> None:
    """What was asked of the gallery did not happen."""
    for action in (AgentAction.PUBLISH_WORLD, AgentAction.UNPUBLISH_WORLD):
        operation = _running(ctx, action)
        if operation is not None and state_of(ctx.db).publish_key == payload.publish_key:
            stop_publishing(ctx)
            fail(ctx, operation, payload.code, payload.message)
            if action is AgentAction.UNPUBLISH_WORLD and payload.code in _NOT_LIVE:
                withdrawn(ctx)
    settle(ctx)


@message(AGENT)
def agent_unpublished(ctx: ReducerContext, payload: AgentUnpublished) -> None:
    """The world is out of the gallery, whoever asked for that."""
    withdrawn(ctx)
    operation = _running(ctx, AgentAction.UNPUBLISH_WORLD)
    if operation is not None and state_of(ctx.db).publish_key == payload.publish_key:
        stop_publishing(ctx)
        succeed(ctx, operation, {"profileId": payload.profile_id})
    settle(ctx)


@message(AGENT)
def session_reopened(ctx: ReducerContext, payload: SessionReopened) -> None:
    """The session is open again."""
    reopen(ctx)
    succeed(ctx, find_operation(ctx.db, payload.operation_id), {})
    settle(ctx)


@message(AGENT)
def reopen_rejected(ctx: ReducerContext, payload: ReopenRejected) -> None:
    """The session stays archived."""
    fail(ctx, find_operation(ctx.db, payload.operation_id), payload.code, payload.message)
    settle(ctx)


@message(AGENT)
def asset_bound(ctx: ReducerContext, payload: AssetBound) -> None:
    """An entity of the session has a new image, or lost the one that it had."""
    bind_image(ctx, payload)
    settle(ctx)


def _running(ctx: ReducerContext, action: AgentAction) -> CustomWorldAgentOperation | None:
    return ctx.db[CustomWorldAgentOperation].first(status=OperationStatus.RUNNING, action=action)


def _name_profile(ctx: ReducerContext, profile_id: str) -> None:
    named = replace(session_of(ctx.db), result_profile_id=profile_id)
    ctx.db[CustomWorldAgentSession].update(named)
