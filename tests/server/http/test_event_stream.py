"""Streams of events: what stands on the wire, and how they end (domain 11.4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
import shelf_module
from shelf import Shelf, reply_of

from actors.module.routes import ServerEvent
from server.http import event_stream
from server.http.event_stream import event_bytes

BOOK = {"title": "Emma", "mood": "quiet", "details": {}}


class Listening:
    """The client's end of a stream: blocks of text as they come."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._text = b""

    async def block(self) -> str | None:
        """The next event or comment; None at the end of the stream."""
        while b"\n\n" not in self._text:
            size = int((await self.reader.readuntil(b"\r\n")).strip(), 16)
            chunk = await self.reader.readexactly(size + 2)
            if size == 0:
                assert self._text == b""
                return None
            self._text += chunk[:-2]
        block, _, self._text = self._text.partition(b"\n\n")
        return block.decode()

    async def event(self) -> tuple[str, object]:
        block = await self.block()
        assert block is not None
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        return lines["event"], json.loads(lines["data"])

    async def end(self) -> None:
        assert await self.block() is None


@pytest.fixture
async def listen(shelf: Shelf):
    opened: list[asyncio.StreamWriter] = []

    async def open_stream(path: str, *, method: str = "GET", **options) -> Listening:
        options = {"token": shelf.token()} | options
        reader, writer = await shelf.send(method, path, **options)
        opened.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        reply = reply_of(head)
        assert reply.status == 200, head
        assert reply.headers["content-type"] == "text/event-stream"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-request-id"]
        return Listening(reader, writer)

    yield open_stream
    for writer in opened:
        writer.transport.abort()


async def add(shelf: Shelf, title: str = "Emma") -> None:
    answer = await shelf.ask(
        "POST", "/api/books", token=shelf.token(), value=BOOK | {"title": title}
    )
    assert answer.status == 201


@pytest.fixture
def closed() -> Iterator[dict[str, asyncio.Event]]:
    """What is set when a stream of that name is closed."""
    events = {name: asyncio.Event() for name in ("gone", "stopping", "slow")}
    shelf_module.CLOSED.update(events)
    yield events
    shelf_module.CLOSED.clear()


def test_an_event_is_lines_and_an_empty_one():
    event = ServerEvent("delta", {"text": "a\nb\r\n"}, "msg:1:0")
    assert event_bytes(event) == b'event: delta\nid: msg:1:0\ndata: {"text":"a\\nb\\r\\n"}\n\n'


def test_nothing_breaks_out_of_its_line():
    event = ServerEvent("a\nb", "\n\ndata: x", "1\r\nevent: forged")
    assert event_bytes(event) == b'event: a b\nid: 1  event: forged\ndata: "\\n\\ndata: x"\n\n'


async def test_events_come_as_rows_do(shelf: Shelf, listen):
    stream = await listen("/api/watch/live?until=2")
    assert await stream.event() == ("hello", {"seen": 0})
    for number in (1, 2):
        await add(shelf)
        name, book = await stream.event()
        assert (name, book["bookId"], book["mood"]) == ("book", number, "quiet")
    await stream.end()


async def test_two_readers_see_the_same(shelf: Shelf, listen):
    streams = [await listen(f"/api/watch/both{number}?until=3") for number in range(2)]
    for _ in range(3):
        await add(shelf)
    seen = [[await stream.event() for _ in range(4)] for stream in streams]
    assert seen[0] == seen[1]
    assert [name for name, _ in seen[0]] == ["hello", "book", "book", "book"]


@pytest.mark.parametrize(
    ("query", "headers"), [("", {"last_event_id": "2"}), ("&lastEventId=2", {})]
)
async def test_a_stream_goes_on_where_it_stopped(shelf: Shelf, listen, query, headers):
    for _ in range(3):
        await add(shelf)
    stream = await listen(f"/api/watch/again?until=3{query}", **headers)
    assert await stream.event() == ("hello", {"seen": 2})
    assert (await stream.event())[1]["bookId"] == 3
    await stream.end()


