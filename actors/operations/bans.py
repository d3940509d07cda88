"""Bans: users whom this server does not let in, for a while or for good."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, Timestamp, reducer, struct, table
from actors.operations.kinds import OPERATIONS, OPERATIONS_ROLE
from actors.operations.limits import BANS_MAX

__all__ = ["Ban", "OperationsBan", "Unban", "operations_lift_ban", "operations_put_ban"]


@table(primary_key="user_id", actor=OPERATIONS)
class OperationsBan:
    """A user who is not let in; ``until`` is when that ends, None for never."""

    user_id: str
    banned_at: Timestamp
    until: Timestamp | None
    operator: str
    reason: str


@struct
class Ban:
    """A user not to let in any more; an earlier ban of the same user is replaced."""

    banned: str
    until: Timestamp | None
    operator: str
    reason: str


@struct
class Unban:
    """A user to let in again."""

    banned: str


@reducer(actor=OPERATIONS, roles=[OPERATIONS_ROLE])
def operations_put_ban(ctx: ReducerContext, input: Ban) -> OperationsBan:
    """Ban a user; bans that are over are forgotten on this occasion."""
    bans = ctx.db[OperationsBan]
    for ban in list(bans):
        if ban.until is not None and ban.until <= ctx.timestamp:
            bans.delete(ban.user_id)
    if len(bans) >= BANS_MAX and bans.find(input.banned) is None:
        raise ReducerError("limit.quota_exceeded", f"at most {BANS_MAX} users can be banned")
    row = OperationsBan(input.banned, ctx.timestamp, input.until, input.operator, input.reason)
    return bans.upsert(row)


@reducer(actor=OPERATIONS, roles=[OPERATIONS_ROLE])
def operations_lift_ban(ctx: ReducerContext, input: Unban) -> None:
    """Let a user in again."""
    if not ctx.db[OperationsBan].delete(input.banned):
        raise ReducerError("ban.not_found", "this user is not banned")
