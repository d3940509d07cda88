"""Agent archive: sessions that are put aside, and taken up again (domain 7.2, 7.5)."""

from __future__ import annotations

from actors import ReducerContext, replace
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation
from actors.domains.custom_world.agent.session import CustomWorldAgentSession, session_of
from actors.domains.domain_types import AgentStage
from actors.domains.kinds import USER
from actors.domains.world_messages import ReopenSession

__all__ = ["archive", "ask_to_reopen", "reopen"]


def archive(ctx: ReducerContext) -> None:
    """Put the session aside: it can be read, and nothing else."""
    archived = replace(session_of(ctx.db), stage=AgentStage.ARCHIVED)
    ctx.db[CustomWorldAgentSession].update(archived)


def ask_to_reopen(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Ask the user for one of the slots that sessions take up."""
    ctx.send(
        USER.key(operation.user_id),
        ReopenSession(operation.agent_session_id, operation.operation_id),
        idempotency_key=operation.operation_id,
    )


def reopen(ctx: ReducerContext) -> None:
    """Take the session up again; its stage follows from what there is."""
    opened = replace(session_of(ctx.db), stage=AgentStage.COLLECTING)
    ctx.db[CustomWorldAgentSession].update(opened)
