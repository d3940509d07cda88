"""Counters: one actor per user, one small row each; the least that a call can do."""

from __future__ import annotations

from actors import ActorKind, Audience, ReducerContext, reducer, replace, table, u64

USERS = ActorKind("users", Audience.CALLER, ("user_id",))


@table(public=True, primary_key="user_id", actor=USERS)
class Counter:
    user_id: str
    total: u64


@reducer(actor=USERS)
def bump(ctx: ReducerContext, amount: u64) -> None:
    counters = ctx.db[Counter]
    counter = counters.find(ctx.key)
    if counter is None:
        counters.insert(Counter(ctx.key, amount))
    else:
        counters.update(replace(counter, total=counter.total + amount))
