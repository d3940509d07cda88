"""Agent publish: how a session's world goes to the library and the gallery (domain 12.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from actors import ReducerContext, ReducerError, replace
from actors.domains.custom_world.agent.cards import WORLD_KEY, CustomWorldDraftCard
from actors.domains.custom_world.agent.checkpoints import make_checkpoint
from actors.domains.custom_world.agent.compile import compile_session, publish_facts, world_card
from actors.domains.custom_world.agent.images import finish_images
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    write_operation,
)
from actors.domains.custom_world.agent.preview import the_preview
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentState,
    session_of,
    session_profile_id,
    state_of,
)
from actors.domains.domain_types import CheckpointTrigger, EntityKind
from actors.domains.kinds import USER
from actors.domains.rules.compile import failed_checks, publish_gate
from actors.domains.rules.ids import derived_id, local_part
from actors.domains.world_messages import (
    AgentPublishAck,
    PublishFromAgent,
    SyncProfile,
    UnpublishFromAgent,
)

__all__ = [
    "begin_publishing",
    "finish_cover",
    "published",
    "send_profile",
    "stop_publishing",
    "withdraw",
    "withdrawn",
]

_LABEL: Final = "before publish"
_COVER: Final = "cover"
_PUBLISH: Final = "publish"


def begin_publishing(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> bool:
    """Keep what there is, and send it off; a world without a cover gets one first.

    Answers whether it has been sent. Raises ``world.gate_blocked``.
    """
    _check_gate(ctx)
    if operation.attempt == 1:
        make_checkpoint(ctx, CheckpointTrigger.BEFORE_PUBLISH, _LABEL)
    world = ctx.db[CustomWorldDraftCard].first(kind=EntityKind.WORLD, entity_key=WORLD_KEY)
    has_cover = world is not None and world.image_src is not None
    if has_cover:
        _send(ctx, operation)
    else:
        write_operation(ctx, replace(operation, phase_label=_COVER))
    return has_cover


def finish_cover(
    ctx: ReducerContext, operation: CustomWorldAgentOperation, result: Mapping[str, Any]
) -> None:
    """Give the world the cover that was made for it, and send it off.

    Raises:
        ReducerError: ``agent.payload_malformed``.
    """
    finish_images(ctx, operation, result)
    _send(ctx, operation)


def published(ctx: ReducerContext, ack: AgentPublishAck) -> None:
    """What was sent is live; or what somebody published from the library, whatever that is."""
    state = state_of(ctx.db)
    if state.publish_key == ack.publish_key:
        live = replace(state, live_revision=state.publish_revision, publish_key=None)
    else:
        is_current = the_preview(ctx.db).document_hash == ack.document_hash
        live = replace(state, live_revision=session_of(ctx.db).revision if is_current else 0)
    ctx.db[CustomWorldAgentState].update(live)


def withdraw(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Ask for the world to be taken out of the gallery."""
    key = derived_id(operation.agent_session_id, local_part(operation.operation_id))
    ctx.db[CustomWorldAgentState].update(replace(state_of(ctx.db), publish_key=key))
    ctx.send(
        USER.key(operation.user_id),
        UnpublishFromAgent(
            publish_key=key,
            agent_session_id=operation.agent_session_id,
            profile_id=session_profile_id(operation.agent_session_id),
        ),
        idempotency_key=key,
    )


def withdrawn(ctx: ReducerContext) -> None:
    """No version of the world is in the gallery any more."""
    ctx.db[CustomWorldAgentState].update(replace(state_of(ctx.db), live_revision=None))


def stop_publishing(ctx: ReducerContext) -> None:
    """What was asked for is not going to happen; what is live stays live."""
    ctx.db[CustomWorldAgentState].update(replace(state_of(ctx.db), publish_key=None))


def send_profile(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Send the compiled draft to the library, as it is."""
    compiled = compile_session(ctx.db)
    ctx.send(
        USER.key(operation.user_id),
        SyncProfile(
            agent_session_id=operation.agent_session_id,
            operation_id=operation.operation_id,
            profile_id=session_profile_id(operation.agent_session_id),
            document_json=compiled.document_json,
            document_hash=compiled.document_hash,
            card=world_card(compiled),
        ),
        idempotency_key=operation.operation_id,
    )


def _send(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Compile, and send the world to its user (12.5, step 1 to 2)."""
    session = session_of(ctx.db)
    compiled = compile_session(ctx.db)
    key = derived_id(session.agent_session_id, session.revision)
    state = replace(state_of(ctx.db), publish_key=key, publish_revision=session.revision)
    ctx.db[CustomWorldAgentState].update(state)
    write_operation(ctx, replace(operation, phase_label=_PUBLISH))
    ctx.send(
        USER.key(session.user_id),
        PublishFromAgent(
            publish_key=key,
            agent_session_id=session.agent_session_id,
            profile_id=session_profile_id(session.agent_session_id),
            document_json=compiled.document_json,
            document_hash=compiled.document_hash,
            card=world_card(compiled),
        ),
        idempotency_key=key,
    )


def _check_gate(ctx: ReducerContext) -> None:
    session = session_of(ctx.db)
    facts = publish_facts(ctx.db, session, compile_session(ctx.db))
    failed = failed_checks(publish_gate(facts))
    if failed:
        raise ReducerError(
            "world.gate_blocked",
            "the world cannot be published yet",
            failed=[{"checkCode": check.check_code, "message": check.message} for check in failed],
        )
