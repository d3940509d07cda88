from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tail_operator import Operator, RefusedError, operating

from actors.keys import ActorKey
from loadtest.bot import Bot
from loadtest.connection import Address
from loadtest.errors import LoadTestError
from server.admin.catalogue import COMMANDS
from server.admin.tails import Tail
from server.app import Ready, Server
from server.limits import (
    TAIL_ENTRIES_MAX,
    TAIL_ENTRIES_PER_NOTICE,
    TAILS_MAX,
)
from server.log_levels import reset_log_levels
from server.settings import Settings

BOARD = ActorKey("database/0")


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was():
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    reset_log_levels()
    assert root.handlers == handlers, "who has left hears no logs"
    root.setLevel(level)


@pytest.fixture
def board(tmp_path) -> Settings:
    return Settings(port=0, data_dir=tmp_path, module="board_module", database="board")


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[tuple[Server, Ready]]:
    server = Server(settings)
    ready = await server.start()
    try:
        yield server, ready
    finally:
        assert await server.stop()


@asynccontextmanager
async def writer(ready: Ready) -> AsyncIterator[Bot]:
    bot = await Bot.connect(Address(ready.host, ready.port, ready.database))
    try:
        yield bot
    finally:
        await bot.close()


async def note(bot: Bot, text: str) -> None:
    data = text.encode()
    await bot.call("write_note", struct.pack("<I", len(data)) + data)


def user_of(bot: Bot) -> str:
    from actors.keys import user_id_of

    return user_id_of(bot.hello.identity)


async def begin(operator: Operator, method: str, **params: object) -> int:
    """A tail that follows when this returns: its work begins right after the answer."""
    number = (await operator.ask(method, **params))["tail"]
    await operator.ask("logs.list-levels", prefix="server.nothing")
    return number


async def test_calls_are_told_with_caller_outcome_and_place_in_the_journal(board):
    async with running(board) as (_, ready), operating(board) as operator, writer(ready) as bot:
        await begin(operator, "tail.calls", name="write_note")
        await note(bot, "one")
        with pytest.raises(LoadTestError):
            await note(bot, "")
        done, refused = await operator.entries("tail.calls", 2)
    assert (done["sort"], done["name"], done["outcome"], done["error"]) == (
        "call",
        "write_note",
        "done",
        "",
    )
    assert done["user"] == user_of(bot)
    assert done["connection"] == str(bot.hello.connection_id)
    assert refused["outcome"] == "refused"
    assert refused["error"].startswith("note.text_empty")
    assert refused["seq"] == done["seq"], "a refused call leaves no record"
    assert refused["time"] > done["time"]
    assert 0 < done["seconds"] < 1


async def test_changes_are_told_row_by_row(board):
    async with running(board) as (_, ready), operating(board) as operator, writer(ready) as bot:
        await begin(operator, "tail.deltas", table="note")
        await note(bot, "one")
        (entry,) = await operator.entries("tail.deltas", 1)
        notice = await _next_after(operator, bot)
    (change,) = entry["tables"]
    assert (change["table"], change["inserted"], change["deleted"]) == ("note", 1, 0)
    (row,) = change["inserts"]
    assert (row["text"], row["author"]) == ("one", str(bot.hello.identity))
    assert entry["name"] == "write_note"
    assert entry["user"] == user_of(bot)
    assert notice["is_durable"] is True
    assert notice["dropped"] == 0


async def _next_after(operator: Operator, bot: Bot) -> dict:
    await note(bot, "two")
    return await operator.notices["tail.deltas"].get()


