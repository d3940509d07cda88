"""Commands on subscriptions: which queries are asked, by how many, and what they cost."""

from __future__ import annotations

from pydantic import Field

from actors.host.inspected import PlanOrder
from actors.keys import ActorKey
from server.admin.commands import Params, Result, command
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.limits import ADMIN_LIST_ROWS_MAX

__all__ = ["ListPlans", "PlanEntry", "PlanList", "list_plans"]


class PlanEntry(Result):
    """One query over one actor, shared by all who ask the same."""

    actor: str = Field(description="The actor whose rows it reads.")
    name: str = Field(description="The table or view that its rows are of.")
    query: str = Field(description="A text that it was asked with; empty when it is forgotten.")
    source: str = Field(description="table, view or join.")
    column: str = Field(
        description="By whose value a change finds it; empty when it looks at every change."
    )
    caller: str = Field(description="Identity that it is computed for; empty for all callers.")
    reader: str = Field(description="User whose own rows these are; empty for everybody's.")
    subscribers: int = Field(description="Connections that are told its changes.")
    connections: list[str] = Field(description="Some of them.")
    updates: int = Field(description="Transactions that concerned it, as long as it was there.")
    rows: int = Field(description="Inserts and deletes of those, as one subscriber is told them.")


class PlanList(Result):
    """Queries that are subscribed to, the most of something first."""

    plans: list[PlanEntry] = Field(description="Those that were asked for.")
    total: int = Field(description="How many there are that match, shown or not.")


class ListPlans(Params):
    """Which queries to list."""

    actor: str | None = Field(None, description="Only those over this actor, by key.")
    name: str | None = Field(None, description="Only those whose rows are of this table or view.")
    sort: PlanOrder = Field(PlanOrder.SUBSCRIBERS, description="The most of this first.")
    limit: int = Field(50, ge=1, le=ADMIN_LIST_ROWS_MAX, description="At most so many.")


@command("subscriptions.list", role=Role.READ)
async def list_plans(ctx: AdminContext, params: ListPlans) -> PlanList:
    """List what is subscribed to: query, actor, subscribers, and what changes it was told.

    A query without a column is looked at for each change of its table; a view is computed anew
    for each change of what it reads.
    """
    page = await ctx.host.inspection.plans(
        actor=None if params.actor is None else ActorKey(params.actor),
        name=params.name,
        order=params.sort,
        limit=params.limit,
    )
    plans = [PlanEntry.model_validate(plan, from_attributes=True) for plan in page.plans]
    return PlanList(plans=plans, total=page.total)
