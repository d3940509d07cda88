from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rig import V2, V3, answers
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors.host.turns import unavailable
from persistence import decode_record, open_store
from persistence.errors import FencedError, FolderLockedError
from protocol.messages import (
    CallReducer,
    InitialConnection,
    ReducerErr,
    ReducerOk,
    Subscribe,
    SubscribeApplied,
    TransactionUpdate,
)
from protocol.messages.v2_client import encode_client_message
from server import app
from server.admin.composition import open_admin
from server.app import Ready, Server
from server.commands.mint_token import mint_token
from server.errors import BindRefusedError, PortInUseError, StartError
from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator
from server.settings import Settings


def settings(folder: Path, **changes: object) -> Settings:
    values = {"port": 0, "data_dir": folder, "module": "board_module", "database": "board"}
    return Settings(**(values | changes))


@asynccontextmanager
async def running(chosen: Settings, **options: bool) -> AsyncIterator[tuple[Server, Ready]]:
    server = Server(chosen, **options)
    ready = await server.start()
    try:
        yield server, ready
    finally:
        assert await server.stop()


def client(ready: Ready, query: str = "", protocols=(V3, V2)) -> connect:
    uri = ready.address.replace("http", "ws", 1) + f"/v1/database/board/subscribe{query}"
    return connect(uri, subprotocols=protocols, proxy=None, compression=None)


