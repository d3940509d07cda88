"""A module for crash tests: whatever it loses, doubles or invents can be counted afterwards."""

from __future__ import annotations

from actors import (
    ActorKind,
    Audience,
    ReducerContext,
    ViewContext,
    i64,
    message,
    procedure,
    reducer,
    struct,
    table,
    u32,
    u64,
)

ENVELOPED = True

BOOK = ActorKind("book")
WALLET = ActorKind("wallet", Audience.CALLER)
VAULT = ActorKind("vault")
SHELF = ActorKind("shelf", Audience.EVERYONE, ("name",), shards=2)


@table(public=True, primary_key="id", auto_increment="id", actor=BOOK)
class Note:
    """One call; ``seq`` is the journal's number of its turn, and the book has no other turns.

    ``line`` numbers the connection that it came on, ``number`` the calls of that connection.
    """

    id: u64
    round: u32
    line: u32
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


@table(public=True, primary_key="name", actor=SHELF)
class Register:
    """A number that is put, added to and looked at by several at once."""

    name: str
    value: i64


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


@struct
class Put:
    name: str
    value: i64


@struct
class Add:
    name: str
    amount: i64
    request_id: str


@struct
class Look:
    name: str


@struct
class Value:
    value: i64


@reducer(actor=BOOK)
def write_note(ctx: ReducerContext, round: u32, line: u32, number: u32) -> None:
    ctx.db[Note].insert(Note(0, round, line, number, ctx.seq))


@reducer(actor=SHELF)
def put(ctx: ReducerContext, input: Put) -> None:
    ctx.db[Register].upsert(Register(input.name, input.value))


@reducer(actor=SHELF)
def add(ctx: ReducerContext, input: Add) -> Value:
    """Answer the sum; made again with its request id it answers the same and adds nothing."""
    before = ctx.db[Register].find(input.name)
    value = input.amount + (0 if before is None else before.value)
    ctx.db[Register].upsert(Register(input.name, value))
    return Value(value)


@procedure(actor=SHELF)
def look(ctx: ViewContext, input: Look) -> Value:
    register = ctx.db[Register].find(input.name)
    return Value(0 if register is None else register.value)


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