async def test_a_stream_may_answer_a_post(listen):
    stream = await listen("/api/watch", method="POST", value={"name": "posted", "until": 0})
    assert await stream.event() == ("hello", {"seen": 0})
    await stream.end()


@pytest.mark.parametrize(
    ("path", "options", "status", "code"),
    [
        ("/api/watch/nobody", {}, 404, "book.not_found"),
        ("/api/watch/x?until=-1", {}, 400, "input.out_of_range"),
        ("/api/watch/x", {"token": None}, 401, "auth.unauthenticated"),
        ("/api/watch/x?lastEventId=abc", {}, 400, "book.invalid_event"),
        ("/api/watch/broken", {}, 500, "internal.error"),
    ],
)
async def test_before_the_first_event_a_refusal_is_an_ordinary_answer(
    shelf: Shelf, path, options, status, code
):
    answer = await shelf.ask("GET", path, **({"token": shelf.token()} | options))
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("title", "code", "message"),
    [
        ("forbidden", "book.not_owner", "this one is not for you"),
        ("broken", "internal.error", "something broke; it has been logged"),
    ],
)
async def test_later_a_refusal_is_the_last_event(shelf: Shelf, listen, title, code, message):
    stream = await listen("/api/watch/failing")
    await stream.event()
    await add(shelf, title)
    assert await stream.event() == (
        "error",
        {"code": code, "message": message, "partial": True, "retryable": False},
    )
    await stream.end()


async def test_head_shows_no_events(shelf: Shelf):
    answer = await shelf.ask("HEAD", "/api/watch/head", token=shelf.token())
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == "text/event-stream"
    refused = await shelf.ask("HEAD", "/api/watch/nobody", token=shelf.token())
    assert refused.status == 404


async def test_a_silent_stream_shows_that_it_is_alive(shelf: Shelf, listen, monkeypatch):
    monkeypatch.setattr(event_stream, "STREAM_PING_SECONDS", 0.01)
    stream = await listen("/api/watch/silent?until=1")
    await stream.event()
    assert await stream.block() == ": ping"
    assert await stream.block() == ": ping"
    await add(shelf)
    while (block := await stream.block()) == ": ping":
        pass
    assert block is not None
    assert block.startswith("event: book\nid: 1\n")


async def test_when_the_client_goes_its_generator_is_closed(listen, closed):
    stream = await listen("/api/watch/gone")
    await stream.event()
    stream.writer.transport.abort()
    await closed["gone"].wait()


async def test_a_stream_keeps_its_caller_connected(shelf: Shelf, listen):
    stream = await listen("/api/watch/present")
    await stream.event()
    assert shelf.host.session_count == 1


async def test_when_the_server_stops_streams_end_whole(shelf: Shelf, listen, closed):
    stream = await listen("/api/watch/stopping")
    await stream.event()
    shelf.facade.close()
    await stream.end()
    await closed["stopping"].wait()


async def test_a_reader_that_does_not_read_is_left(shelf: Shelf, listen, closed, monkeypatch):
    monkeypatch.setattr(event_stream, "STREAM_WRITE_SECONDS_MAX", 0.05)
    stream = await listen("/api/watch/slow")
    await stream.event()
    stream.writer.transport.pause_reading()
    token = shelf.token()
    details = {"text": "x" * 1_900_000}
    while not closed["slow"].is_set():
        value = BOOK | {"details": details}
        assert (await shelf.ask("POST", "/api/books", token=token, value=value)).status == 201


async def test_a_stream_begins_before_its_first_event(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_stream, "STREAM_BEGIN_SECONDS_MAX", 0)
    happened, never = asyncio.Event(), asyncio.get_running_loop().create_future()
    sent: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def late():
        await happened.wait()
        yield ServerEvent("late", {})

    events = late()
    stream = event_stream.EventStream(events, never)
    await stream.begin()
    running = asyncio.create_task(stream.run(lambda: never, sent.put, {}, is_head=False))
    assert (await sent.get())["status"] == 200
    assert (await sent.get())["body"] == b": ping\n\n"
    happened.set()
    assert (await sent.get())["body"] == event_bytes(ServerEvent("late", {}))
    await running
    await events.aclose()
