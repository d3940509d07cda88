"""Agent operations: what a session was asked to do, and how far it has come (domain 7.1, 7.6).

An operation that needs work beside the actor runs under a lease: whoever names its epoch may speak
for it, and who is silent for too long loses it.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

from actors import ReducerContext, ReducerError, Timestamp, replace, struct, table, u32
from actors.domains.custom_world.agent.session import session_of
from actors.domains.custom_world.limits import (
    LEASE_MICROS,
    OPERATION_ATTEMPTS_MAX,
    OPERATION_INPUT_BYTES_MAX,
    OPERATIONS_ENDED_MAX,
)
from actors.domains.domain_types import AgentAction, OperationStatus, TextSource
from actors.domains.kinds import AGENT
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.ids import derived_id, local_id
from actors.domains.rules.text import check_id
from actors.module import DatabaseReader

__all__ = [
    "EFFECT",
    "CustomWorldAgentOperation",
    "LeaseExpired",
    "RunAgentOperation",
    "active_operation",
    "drop_lease",
    "find_operation",
    "grant_lease",
    "input_of",
    "is_final",
    "is_wanted",
    "lease_id",
    "leased_operation",
    "new_operation",
    "open_operations",
    "queue_of",
    "renew_lease",
    "write_operation",
]

EFFECT: Final = "run_agent_operation"
"""What works at operations beside the actor."""

_OPEN: Final = (OperationStatus.QUEUED, OperationStatus.RUNNING)


@table(
    public=True,
    primary_key="operation_id",
    index=["agent_session_id", "status"],
    actor=AGENT,
)
class CustomWorldAgentOperation:
    """One operation, from its acceptance to its end."""

    operation_id: str
    agent_session_id: str
    user_id: str
    action: AgentAction
    status: OperationStatus
    phase_label: str
    phase_detail: str
    progress_permille: u32
    attempt: u32
    max_attempts: u32
    lease_epoch: u32
    lease_expires_at: Timestamp | None
    cancel_requested: bool
    ai_task_id: str | None
    message_id: str | None
    input_json: str
    result_json: str | None
    result_source: TextSource | None
    charged_spark: u32
    refunded: bool
    error_code: str | None
    error_message: str | None
    created_at: Timestamp
    started_at: Timestamp | None
    finished_at: Timestamp | None
    updated_at: Timestamp


@struct
class RunAgentOperation:
    """A request to work at an operation, for whoever holds the lease of this epoch."""

    agent_session_id: str
    operation_id: str
    lease_epoch: u32


@struct
class LeaseExpired:
    """Time to see whether a worker is still there."""

    operation_id: str
    lease_epoch: u32


def new_operation(
    ctx: ReducerContext,
    action: AgentAction,
    payload: dict[str, object],
    message_id: str | None = None,
) -> CustomWorldAgentOperation:
    """Insert a queued operation, which may be about a message.

    Raises ``input.payload_too_large``.
    """
    input_json = write_json(payload)
    if len(input_json.encode()) > OPERATION_INPUT_BYTES_MAX:
        raise ReducerError("input.payload_too_large", "the action's payload is too large")
    session = session_of(ctx.db)
    return ctx.db[CustomWorldAgentOperation].insert(
        CustomWorldAgentOperation(
            operation_id=local_id(session.agent_session_id, ctx.new_id("op_")),
            agent_session_id=session.agent_session_id,
            user_id=session.user_id,
            action=action,
            status=OperationStatus.QUEUED,
            phase_label="",
            phase_detail="",
            progress_permille=0,
            attempt=0,
            max_attempts=OPERATION_ATTEMPTS_MAX,
            lease_epoch=0,
            lease_expires_at=None,
            cancel_requested=False,
            ai_task_id=None,
            message_id=message_id,
            input_json=input_json,
            result_json=None,
            result_source=None,
            charged_spark=0,
            refunded=False,
            error_code=None,
            error_message=None,
            created_at=ctx.timestamp,
            started_at=None,
            finished_at=None,
            updated_at=ctx.timestamp,
        )
    )


def find_operation(db: DatabaseReader, operation_id: str) -> CustomWorldAgentOperation:
    """An operation of this session; raises ``agent.operation_not_found``."""
    operation = db[CustomWorldAgentOperation].find(check_id(operation_id))
    if operation is None:
        raise ReducerError("agent.operation_not_found", "the session has no such operation")
    return operation


def leased_operation(
    db: DatabaseReader, operation_id: str, lease_epoch: int
) -> CustomWorldAgentOperation:
    """The operation that a worker speaks for.

    Raises:
        ReducerError: ``agent.operation_not_found``; ``agent.stale_lease_conflict``: somebody else
            has the lease, or nobody.
    """
    operation = find_operation(db, operation_id)
    has_lease = operation.lease_expires_at is not None
    if not has_lease or operation.lease_epoch != lease_epoch:
        raise ReducerError(
            "agent.stale_lease_conflict", "the lease is lost", epoch=operation.lease_epoch
        )
    return operation


def is_wanted(db: DatabaseReader, request: RunAgentOperation) -> bool:
    """Whether the worker that got a request shall go on with it."""
    operation = db[CustomWorldAgentOperation].find(request.operation_id)
    return (
        operation is not None
        and operation.lease_expires_at is not None
        and operation.lease_epoch == request.lease_epoch
        and not operation.cancel_requested
    )


def lease_id(operation_id: str, lease_epoch: int) -> str:
    """How a lease is called that a worker has begun to work with."""
    return derived_id(operation_id, lease_epoch)


def is_final(operation: CustomWorldAgentOperation) -> bool:
    """Whether nothing can happen to an operation any more."""
    return operation.status >= OperationStatus.SUCCEEDED


def open_operations(db: DatabaseReader) -> list[CustomWorldAgentOperation]:
    """Operations that wait or run, in the order in which they were accepted."""
    rows = [row for status in _OPEN for row in db[CustomWorldAgentOperation].filter(status=status)]
    return sorted(rows, key=_age)


def queue_of(db: DatabaseReader) -> list[CustomWorldAgentOperation]:
    """Operations that wait, the next one first; one that lost its worker is older than others."""
    waiting = db[CustomWorldAgentOperation].filter(status=OperationStatus.QUEUED)
    return sorted(waiting, key=_age)


def active_operation(db: DatabaseReader) -> CustomWorldAgentOperation | None:
    """The operation that runs and lets no other run beside it."""
    running = db[CustomWorldAgentOperation].filter(status=OperationStatus.RUNNING)
    return next((row for row in running if row.action not in _BESIDE), None)


_BESIDE: Final = frozenset({AgentAction.SYNC_RESULT_PROFILE})
"""What runs without keeping others waiting: it only waits for the library's answer."""


