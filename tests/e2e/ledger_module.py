"""A module for crash tests: whatever it loses, doubles or invents can be counted afterwards."""

from __future__ import annotations

from actors import (
    ActorKind,
    Audience,
    ReducerContext,
    message,
    reducer,
    struct,
    table,
    u32,
    u64,
)

BOOK = ActorKind("book")
WALLET = ActorKind("wallet", Audience.CALLER)
VAULT = ActorKind("vault")


@table(public=True, primary_key="id", auto_increment="id", actor=BOOK)
class Note:
    """One call; ``seq`` is the journal's number of its turn, and the book has no other turns."""

    id: u64
    writer: u32
    life: u32
    number: u32
    seq: u64


@table(public=True, primary_key="id", auto_increment="id", actor=WALLET)
class Payment:
    """Sent away by a call that its caller repeats until it is acknowledged."""

    id: u64
    number: u32


@table(public=True, primary_key="id", auto_increment="id", actor=VAULT)
class Entry:
    """A payment that has come in."""

    id: u64
    user_id: str
    number: u32


@table(public=True, primary_key="id", auto_increment="id", actor=WALLET)
class Receipt:
    """The vault's word that a payment has come in."""

    id: u64
    number: u32


@struct
class Pay:
    number: u32
    request_id: str


@struct
class Paid:
    user_id: str
    number: u32


@struct
class Received:
    number: u32


@reducer(actor=BOOK)
def write_note(ctx: ReducerContext, writer: u32, life: u32, number: u32) -> None:
    ctx.db[Note].insert(Note(0, writer, life, number, ctx.seq))


@reducer(actor=WALLET)
def pay(ctx: ReducerContext, input: Pay) -> None:
    ctx.db[Payment].insert(Payment(0, input.number))
    ctx.send(VAULT.key("0"), Paid(ctx.user_id, input.number))


@message(VAULT)
def take(ctx: ReducerContext, payment: Paid) -> None:
    ctx.db[Entry].insert(Entry(0, payment.user_id, payment.number))
    assert ctx.source is not None
    ctx.send(ctx.source, Received(payment.number))


@message(WALLET)
def file(ctx: ReducerContext, received: Received) -> None:
    ctx.db[Receipt].insert(Receipt(0, received.number))
