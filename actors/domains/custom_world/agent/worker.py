"""Agent worker: the effect that works at a session's operations, beside its actor (domain 7.6).

It owns nothing: what it makes becomes true by the calls of its lease. Without any model it makes
everything by the rules. Run again after a crash, it hands its lease back, and the next attempt's
worker goes on where the operation's task is.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from actors import EffectContext, ReducerError, ViewContext, effect
from actors.domains.custom_world.agent.operations import RunAgentOperation, is_wanted
from actors.domains.custom_world.agent.tasks import REPLY_ACTIONS
from actors.domains.custom_world.agent.worker_cards import make_cards
from actors.domains.custom_world.agent.worker_images import make_images
from actors.domains.custom_world.agent.worker_job import Job, Lease, job_of
from actors.domains.custom_world.agent.worker_reply import reply
from actors.domains.domain_types import AgentAction

__all__ = ["run_agent_operation"]

_IMAGES: Final = frozenset(
    {
        AgentAction.GENERATE_ROLE_ASSETS,
        AgentAction.GENERATE_SCENE_ASSETS,
        AgentAction.GENERATE_COVER,
        AgentAction.PUBLISH_WORLD,
    }
)

_OVER: Final = frozenset(
    {
        "agent.operation_not_found",
        "agent.session_not_found",
        "agent.stale_lease_conflict",
        "ai.stage_not_running_state",
        "ai.task_final_state",
        "ai.task_not_found",
    }
)
"""Refusals by which a worker learns that its work is no longer wanted."""

_PASSING: Final = frozenset({"idempotency.conflict", "state.actor_unavailable"})
"""Refusals that say nothing of the work itself; it is taken up again a little later."""


@effect
async def run_agent_operation(ctx: EffectContext, request: RunAgentOperation) -> None:
    """Work at an operation as long as its lease lasts; ends at once when it is called off."""
    try:
        async with ctx.unless(ctx.source, partial(_unwanted, request=request)):
            job = await ctx.read(ctx.source, partial(job_of, request=request))
            lease = Lease(ctx, request, job.book)
            if job.is_lost:
                await lease.fail("dependency.unavailable", "the worker was lost", retryable=True)
            else:
                await _work(ctx, lease, job)
    except ReducerError as refusal:
        if refusal.code not in _OVER:
            raise


async def _work(ctx: EffectContext, lease: Lease, job: Job) -> None:
    """Do what is asked; what the rules refuse fails the operation."""
    action = job.operation.action
    work = reply if action in REPLY_ACTIONS else make_images if action in _IMAGES else make_cards
    try:
        await work(ctx, lease, job)
    except ReducerError as refusal:
        if refusal.code in _OVER | _PASSING:
            raise
        await lease.fail(refusal.code, refusal.message)


def _unwanted(view: ViewContext, *, request: RunAgentOperation) -> bool | None:
    return None if is_wanted(view.db, request) else True
