from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from board_module import Visitor

from actors.host import Host
from actors.keys import DATABASE
from actors.operations.kinds import CANARY
from actors.subscriptions import Board
from persistence.errors import StoreWriteError
from persistence.sqlite import SqliteStore
from server.app import Ready, Server
from server.canary import Canary, CanaryState, Part
from server.limits import CANARY_RED_SECONDS_MAX
from server.settings import Settings

Mend = Callable[[], None]


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Server, Ready]]:
    settings = Settings(
        port=0, admin_port=0, data_dir=folder, module="board_module", database="board"
    )
    server = Server(settings)
    ready = await server.start()
    try:
        yield server, ready
    finally:
        assert await server.stop()


@pytest.fixture
async def served(tmp_path) -> AsyncIterator[tuple[Server, Ready]]:
    async with serving(tmp_path) as both:
        yield both


def get(ready: Ready, path: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(ready.address + path, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class Listener:
    """Hears each beat of a server's canary, which beats by itself."""

    def __init__(self, server: Server) -> None:
        self._beaten = asyncio.Event()
        self._beat = server.canary.beat
        canary: Any = server.canary
        canary.beat = self._hear

    async def _hear(self) -> CanaryState:
        state = await self._beat()
        self._beaten.set()
        return state

    async def health(self, ready: Ready, status: int) -> dict[str, Any]:
        """What ``/healthz`` says once it answers with a status."""
        while True:
            self._beaten.clear()
            found, content = await asyncio.to_thread(get, ready, "/healthz")
            if found == status:
                return content
            await self._beaten.wait()


def stop_timers(host: Host) -> Mend:
    wakes: Any = host._wakes
    wakes._fire = lambda: None
    return lambda: delattr(wakes, "_fire")


def stop_deltas(host: Host) -> Mend:
    """The actor publishes to nobody."""
    core: Any = host.core(CANARY.key("0"))
    board, core._board = core.board, DeafBoard(core.database, core.evaluate)
    return lambda: setattr(core, "_board", board)


class DeafBoard(Board):
    def publish(self, deltas, caller) -> None:
        del deltas, caller


def stop_journal(host: Host) -> Mend:
    """The store keeps what it is given and says nothing, until it is mended."""
    kept: list[tuple[Any, ...]] = []
    store: Any = host._store
    store.append = lambda *given: kept.append(given)

    def mend() -> None:
        del store.append
        for given in kept:
            store.append(*given)

    return mend


async def test_what_is_broken_shows_in_time_and_what_is_mended_as_well(tmp_path):
    """All at once, since each takes as long as it takes."""
    breaks = {"timers": stop_timers, "deltas": stop_deltas, "journal": stop_journal}

    async def play(part: str) -> None:
        async with serving(tmp_path / part) as (server, ready):
            await break_and_mend(server, ready, breaks[part], part)

    await asyncio.gather(*map(play, breaks))


async def break_and_mend(
    server: Server, ready: Ready, break_it: Callable[[Host], Mend], part: str
) -> None:
    listener = Listener(server)
    assert (await listener.health(ready, 200))["beat_seconds"] > 0
    before = datetime.now(UTC)
    mend = break_it(server.canary._host)
    try:
        async with asyncio.timeout(CANARY_RED_SECONDS_MAX):
            content = await listener.health(ready, 503)
        assert content["status"] == "failing"
        assert content["part"] == part
        assert content["reason"] == Part[part.upper()].value
        since = datetime.fromisoformat(content["since"])
        # A beat that was under way when it broke had begun before.
        assert timedelta(seconds=-2) < since - before < timedelta(seconds=CANARY_RED_SECONDS_MAX)
        assert (await asyncio.to_thread(get, ready, "/livez")) == (200, {"status": "ok"})
    finally:
        mend()
    async with asyncio.timeout(CANARY_RED_SECONDS_MAX):
        assert (await listener.health(ready, 200))["status"] == "ok"


async def test_an_actor_that_takes_no_calls_shows_at_once(served):
    server, _ = served
    assert (await server.canary.beat()).broken is None
    core = server.canary._host.core(CANARY.key("0"))
    core.is_set_aside = True
    first = await server.canary.beat()
    again = await server.canary.beat()
    assert first.broken is again.broken is Part.CALLS
    assert first.since == again.since
    core.is_set_aside = False
    assert (await server.canary.beat()).broken is None


async def test_a_store_that_refuses_is_the_journals_fault(served, monkeypatch):
    server, _ = served
    await server.canary.beat()

    def refuse(self, batch, done) -> None:
        error = StoreWriteError("the disk is full") if batch else None
        asyncio.get_running_loop().call_soon(done, error)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "append", refuse)
        assert (await server.canary.beat()).broken is Part.JOURNAL
    assert (await server.canary.beat()).broken is None


async def test_a_canary_that_does_not_beat_is_red(served):
    server, _ = served
    seconds = 0.0
    canary = Canary(server.canary._host, lambda: 5, lambda: seconds)
    assert canary.state == (Part.START, 5, None)
    assert (await canary.beat()).broken is None
    seconds = CANARY_RED_SECONDS_MAX
    assert canary.state == (Part.CANARY, 5, 0.0)
    assert (await canary.beat()).broken is None
    assert canary.state.broken is None


async def test_nobody_else_sees_or_makes_it_beat(served):
    server, ready = served
    await server.canary.beat()
    host = server.canary._host
    assert host.session_count == 0
    assert host.core(DATABASE.key("0")).database.rows(Visitor) == []
    schema = (await asyncio.to_thread(get, ready, "/v1/database/board/schema?version=9"))[1]
    assert "operations_beat" not in json.dumps(schema)
