"""Canary: a row that the server writes again and again to see that all of it still works."""

from __future__ import annotations

from actors import ReducerContext, message, reducer, struct, table, u8, u64
from actors.operations.kinds import CANARY, OPERATIONS_ROLE

__all__ = ["Beat", "OperationsCanary", "operations_beat"]


def _nobody(row: OperationsCanary) -> str:
    """No user is named so: only the server's own role reads the row."""
    del row
    return ""


@table(public=True, primary_key="id", readers=_nobody, readers_role=OPERATIONS_ROLE, actor=CANARY)
class OperationsCanary:
    """The last beat that was written, and the last one whose timer came."""

    id: u8
    written: u64
    timed: u64


@struct
class Beat:
    """A beat, by a number that no other one has."""

    beat: u64


@reducer(actor=CANARY, roles=[OPERATIONS_ROLE])
def operations_beat(ctx: ReducerContext, input: Beat) -> None:
    """Write a beat and set a timer that is due at once."""
    rows = ctx.db[OperationsCanary]
    last = rows.find(0)
    rows.upsert(OperationsCanary(0, input.beat, 0 if last is None else last.timed))
    ctx.send_at(ctx.timestamp, input, timer_id="beat")


@message(CANARY)
def beat_timed(ctx: ReducerContext, payload: Beat) -> None:
    """The timer of a beat has come."""
    rows = ctx.db[OperationsCanary]
    rows.update(OperationsCanary(0, rows.get(0).written, payload.beat))
