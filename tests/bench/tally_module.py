"""Counters of three kinds, as the peers of the comparison keep them: own, for all, private."""

from __future__ import annotations

from actors import ActorKind, Audience, ReducerContext, reducer, replace, table, u32, u64

START = 1_000_000_000
USERS = ActorKind("users", Audience.CALLER, ("user_id",))
HALL = ActorKind("hall", Audience.EVERYONE)


@table(public=True, primary_key="user_id", actor=USERS)
class Counter:
    user_id: str
    total: u64


@table(public=True, primary_key="id", actor=HALL)
class Board:
    id: u32
    total: u64


@table(public=True, primary_key="number", actor=HALL, readers=lambda purse: purse.user_id)
class Purse:
    number: u32
    user_id: str
    total: u64


@reducer(actor=USERS)
def bump(ctx: ReducerContext) -> None:
    """Count for the caller."""
    counters = ctx.db[Counter]
    counter = counters.find(ctx.key) or Counter(ctx.key, START)
    counters.upsert(replace(counter, total=counter.total + 1))


@reducer(actor=HALL)
def write(ctx: ReducerContext) -> None:
    """Count for everybody who follows."""
    boards = ctx.db[Board]
    board = boards.find(0) or Board(0, START)
    boards.upsert(replace(board, total=board.total + 1))


@reducer(actor=HALL)
def enroll(ctx: ReducerContext, number: u32) -> None:
    """Open a purse for the caller."""
    ctx.db[Purse].insert(Purse(number, ctx.user_id, START))


@reducer(actor=HALL)
def give(ctx: ReducerContext, number: u32) -> None:
    """Count in somebody's purse; only its owner sees it."""
    purses = ctx.db[Purse]
    purse = purses.get(number)
    purses.update(replace(purse, total=purse.total + 1))