@pytest.mark.parametrize(
    ("method", "filters"),
    [
        ("tail.calls", {"name": "ring"}),
        ("tail.calls", {"actor": "nobody/"}),
        ("tail.calls", {"user": "u_nobody"}),
        ("tail.calls", {"connection": "0" * 32}),
        ("tail.calls", {"failed": True}),
        ("tail.calls", {"slower_than": 60}),
        ("tail.deltas", {"name": "ring"}),
        ("tail.deltas", {"actor": "nobody/"}),
        ("tail.deltas", {"table": "visitor"}),
        ("tail.deltas", {"user": "u_nobody"}),
        ("tail.deltas", {"connection": "0" * 32}),
    ],
    ids=str,
)
async def test_what_a_filter_excludes_is_not_told(board, method, filters):
    async with running(board) as (_, ready), operating(board) as operator, writer(ready) as bot:
        excluding = await begin(operator, method, **filters)
        including = await begin(operator, method, name="write_note")
        await note(bot, "one")
        notice = await operator.notices[method].get()
        assert notice["tail"] == including != excluding
        assert await operator.ask("tail.end", tail=excluding) == {"ended": True}
        last = await operator.notices[method].get()
        assert last == {
            "tail": excluding,
            "dropped": 0,
            "is_durable": True,
            "is_last": True,
            "entries": [],
        }


async def test_logs_are_told_with_what_they_are_about_and_without_secrets(board):
    token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
    log = logging.getLogger("actors.board")
    async with running(board), operating(board) as operator:
        await begin(operator, "tail.logs", level="warning", logger="actors.", actor="module/")
        log.info("too quiet", extra={"actor": "module/0"})
        log.warning("of somebody else", extra={"actor": "user/a"})
        logging.getLogger("server.board").error("elsewhere", extra={"actor": "module/0"})
        log.warning("token %s", token, extra={"actor": "module/0", "seq": 3, "password": "x"})
        await asyncio.to_thread(log.error, "from a thread", extra={"actor": "module/1"})
        one, two = await operator.entries("tail.logs", 2)
    assert (one["level"], one["logger"], one["text"]) == (
        "warning",
        "actors.board",
        "token <hidden>",
    )
    assert one["fields"] == {"actor": "module/0", "seq": 3, "password": "<hidden>"}
    assert two["text"] == "from a thread"


async def test_a_log_of_a_turn_says_whose_turn_it_is(board, monkeypatch):
    async with running(board) as (server, ready), operating(board) as operator:
        await begin(operator, "tail.logs", level="error")
        async with writer(ready) as bot:
            host = operator_host(server)
            endpoint = host.reducers["write_note"]
            monkeypatch.setitem(host.reducers, "write_note", _broken(endpoint))
            with pytest.raises(LoadTestError):
                await note(bot, "one")
            (entry,) = await operator.entries("tail.logs", 1)
            assert entry["fields"]["user"] == user_of(bot)
            assert entry["fields"]["connection"] == str(bot.hello.connection_id)
    assert entry["fields"]["call"] == "write_note"
    assert entry["fields"]["actor"].endswith("/0")
    assert entry["fields"]["seq"] >= 0
    assert "ZeroDivisionError" in entry["exception"]


def operator_host(server: Server):
    """The server's host, by the way that the canary goes."""
    return server.canary._host