class Caller:
    """Talks to a server; answers come in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.messages: list[object] = []

    async def next(self) -> object:
        while not self.messages:
            self.messages += answers(await self.socket.recv())
        return self.messages.pop(0)

    async def ask(self, *requests: object) -> object:
        await self.socket.send(b"".join(map(encode_client_message, requests)))
        return await self.next()


def text_argument(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def write_note(request_id: int, text: str) -> CallReducer:
    return CallReducer(request_id, "write_note", text_argument(text))


async def test_two_callers_and_a_restart(tmp_path):
    async with running(settings(tmp_path)) as (server, ready):
        assert ready.store.kind in str(ready)
        assert ready.store.durability in str(ready)
        async with client(ready) as one, client(ready, protocols=[V2]) as two:
            writer, reader = Caller(one), Caller(two)
            initial = await writer.next()
            assert isinstance(initial, InitialConnection)
            assert isinstance(await reader.next(), InitialConnection)
            applied = await reader.ask(Subscribe(1, 1, ("SELECT * FROM note",)))
            assert isinstance(applied, SubscribeApplied)
            result = await writer.ask(write_note(1, "hello"))
            assert isinstance(result.outcome, ReducerOk)
            update = await reader.next()
            assert isinstance(update, TransactionUpdate)
            (row,) = update.query_sets[0].tables[0].rows[0].inserts
            assert row.endswith(text_argument("hello"))
            refused = await writer.ask(write_note(2, ""))
            assert refused.outcome == ReducerErr("note.text_empty: a note says something")
            assert server.metrics.connections_open == 2
        token = initial.token
    async with running(settings(tmp_path)) as (_, ready), client(ready, f"?token={token}") as one:
        caller = Caller(one)
        assert (await caller.next()).identity == initial.identity
        applied = await caller.ask(Subscribe(1, 1, ("SELECT * FROM note", "SELECT * FROM visitor")))
        rows = {table.table: table.rows for table in applied.tables}
        assert [row[8:40] for row in rows["note"]] == [initial.identity.to_bytes(32, "little")]
        assert rows["visitor"] == [initial.identity.to_bytes(32, "little")]


async def test_a_refused_visitor(tmp_path):
    async with running(settings(tmp_path)) as (server, ready):
        bearer_token = mint_token(tmp_path, ["player"], "visitor", 60)
        authenticator = Authenticator(
            SigningKeys.load(tmp_path), TrustedIssuers((), lambda: 0.0), clock=lambda: 10**15
        )
        intruder = authenticator.mint("intruder", extra={"name": "Intruder"})
        async with client(ready, f"?token={intruder.token}") as one:
            with pytest.raises(ConnectionClosed) as caught:
                await one.recv()
            assert caught.value.rcvd is None
        async with client(ready, f"?token={bearer_token}") as one:
            assert isinstance(await Caller(one).next(), InitialConnection)
        assert server.metrics.connections == 2


async def test_calls_beyond_the_rate_are_refused_in_order(tmp_path):
    chosen = settings(tmp_path, rate_per_second=1, rate_burst=3)
    async with running(chosen) as (server, ready):
        async with client(ready) as one:
            caller = Caller(one)
            await caller.next()
            outcomes = [(await caller.ask(*(write_note(i, "x") for i in range(6)))).outcome]
            outcomes += [(await caller.next()).outcome for _ in range(5)]
        assert [type(outcome) for outcome in outcomes] == [ReducerOk] * 3 + [ReducerErr] * 3
        assert outcomes[-1].error.startswith("limit.rate_exceeded: ")
        assert server.metrics.requests_limited == 3


async def test_a_function_has_a_rate_of_its_own(tmp_path):
    async with running(settings(tmp_path)) as (server, ready):
        for _ in range(2):
            async with client(ready) as one:
                caller = Caller(one)
                await caller.next()
                rung = [(await caller.ask(CallReducer(i, "ring", b""))).outcome for i in range(3)]
                assert [type(outcome) for outcome in rung] == [ReducerOk] * 2 + [ReducerErr]
                assert isinstance((await caller.ask(write_note(4, "x"))).outcome, ReducerOk)
        assert server.metrics.requests_limited == 2


async def test_no_rate_holds_where_rates_are_off(tmp_path):
    chosen = settings(tmp_path, rate_limits=False)
    async with running(chosen) as (_, ready), client(ready) as one:
        caller = Caller(one)
        await caller.next()
        for number in range(3):
            outcome = (await caller.ask(CallReducer(number, "ring", b""))).outcome
            assert isinstance(outcome, ReducerOk)


async def test_service_tokens_may_do_more(tmp_path):
    token = mint_token(tmp_path, ["service"], "worker", 60)
    chosen = settings(tmp_path, rate_per_second=1, rate_burst=1)
    async with running(chosen) as (_, ready):
        wipe = CallReducer(1, "wipe", b"")
        async with client(ready) as one:
            caller = Caller(one)
            await caller.next()
            refused = await caller.ask(wipe)
            assert refused.outcome.error.startswith("auth.forbidden: ")
        async with client(ready, f"?token={token}") as one:
            caller = Caller(one)
            await caller.next()
            for _ in range(5):
                assert isinstance((await caller.ask(wipe)).outcome, ReducerOk)


async def test_the_schema_over_http(tmp_path):
    async with running(settings(tmp_path)) as (_, ready):
        reader, writer = await asyncio.open_connection("127.0.0.1", ready.port)
        writer.write(
            b"GET /v1/database/board/schema?version=9 HTTP/1.1\r\nhost: x\r\n"
            b"connection: close\r\n\r\n"
        )
        body = (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        await writer.wait_closed()
        assert {table["name"] for table in json.loads(body)["tables"]} == {"note", "visitor"}


async def test_stopping_tells_clients_and_keeps_what_was_acknowledged(tmp_path):
    server = Server(settings(tmp_path))
    ready = await server.start()
    async with client(ready) as one:
        caller = Caller(one)
        await caller.next()
        for i in range(20):
            assert isinstance((await caller.ask(write_note(i, str(i)))).outcome, ReducerOk)
        stopping = asyncio.create_task(server.stop())
        with pytest.raises(ConnectionClosed) as caught:
            await one.recv()
        assert caught.value.rcvd.code == 1012
        assert await stopping
    async with running(settings(tmp_path)) as (_, ready), client(ready) as one:
        caller = Caller(one)
        await caller.next()
        applied = await caller.ask(Subscribe(1, 1, ("SELECT * FROM note",)))
        assert len(applied.tables[0].rows) == 20
        visitors = await caller.ask(Subscribe(2, 2, ("SELECT * FROM visitor",)))
        assert len(visitors.tables[0].rows) == 1, "who was there at the stop has left"


async def test_a_failed_start_lets_go_of_everything(tmp_path):
    async with running(settings(tmp_path / "one")) as (_, ready):
        with pytest.raises(FolderLockedError):
            await Server(settings(tmp_path / "one")).start()
        with pytest.raises(PortInUseError, match=f"port {ready.port} is in use"):
            await Server(settings(tmp_path / "two", port=ready.port)).start()
    async with running(settings(tmp_path / "two")):
        pass
    async with running(settings(tmp_path / "one")):
        pass


async def test_public_addresses_need_a_flag(tmp_path):
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        with pytest.raises(BindRefusedError, match="allow-public-bind"):
            await Server(settings(tmp_path, host=host)).start()
    async with running(settings(tmp_path, host="0.0.0.0", allow_public_bind=True)) as (_, ready):
        assert ready.port


async def test_a_store_that_is_taken_over_ends_an_idle_server(tmp_path, monkeypatch):
    monkeypatch.setattr("server.ownership.OWNERSHIP_SECONDS", 0.01)
    monkeypatch.setattr("server.canary.CANARY_PAUSE_SECONDS", 3_600)
    store = f"sqlite://{tmp_path}/shared.sqlite3"
    async with running(settings(tmp_path / "one", store=store)) as (one, _):
        # After the canary's first beats nothing is written any more, which would show it too.
        assert (await one.canary.beat()).broken is None
        async with running(settings(tmp_path / "two", store=store)) as (two, _):
            await asyncio.wait_for(one.ended.wait(), 5)
            assert isinstance(one.failure, FencedError)
            assert not two.ended.is_set()


@pytest.mark.parametrize("is_met", [True, False])
async def test_a_store_that_is_lost_while_the_server_starts_is_named(tmp_path, monkeypatch, is_met):
    """Its actors have started; whether the start itself meets a refusal of theirs, or nothing."""
    store = f"sqlite://{tmp_path}/shared.sqlite3"
    another = open_store(store, tmp_path)
    server = Server(settings(tmp_path / "one", store=store))

    async def overtaken(*parts):
        await another.open()
        while server.failure is None:
            await server.canary.beat()
        if is_met:
            raise unavailable()
        await open_admin(*parts)

    monkeypatch.setattr(app, "open_admin", overtaken)
    with pytest.raises(FencedError):
        await server.start()
    await another.close()


async def test_history_is_kept_as_it_was_told(tmp_path):
    chosen = settings(tmp_path, retention="records=3;database:bytes=any")
    async with running(chosen) as (_, ready), client(ready) as one:
        caller = Caller(one)
        await caller.next()
        for number in range(1, 11):
            answer = await caller.ask(write_note(number, "text"))
            assert isinstance(answer.outcome, ReducerOk)
    store = open_store("sqlite", tmp_path, retention=chosen.retention)
    await store.open()
    (snapshot,) = await store.load(["database/0"])
    records = await store.history("database/0", 0, 99)
    last = snapshot.base_seq + len(snapshot.tail)
    assert last > 10
    assert len(records) == 3 + len(snapshot.tail)
    assert decode_record(records[-1]).seq == last
    await store.close()


async def test_a_misspelt_kind_of_actors_is_refused(tmp_path):
    with pytest.raises(StartError, match="no actors of kind databases, but database"):
        await Server(settings(tmp_path, retention="full;databases:records=0")).start()


async def test_reset_empties_the_folder(tmp_path):
    async with running(settings(tmp_path)) as (_, ready), client(ready) as one:
        caller = Caller(one)
        await caller.next()
        await caller.ask(write_note(1, "gone"))
    async with running(settings(tmp_path), reset=True) as (_, ready), client(ready) as one:
        caller = Caller(one)
        await caller.next()
        applied = await caller.ask(Subscribe(1, 1, ("SELECT * FROM note",)))
        assert applied.tables == []


async def test_reset_leaves_other_folders_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(StartError, match="does not look like a data folder"):
        await Server(settings(tmp_path), reset=True).start()
    assert (tmp_path / "thesis.txt").read_text() == "precious"
