"""Agent calls: how workers report on the operations that they hold the lease of (domain 7.6)."""

from __future__ import annotations

from actors import ReducerContext, message, reducer, replace, struct, u32
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    LeaseExpired,
    lease_id,
    leased_operation,
    renew_lease,
)
from actors.domains.custom_world.agent.queue import fail, finish_work, requeue
from actors.domains.custom_world.agent.results import read_result
from actors.domains.custom_world.agent.session import CustomWorldAgentState, state_of
from actors.domains.custom_world.agent.settle import settle
from actors.domains.custom_world.limits import (
    PHASE_DETAIL_CHARS_MAX,
    PHASE_LABEL_CHARS_MAX,
)
from actors.domains.domain_types import TextSource
from actors.domains.kinds import AGENT
from actors.domains.rules.text import check_id, cut_text

__all__ = [
    "FailAgentOperation",
    "FinishAgentOperation",
    "ReportAgentOperationProgress",
    "fail_agent_operation",
    "finish_agent_operation",
    "lease_expired",
    "report_agent_operation_progress",
]

_SERVICE = frozenset({"service"})
_WHOLE = 1_000


@struct
class ReportAgentOperationProgress:
    """Input of ``report_agent_operation_progress``."""

    operation_id: str
    lease_epoch: u32
    phase_label: str
    phase_detail: str
    progress_permille: u32
    request_id: str


@struct
class FinishAgentOperation:
    """Input of ``finish_agent_operation``; what the result holds, follows from the action."""

    operation_id: str
    lease_epoch: u32
    result_json: str
    source: TextSource
    request_id: str


@struct
class FailAgentOperation:
    """Input of ``fail_agent_operation``; what is retryable is tried again, up to three times."""

    operation_id: str
    lease_epoch: u32
    error_code: str
    error_message: str
    retryable: bool
    request_id: str


@reducer(actor=AGENT, roles=_SERVICE)
def report_agent_operation_progress(
    ctx: ReducerContext, input: ReportAgentOperationProgress
) -> CustomWorldAgentOperation:
    """Say how far an operation has come, which renews the lease; progress never goes back.

    A worker does so first of all: who finds its lease begun knows that the one before was lost.

    Raises ``agent.operation_not_found`` or ``agent.stale_lease_conflict``.
    """
    operation = leased_operation(ctx.db, input.operation_id, input.lease_epoch)
    begun = lease_id(input.operation_id, input.lease_epoch)
    ctx.db[CustomWorldAgentState].update(replace(state_of(ctx.db), begun_lease=begun))
    progress = min(max(operation.progress_permille, input.progress_permille), _WHOLE)
    reported = replace(
        operation,
        phase_label=cut_text(input.phase_label, PHASE_LABEL_CHARS_MAX),
        phase_detail=cut_text(input.phase_detail, PHASE_DETAIL_CHARS_MAX),
        progress_permille=progress,
    )
    return renew_lease(ctx, reported)


@reducer(actor=AGENT, roles=_SERVICE)
def finish_agent_operation(
    ctx: ReducerContext, input: FinishAgentOperation
) -> CustomWorldAgentOperation:
    """Hand in an operation's result, which is applied whole in this transaction.

    Cards are made of ``{"cards": [{"kind", "key"?, "payload", "status"}]}``, images are given by
    ``{"images": [{"cardId", "imageSrc"}]}``, replies end with the output of a turn (domain 8.3).

    Raises ``agent.operation_not_found``, ``agent.stale_lease_conflict``,
    ``agent.payload_malformed``, ``limit.quota_exceeded`` and the refusals of JSON.
    """
    operation = leased_operation(ctx.db, input.operation_id, input.lease_epoch)
    operation = finish_work(ctx, operation, read_result(input.result_json), input.source)
    settle(ctx)
    return operation


@reducer(actor=AGENT, roles=_SERVICE)
def fail_agent_operation(
    ctx: ReducerContext, input: FailAgentOperation
) -> CustomWorldAgentOperation:
    """Give an operation up, or try it again if that is worth it.

    Raises ``agent.operation_not_found``, ``agent.stale_lease_conflict`` or ``input.invalid_id``.
    """
    operation = leased_operation(ctx.db, input.operation_id, input.lease_epoch)
    end = requeue if input.retryable else fail
    operation = end(ctx, operation, check_id(input.error_code), input.error_message)
    settle(ctx)
    return operation


@message(AGENT)
def lease_expired(ctx: ReducerContext, payload: LeaseExpired) -> None:
    """Take an operation away from a worker that has been silent for too long."""
    operation = ctx.db[CustomWorldAgentOperation].find(payload.operation_id)
    if operation is None or operation.lease_epoch != payload.lease_epoch:
        return
    if operation.lease_expires_at is not None and operation.lease_expires_at <= ctx.timestamp:
        requeue(ctx, operation, "dependency.timeout", "the worker was lost")
        settle(ctx)