def _broken(endpoint):
    from dataclasses import replace

    return replace(endpoint, function=lambda _context, _text: 1 // 0)


async def test_audit_records_are_told_as_they_are_made(board):
    async with running(board), operating(board) as operator:
        await begin(operator, "tail.audit", command="logs.")
        await operator.ask(
            "logs.set-level", logger="actors.x", level="debug", reason="looking closely"
        )
        (record,) = await operator.entries("tail.audit", 1)
    assert (record["command"], record["reason"], record["outcome"]) == (
        "logs.set-level",
        "looking closely",
        "done",
    )


async def test_levels_are_set_listed_and_reset(board):
    async with running(board), operating(board) as operator:
        changed = await operator.ask(
            "logs.set-level", logger="server.x", level="debug", reason="why"
        )
        entry = {"logger": "server.x", "level": "debug", "is_set": True}
        assert changed == {"loggers": [entry]}
        assert await operator.ask("logs.list-levels", prefix="server.x") == {"loggers": [entry]}
        (back,) = (await operator.ask("logs.reset-levels", reason="done"))["loggers"]
        assert (back["logger"], back["is_set"]) == ("server.x", False)
        with pytest.raises(RefusedError) as refusal:
            await operator.ask("logs.reset-levels", logger="server.x", reason="again")
        assert refusal.value.code == "logger.not_set"


async def test_every_notice_is_as_its_schema_says(board):
    async with running(board) as (_, ready), operating(board) as operator, writer(ready) as bot:
        for method in ("tail.calls", "tail.deltas", "tail.logs", "tail.audit"):
            await begin(operator, method)
        await note(bot, "one")
        logging.getLogger("server.test").error("oh")
        await operator.ask("logs.set-level", logger="server.x", level="debug", reason="why")
        for method in ("tail.calls", "tail.deltas", "tail.logs", "tail.audit"):
            notice = await operator.notices[method].get()
            event = COMMANDS[method].event
            assert event is not None
            assert event.model_validate_json(json.dumps(notice)).model_dump(mode="json") == notice


async def test_a_tail_that_is_not_read_stops_nobody_and_says_what_it_dropped(board):
    """Its operator reads nothing until the queue has dropped; then it learns of the loss."""
    unlimited = board.model_copy(update={"rate_limits": False})
    async with (
        running(unlimited) as (server, ready),
        operating(unlimited, reads=False) as operator,
        writer(ready) as bot,
    ):
        request = {"jsonrpc": "2.0", "id": 1, "method": "tail.deltas", "params": {}}
        await operator.connection.send(json.dumps(request))
        await operator.connection.recv()
        operator.connection.transport.pause_reading()
        written = 0
        is_full = False
        while True:
            await asyncio.gather(*(note(bot, "x" * 500) for _ in range(128)))
            written += 128
            if is_full:
                break  # these were more than could have been told meanwhile
            is_full = _waiting(server) == TAIL_ENTRIES_MAX
        assert server.metrics.tails_open == 1
        operator.connection.transport.resume_reading()
        reading = asyncio.create_task(operator.read())
        told = dropped = 0
        while told + dropped < written:
            notice = await operator.notices["tail.deltas"].get()
            told += sum(entry["name"] == "write_note" for entry in notice["entries"])
            dropped += notice["dropped"]
        reading.cancel()
        assert dropped > 0
        assert server.metrics.tail_entries_dropped == dropped


def _waiting(server: Server) -> int:
    watch = operator_host(server).commit_watch
    return len(watch.tails[0]._entries)


async def test_what_is_told_and_what_is_dropped_is_all_that_happened(board, monkeypatch):
    """More than tails have room for; looks are no calls, and who changes nothing no change."""
    unlimited = board.model_copy(update={"rate_limits": False})
    async with (
        running(unlimited) as (server, ready),
        operating(unlimited) as operator,
        writer(ready) as bot,
    ):
        endpoint = operator_host(server).reducers["write_note"]
        monkeypatch.setitem(operator_host(server).reducers, "write_note", _at_times(endpoint))
        calls = await begin(operator, "tail.calls")
        deltas = await begin(operator, "tail.deltas")
        for _ in range(16):
            texts = ["one"] * 128 + ["nothing"] * 16
            await asyncio.gather(*(note(bot, text) for text in texts))
            for _ in range(16):
                operator_host(server).tell(BOARD, _Look())
        assert await _sum_of(operator, "tail.calls", calls) == 16 * 144
        assert await _sum_of(operator, "tail.deltas", deltas) == 16 * 128


class _Look:
    """A turn that reads, as those of procedures and routes do."""

    def turn(self, core, now):
        core.read(now, None, None, lambda _view: None)

    def refuse(self, error):
        raise error

    def note(self):
        return "read", "a look", None, None


def _at_times(endpoint):
    from dataclasses import replace

    def write_note(context, text):
        if text != "nothing":
            endpoint.function(context, text)

    return replace(endpoint, function=write_note)


async def _sum_of(operator: Operator, method: str, tail: int) -> int:
    """End a tail that has told less than happened, and add up its notices."""
    await operator.ask("tail.end", tail=tail)
    told = dropped = 0
    is_last = False
    while not is_last:
        notice = await operator.notices[method].get()
        told += len(notice["entries"])
        dropped += notice["dropped"]
        is_last = notice["is_last"]
    assert told
    assert dropped
    return told + dropped


async def test_nobody_is_watched_once_the_last_tail_has_gone(board):
    async with running(board) as (server, ready), writer(ready) as bot:
        host = operator_host(server)
        async with operating(board) as operator:
            first = await begin(operator, "tail.calls")
            second = await begin(operator, "tail.calls")
            await begin(operator, "tail.deltas")
            assert host.turn_watch is not None
            assert await operator.ask("tail.end", tail=first) == {"ended": True}
            assert await operator.ask("tail.end", tail=first) == {"ended": False}
            assert host.turn_watch is not None
            assert await operator.ask("tail.end", tail=second) == {"ended": True}
            await note(bot, "one")
            assert host.turn_watch is None
            assert host.commit_watch is not None
            assert await operator.ask("tail.end", tail=99) == {"ended": False}
    assert host.commit_watch is None
    assert server.metrics.tails_open == 0


async def test_there_are_only_so_many_tails(board):
    async with running(board) as (server, _), operating(board) as operator:
        server.metrics.tails_open = TAILS_MAX
        with pytest.raises(RefusedError) as refusal:
            await operator.ask("tail.calls")
        assert refusal.value.code == "limit.quota_exceeded"
        server.metrics.tails_open = 0


async def test_a_table_that_is_not_there_is_refused(board):
    async with running(board), operating(board) as operator:
        with pytest.raises(RefusedError) as refusal:
            await operator.ask("tail.deltas", table="notes")
        assert refusal.value.code == "table.not_found"


async def test_a_full_tail_drops_its_oldest_entries_and_counts_them():
    tail = Tail[int](lambda _entry: True, lambda entry: {"entry": entry})
    for number in range(TAIL_ENTRIES_MAX + 10):
        tail.put(number)
    entries, dropped = tail.take(TAIL_ENTRIES_MAX + 10)
    assert dropped == 10
    assert entries == [{"entry": 10 + number} for number in range(TAIL_ENTRIES_PER_NOTICE)]
    entries, dropped = tail.take(TAIL_ENTRIES_MAX + 10)
    assert (entries[0], dropped) == ({"entry": 10 + TAIL_ENTRIES_PER_NOTICE}, 0)


async def test_what_there_is_no_room_for_is_counted():
    tail = Tail[int](lambda _entry: True, lambda entry: {"entry": entry})
    for number in range(TAIL_ENTRIES_MAX):
        assert tail.room > 0
        tail.put(number)
    assert tail.room == 0
    tail.skip()
    assert tail.take(1) == ([{"entry": 0}], 1)
    assert tail.take(2) == ([{"entry": 1}], 0)


async def test_there_is_room_again_for_what_was_told():
    tail = Tail[int](lambda _entry: True, lambda entry: {"entry": entry})
    for number in range(TAIL_ENTRIES_MAX + TAIL_ENTRIES_PER_NOTICE):
        if number == TAIL_ENTRIES_PER_NOTICE:
            tail.take(number)
        assert tail.room > 0
        tail.put(number)
    assert tail.room == 0


async def test_what_came_after_the_question_stays():
    tail = Tail[int](lambda _entry: True, lambda entry: {"entry": entry})
    for number in range(5):
        tail.put(number)
    assert tail.take(3) == ([{"entry": 0}, {"entry": 1}, {"entry": 2}], 0)
    assert tail.take(3) == ([], 0)
    assert tail.take(5) == ([{"entry": 3}, {"entry": 4}], 0)
