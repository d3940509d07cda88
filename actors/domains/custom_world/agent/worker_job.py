"""Agent worker's job: what a worker knows of its operation, and how it reports (domain 7.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from actors import EffectContext, ViewContext
from actors.domains.ai.stages import AiTaskStage, stages_of
from actors.domains.ai.tasks import AiTask, find_task
from actors.domains.custom_world.agent.calls import (
    FailAgentOperation,
    FinishAgentOperation,
    ReportAgentOperationProgress,
    fail_agent_operation,
    finish_agent_operation,
    report_agent_operation_progress,
)
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard, cards_of, payload_of
from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage, messages_of
from actors.domains.custom_world.agent.operations import (
    CustomWorldAgentOperation,
    RunAgentOperation,
    find_operation,
    input_of,
    lease_id,
)
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    session_of,
    state_of,
)
from actors.domains.data.agent_books import agent_book
from actors.domains.domain_types import AgentAction, OperationStatus, TextSource
from actors.domains.rules.agent import AgentBook, NewCard
from actors.domains.rules.ids import local_part

__all__ = ["Job", "Lease", "job_of", "known_card"]


class Job(NamedTuple):
    """An operation as a worker finds it.

    Attributes:
        asked: the operation's input.
        cards: all cards of the session, in order.
        messages: all of them, in order.
        drafts: how many foundations were drafted before.
        is_lost: a worker has begun with this lease, and is no more.
    """

    operation: CustomWorldAgentOperation
    asked: dict[str, Any]
    task: AiTask
    stages: Sequence[AiTaskStage]
    session: CustomWorldAgentSession
    cards: Sequence[CustomWorldDraftCard]
    messages: Sequence[CustomWorldAgentMessage]
    drafts: int
    is_lost: bool

    @property
    def book(self) -> AgentBook:
        """What is said and drawn from in the session's language."""
        return agent_book(self.session.locale)


class Lease:
    """A worker's right to speak for an operation; every call refuses once it is lost.

    Args:
        ctx: of the effect.
        request: which operation, and the epoch that the worker was asked in.
        book: what phases are called.
    """

    def __init__(self, ctx: EffectContext, request: RunAgentOperation, book: AgentBook) -> None:
        self._ctx = ctx
        self._request = request
        self._book = book
        self._calls = 0

    async def report(self, phase: str, progress_permille: int) -> None:
        """Say what is being done; that renews the lease."""
        call = ReportAgentOperationProgress(
            operation_id=self._request.operation_id,
            lease_epoch=self._request.lease_epoch,
            phase_label=phase,
            phase_detail=self._book.phases[phase],
            progress_permille=progress_permille,
            request_id=self._request_id(),
        )
        await self._ctx.call(report_agent_operation_progress, call)

    async def finish(self, result_json: str, source: TextSource) -> None:
        """Hand the result in, which ends the operation and its task."""
        call = FinishAgentOperation(
            operation_id=self._request.operation_id,
            lease_epoch=self._request.lease_epoch,
            result_json=result_json,
            source=source,
            request_id=self._request_id(),
        )
        await self._ctx.call(finish_agent_operation, call)

    async def fail(self, code: str, message: str, *, retryable: bool = False) -> None:
        """Give the operation up, or this attempt at it."""
        call = FailAgentOperation(
            operation_id=self._request.operation_id,
            lease_epoch=self._request.lease_epoch,
            error_code=code,
            error_message=message,
            retryable=retryable,
            request_id=self._request_id(),
        )
        await self._ctx.call(fail_agent_operation, call)

    def _request_id(self) -> str:
        """No other call has it, of whatever run."""
        self._calls += 1
        return f"{local_part(self._request.operation_id)}:{self._ctx.timestamp}:{self._calls}"


def job_of(view: ViewContext, *, request: RunAgentOperation) -> Job:
    """The job of a request; raises ``agent.operation_not_found`` or ``ai.task_not_found``."""
    operation = find_operation(view.db, request.operation_id)
    task = find_task(view.db, operation.ai_task_id or "none")
    drafts = (
        row
        for row in view.db[CustomWorldAgentOperation].filter(status=OperationStatus.SUCCEEDED)
        if row.action is AgentAction.DRAFT_FOUNDATION
    )
    return Job(
        operation=operation,
        asked=input_of(operation),
        task=task,
        stages=stages_of(view.db, task.ai_task_id),
        session=session_of(view.db),
        cards=cards_of(view.db),
        messages=messages_of(view.db),
        drafts=sum(1 for _ in drafts),
        is_lost=state_of(view.db).begun_lease
        == lease_id(request.operation_id, request.lease_epoch),
    )


def known_card(card: CustomWorldDraftCard) -> NewCard:
    """A card of the session as the rules know cards."""
    return NewCard(card.kind, card.entity_key, payload_of(card))
