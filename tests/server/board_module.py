"""A small module: notes on a board, and who is there."""

from __future__ import annotations

from actors import (
    Identity,
    Rate,
    ReducerContext,
    ReducerError,
    client_connected,
    client_disconnected,
    reducer,
    table,
    u64,
)


@table(public=True, primary_key="id", auto_increment="id")
class Note:
    id: u64
    author: Identity
    text: str


@table(public=True, primary_key="identity")
class Visitor:
    identity: Identity


@reducer
def write_note(ctx: ReducerContext, text: str) -> None:
    if not text:
        raise ReducerError("note.text_empty", "a note says something")
    ctx.db[Note].insert(Note(id=0, author=ctx.sender, text=text))


@reducer(rate=Rate("bells", per_minute=1, burst=2))
def ring(ctx: ReducerContext) -> None:
    ctx.db[Note].insert(Note(id=0, author=ctx.sender, text="Ding"))


@reducer(roles=["service"])
def wipe(ctx: ReducerContext) -> None:
    for note in list(ctx.db[Note]):
        ctx.db[Note].delete(note.id)


@client_connected
def arrive(ctx: ReducerContext) -> None:
    if ctx.claims is not None and ctx.claims.display_name == "Intruder":
        raise ReducerError("visitor.refused", "not you")
    ctx.db[Visitor].upsert(Visitor(identity=ctx.sender))


@client_disconnected
def leave(ctx: ReducerContext) -> None:
    ctx.db[Visitor].delete(ctx.sender)
