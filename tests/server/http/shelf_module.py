"""A module with routes of every shape: readers, and the books on their shelves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from enum import IntEnum

from actors import (
    Access,
    ActorKind,
    Audience,
    Identity,
    ObjectBody,
    ObjectStore,
    ProcedureContext,
    Rate,
    ReducerContext,
    ReducerError,
    Route,
    ServerEvent,
    Timestamp,
    Upload,
    ViewContext,
    client_connected,
    client_disconnected,
    i64,
    procedure,
    reducer,
    struct,
    table,
    u8,
    u32,
    u64,
)

READER = ActorKind("reader", Audience.CALLER, ("reader_id",))
CLOSED: dict[str, asyncio.Event] = {}
"""Set when a stream is closed, by the name that its reader gave it."""


class Mood(IntEnum):
    QUIET = 0
    VERY_LOUD = 1


@struct
class Part:
    name: str
    pages: u32
    note: str | None = None


@table(public=True, primary_key="user_id", actor=READER)
class Account:
    user_id: str
    arrivals: u32
    departures: u32


@table(public=True, primary_key="book_id", auto_increment="book_id", actor=READER)
class Book:
    book_id: u64
    title: str
    mood: Mood
    details_json: str
    added_at: Timestamp


@struct
class AddBook:
    title: str
    mood: Mood
    details_json: str
    request_id: str


@struct
class BookAnswer:
    book: Book


@struct
class BookPage:
    items: list[Book]
    next_cursor: str | None


@struct
class Everything:
    flag: bool
    small: u8
    large: u64
    signed: i64
    text: str
    moment: Timestamp
    who: Identity
    data: bytes
    mood: Mood
    parts: list[Part]
    part: Part
    details_json: str
    maybe: u32 | None
    extra_json: str | None
    count: u32 = 7


@struct
class Search:
    words: list[str]
    limit: u32
    flag: bool | None
    mood: Mood | None
    since: Timestamp | None
    offset: i64 = 0


@client_connected(actor=READER)
def arrive(ctx: ReducerContext) -> None:
    assert ctx.claims is not None
    if ctx.claims.display_name == "Intruder":
        raise ReducerError("reader.entry_forbidden", "not you")
    if ctx.claims.display_name == "Breaker":
        raise ValueError("a defect")
    known = ctx.db[Account].find(ctx.key) or Account(ctx.key, 0, 0)
    ctx.db[Account].upsert(Account(ctx.key, known.arrivals + 1, known.departures))


@client_disconnected(actor=READER)
def leave(ctx: ReducerContext) -> None:
    known = ctx.db[Account].get(ctx.key)
    ctx.db[Account].upsert(Account(ctx.key, known.arrivals, known.departures + 1))


@reducer(actor=READER)
def add_book(ctx: ReducerContext, input: AddBook) -> Book:
    """Put a book on the shelf."""
    if not input.title:
        raise ReducerError("book.text_empty", "a book has a title")
    book = Book(0, input.title, input.mood, input.details_json, ctx.timestamp)
    return ctx.db[Book].insert(book)


@reducer(actor=READER)
def burn_books(ctx: ReducerContext) -> None:
    for book in list(ctx.db[Book]):
        ctx.db[Book].delete(book.book_id)


@reducer(actor=READER, roles=["service"])
def serve(ctx: ReducerContext) -> None:
    ctx.db[Account].get(ctx.key)


@struct
class ListBooks:
    limit: u32
    cursor: str | None


@procedure(actor=READER)
def list_books(ctx: ViewContext, input: ListBooks) -> list[Book]:
    return list(ctx.db[Book])[: input.limit]


@struct
class BookAddress:
    book_id: u64


@procedure(actor=READER)
def get_book(ctx: ViewContext, input: BookAddress) -> Book:
    book = ctx.db[Book].find(input.book_id)
    if book is None:
        raise ReducerError("book.not_found", "there is no such book")
    return book


@procedure(actor=READER)
def get_account(ctx: ViewContext) -> Account:
    return ctx.db[Account].get(ctx.key)


@procedure
async def show_latest(ctx: ProcedureContext) -> Book | None:
    books = await ctx.read(READER.key(ctx.user_id), lambda view: list(view.db[Book]))
    return books[-1] if books else None


async def echo(ctx: ProcedureContext, input: Everything) -> Everything:
    """Answer what was sent."""
    del ctx
    return input


async def search(ctx: ProcedureContext, input: Search) -> Search:
    del ctx
    return input


@struct
class Refuse:
    code: str
    seconds: u32 | None


async def refuse(ctx: ProcedureContext, input: Refuse) -> None:
    details = {} if input.seconds is None else {"retry_after_seconds": input.seconds}
    raise ReducerError(input.code, "as asked", **details)


async def explode(ctx: ProcedureContext) -> None:
    raise RuntimeError("a secret of ours")


async def who_am_i(ctx: ProcedureContext) -> dict[str, object]:
    return {"userId": ctx.user_id, "roles": sorted(ctx.claims.roles), "mood": Mood.VERY_LOUD}


@struct
class Watch:
    name: str
    last_event_id: str | None
    until: u32 = 1_000_000


async def watch(ctx: ProcedureContext, input: Watch) -> AsyncIterator[ServerEvent]:
    """Tell the books that come, until there are enough of them."""
    if input.name == "nobody":
        raise ReducerError("book.not_found", "nobody reads here")
    if input.name == "broken":
        raise RuntimeError("a secret of ours")
    last = input.last_event_id or "0"
    if not (last.isascii() and last.isdigit()):
        raise ReducerError("book.invalid_event", "events have numbers")
    reader = READER.key(ctx.user_id)
    seen = int(last)
    yield ServerEvent("hello", {"seen": seen})

    def newer(view: ViewContext) -> list[Book]:
        return [book for book in view.db[Book] if book.book_id > seen]

    try:
        while seen < input.until:
            for book in await ctx.until(reader, lambda view: newer(view) or None) or ():
                if book.title == "forbidden":
                    raise ReducerError("book.not_owner", "this one is not for you")
                if book.title == "broken":
                    raise RuntimeError("a secret of ours")
                seen = book.book_id
                yield ServerEvent("book", book, str(seen))
    finally:
        if input.name in CLOSED:
            CLOSED[input.name].set()


async def take_cover(ctx: ProcedureContext, upload: Upload) -> dict[str, object]:
    if upload.data.startswith(b"<svg"):
        raise ReducerError("asset.unsupported_media", "no drawings")
    store = ctx.port(ObjectStore)
    assert store is not None
    await store.put("covers", f"{ctx.user_id}/cover", upload.data, "image/png")
    return {"size": len(upload.data), "fields": upload.fields}


@struct
class ObjectAddress:
    bucket: str
    key: str


async def show_object(ctx: ProcedureContext, input: ObjectAddress) -> ObjectBody:
    if input.bucket == "secret":
        raise ReducerError("asset.not_found", "there is no such object")
    is_public = input.bucket == "public"
    return ObjectBody(input.bucket, input.key, "image/svg+xml", 11, "ab" * 32, is_public)


def page_of(books: list[Book]) -> BookPage:
    return BookPage(books, None)


@struct
class Titled:
    title: str
    request_id: str


def read_titled(titled: Titled) -> AddBook:
    return AddBook(titled.title, Mood.QUIET, "{}", titled.request_id)


def status_of_book(book: Book) -> int:
    return 202 if book.title == "later" else 200


ROUTES = (
    Route("GET", "/api/account", get_account),
    Route("GET", "/api/whoami", who_am_i, access=Access.ANYONE),
    Route("POST", "/api/echo", echo, access=Access.ANYONE),
    Route("GET", "/api/search", search, access=Access.ANYONE),
    Route("GET", "/api/books", list_books, page_of),
    Route("POST", "/api/books", add_book, BookAnswer, status=201),
    Route("DELETE", "/api/books", burn_books, status=204),
    Route("POST", "/api/books/plain", add_book, read=read_titled, status=status_of_book),
    Route("GET", "/api/books/latest", show_latest),
    Route("GET", "/api/books/{book_id}", get_book, BookAnswer),
    Route("GET", "/api/watch/{name}", watch),
    Route("POST", "/api/watch", watch),
    Route("POST", "/api/refuse", refuse),
    Route("GET", "/api/explode", explode),
    Route("POST", "/api/serve", serve, roles=frozenset({"service"})),
    Route("GET", "/api/rare", who_am_i, rate=Rate("rare", 6, 1), access=Access.ANYONE),
    Route("POST", "/api/small", echo, body_bytes_max=64),
    Route("POST", "/api/shelves/{shelf}/cover", take_cover, is_upload=True, status=201),
    Route("GET", "/objects/{bucket}/{key:path}", show_object, access=Access.ANYONE),
)
