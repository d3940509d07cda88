"""Agent steps: what each queued action does when it begins, ends well, or does not (domain 7.5)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from actors import ReducerContext
from actors.domains.custom_world.agent.archive import archive, ask_to_reopen
from actors.domains.custom_world.agent.checkpoints import make_checkpoint, revert_to
from actors.domains.custom_world.agent.drafting import begin_drafting, finish_cards
from actors.domains.custom_world.agent.images import (
    begin_images,
    finish_images,
    stop_images,
)
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, input_of
from actors.domains.custom_world.agent.publish import (
    begin_publishing,
    finish_cover,
    stop_publishing,
    withdraw,
)
from actors.domains.custom_world.agent.reply import begin_reply, finish_reply, stop_reply
from actors.domains.custom_world.agent.tasks import REPLY_ACTIONS
from actors.domains.domain_types import AgentAction, CheckpointTrigger, TextSource

__all__ = ["IMAGE_ACTIONS", "Begun", "Needs", "begin", "finish", "stop"]

IMAGE_ACTIONS: Final = frozenset(
    {
        AgentAction.GENERATE_ROLE_ASSETS,
        AgentAction.GENERATE_SCENE_ASSETS,
        AgentAction.GENERATE_COVER,
    }
)


class Needs(Enum):
    """What an operation waits for when it has begun."""

    NOTHING = "nothing"
    WORKER = "worker"
    ANSWER = "answer"
    """Of another actor, which always comes."""


class Begun(NamedTuple):
    """How an operation has begun; with nothing to wait for, it is done and has its report."""

    needs: Needs
    report: dict[str, object]


def begin(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> Begun:
    """Begin an attempt at an operation.

    Raises:
        ReducerError: it cannot be done; nothing has changed.
    """
    asked = input_of(operation)
    match operation.action:
        case AgentAction.AGENT_REPLY | AgentAction.RETRY_REPLY:
            begin_reply(ctx, operation)
        case AgentAction.DRAFT_FOUNDATION:
            begin_drafting(ctx, operation)
        case (
            AgentAction.GENERATE_ROLE_ASSETS
            | AgentAction.GENERATE_SCENE_ASSETS
            | AgentAction.GENERATE_COVER
        ):
            begin_images(ctx, operation)
        case AgentAction.CREATE_CHECKPOINT:
            made = make_checkpoint(ctx, CheckpointTrigger.MANUAL, asked["label"])
            return Begun(Needs.NOTHING, {"checkpointId": made.checkpoint_id})
        case AgentAction.REVERT_CHECKPOINT:
            kept = revert_to(ctx, asked["checkpointId"])
            return Begun(Needs.NOTHING, {"checkpointId": kept.checkpoint_id})
        case AgentAction.PUBLISH_WORLD:
            has_cover = begin_publishing(ctx, operation)
            return Begun(Needs.ANSWER if has_cover else Needs.WORKER, {})
        case AgentAction.UNPUBLISH_WORLD:
            withdraw(ctx, operation)
            return Begun(Needs.ANSWER, {})
        case AgentAction.ARCHIVE_SESSION:
            archive(ctx)
            return Begun(Needs.NOTHING, {})
        case AgentAction.RESTORE_SESSION:
            ask_to_reopen(ctx, operation)
            return Begun(Needs.ANSWER, {})
    return Begun(Needs.WORKER, {})


def finish(
    ctx: ReducerContext,
    operation: CustomWorldAgentOperation,
    result: Mapping[str, Any],
    source: TextSource,
) -> dict[str, object] | None:
    """Apply what a worker hands in; answers the report, or None when more is to come.

    Raises:
        ReducerError: ``agent.payload_malformed``, and the refusals of cards.
    """
    if operation.action in REPLY_ACTIONS:
        return finish_reply(ctx, operation, result, source)
    if operation.action is AgentAction.PUBLISH_WORLD:
        finish_cover(ctx, operation, result)
        return None
    if operation.action in IMAGE_ACTIONS:
        return finish_images(ctx, operation, result)
    return finish_cards(ctx, operation, result, source)


def stop(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Tidy up after an operation that failed or was called off."""
    if operation.action in REPLY_ACTIONS:
        stop_reply(ctx, operation)
    elif operation.action in IMAGE_ACTIONS:
        stop_images(ctx, operation)
    elif operation.action in {AgentAction.PUBLISH_WORLD, AgentAction.UNPUBLISH_WORLD}:
        stop_publishing(ctx)
