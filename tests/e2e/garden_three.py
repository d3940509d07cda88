"""A garden that is no version of the others: they have plants of another shape."""

from __future__ import annotations

from actors import ActorKind, Audience, ReducerContext, reducer, table, u32, u64

PERSON = ActorKind("person", Audience.CALLER)


@table(public=True, primary_key="name", actor=PERSON)
class Plant:
    name: str
    height: u64


@table(public=True, primary_key="number")
class Bed:
    number: u32


@reducer
def dig(ctx: ReducerContext, number: u32) -> None:
    ctx.db[Bed].insert(Bed(number))
