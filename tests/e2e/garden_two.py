"""A garden, second version: a new variant, columns with defaults, a table and a function more."""

from __future__ import annotations

from enum import IntEnum

from actors import ActorKind, Audience, ReducerContext, reducer, replace, table, u32

PERSON = ActorKind("person", Audience.CALLER)


class Kind(IntEnum):
    TREE = 0
    FLOWER = 1
    HERB = 2


@table(public=True, primary_key="name", index=["height"], actor=PERSON)
class Plant:
    name: str
    kind: Kind
    height: u32 = 3
    note: str | None = None


@table(public=True, actor=PERSON)
class Seed:
    name: str
    count: u32 = 1


@table(public=True, primary_key="number")
class Bed:
    number: u32


@table(public=True, primary_key="number")
class Pond:
    number: u32


@reducer(actor=PERSON)
def sow(ctx: ReducerContext, name: str) -> None:
    ctx.db[Plant].upsert(Plant(name, Kind.HERB, 0))
    ctx.db[Seed].insert(Seed(name))


@reducer
def dig(ctx: ReducerContext, number: u32) -> None:
    ctx.db[Bed].insert(Bed(number))


@reducer
def flood(ctx: ReducerContext, number: u32) -> None:
    ctx.db[Pond].insert(Pond(number))


@reducer(actor=PERSON)
def grow(ctx: ReducerContext) -> None:
    for found in ctx.db[Plant]:
        ctx.db[Plant].update(replace(found, height=found.height + 1))