def input_of(operation: CustomWorldAgentOperation) -> dict[str, Any]:
    """What an operation was asked, as its action reads it."""
    return cast("dict[str, Any]", json.loads(operation.input_json))


def write_operation(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """Write a changed operation, updated now; with one that has ended, the oldest one may go."""
    operations = ctx.db[CustomWorldAgentOperation]
    operation = operations.update(replace(operation, updated_at=ctx.timestamp))
    if is_final(operation) and len(operations) > OPERATIONS_ENDED_MAX:
        ended = [row for row in operations if is_final(row)]
        if len(ended) > OPERATIONS_ENDED_MAX:
            operations.delete(min(ended, key=_age).operation_id)
    return operation


def grant_lease(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """Let a worker have a running operation for a while, and ask for one."""
    operation = write_operation(ctx, replace(operation, lease_epoch=operation.lease_epoch + 1))
    ctx.request_effect(
        EFFECT,
        RunAgentOperation(
            operation.agent_session_id, operation.operation_id, operation.lease_epoch
        ),
    )
    return renew_lease(ctx, operation)


def renew_lease(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """Let the worker have its operation for longer."""
    expires_at = ctx.timestamp + LEASE_MICROS
    ctx.send_at(
        expires_at,
        LeaseExpired(operation.operation_id, operation.lease_epoch),
        timer_id=_timer_of(operation),
    )
    return write_operation(ctx, replace(operation, lease_expires_at=Timestamp(expires_at)))


def drop_lease(
    ctx: ReducerContext, operation: CustomWorldAgentOperation
) -> CustomWorldAgentOperation:
    """The operation without a lease: nobody works at it any more."""
    ctx.cancel(_timer_of(operation))
    return replace(operation, lease_expires_at=None)


def _timer_of(operation: CustomWorldAgentOperation) -> str:
    return derived_id(operation.operation_id, "lease")


def _age(operation: CustomWorldAgentOperation) -> tuple[int, str]:
    return operation.created_at, operation.operation_id
