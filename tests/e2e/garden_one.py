"""A garden, first version: what later ones grow from, or do not."""

from __future__ import annotations

from enum import IntEnum

from actors import ActorKind, Audience, ReducerContext, reducer, table, u32

PERSON = ActorKind("person", Audience.CALLER)


class Kind(IntEnum):
    TREE = 0
    FLOWER = 1


@table(public=True, primary_key="name", actor=PERSON)
class Plant:
    name: str
    kind: Kind


@table(public=True, actor=PERSON)
class Seed:
    name: str


@table(public=True, primary_key="number")
class Bed:
    number: u32


@reducer(actor=PERSON)
def sow(ctx: ReducerContext, name: str) -> None:
    ctx.db[Plant].upsert(Plant(name, Kind.FLOWER))
    ctx.db[Seed].insert(Seed(name))


@reducer
def dig(ctx: ReducerContext, number: u32) -> None:
    ctx.db[Bed].insert(Bed(number))
