"""A listener on a free port with sessions that do what their requests say."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
import secrets
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect

from actors.errors import SessionRefusedError
from persistence.memory import MemoryStore
from protocol.messages import CallReducer, ClientMessage, Wire, decode_server_message
from protocol.messages.v2_client import encode_client_message
from protocol.schema import ModuleSchema
from server.canary import CanaryState
from server.databases import Database, Databases, database_identity
from server.http.health import HealthProbe
from server.http.listening import Listener, bind_port
from server.http.site import build_site
from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator
from server.metrics import Metrics
from server.telemetry.families import Sources
from server.transport.connection import bound_socket
from server.transport.gateway import Admission, Gateway, Sink
from server.transport.wheel import TimerWheel

V3 = "v3.bsatn.spacetimedb"
V2 = "v2.bsatn.spacetimedb"
NOW = 1_800_000_000_000_000


class ScriptedSession:
    """A session without actors: the name of a called reducer says how it is answered.

    ``echo``: at once, one delivery per read. ``flood``: args is the number of bytes to send back.
    ``hold``: not before ``release``. ``abort``: the session closes the connection. ``crash``: the
    session fails.
    """

    def __init__(self, host: ScriptedHost, sink: Sink, wire: Wire, **opened: Any) -> None:
        self.host = host
        self.sink = sink
        self.wire = wire
        self.opened = opened
        self.held: list[ClientMessage] = []
        self.early: list[ClientMessage] = []
        self.received = 0
        self.connected = False
        self.ended = asyncio.Event()
        self.progress = asyncio.Event()

    @property
    def pending(self) -> int:
        return len(self.held) + len(self.early)

    async def until_pending(self, count: int) -> None:
        """Wait until so many requests are unanswered."""
        while self.pending < count:
            self.progress.clear()
            await self.progress.wait()

    async def connect(self) -> None:
        await self.host.doors.wait()
        if self.host.refusal:
            raise SessionRefusedError(self.host.refusal)
        self.connected = True
        identity = self.opened["claims"].identity
        initial = self.wire.initial_connection(
            identity, self.opened["connection_id"], self.opened["token"]
        )
        self.sink.deliver([initial])
        early, self.early = self.early, []
        self.receive(early)

    def receive(self, messages: Sequence[ClientMessage]) -> None:
        self.progress.set()
        if not self.connected:
            self.early += messages
            return
        self.received += len(messages)
        answers = []
        for message in messages:
            assert isinstance(message, CallReducer)
            if message.reducer == "hold":
                self.held.append(message)
            elif message.reducer == "abort":
                self.sink.abort(1011, "as asked")
            elif message.reducer == "crash":
                raise RuntimeError("as asked")
            elif message.reducer == "flood":
                self.sink.deliver([self.answer(message, bytes(int(message.args)))])
            else:
                answers.append(self.answer(message, message.args))
        if answers:
            self.sink.deliver(answers)

    def answer(self, call: ClientMessage, text: bytes) -> bytes:
        return self.wire.reducer_err(call.request_id, NOW, text.decode())

    def release(self) -> None:
        held, self.held = self.held, []
        self.sink.deliver([self.answer(call, b"held") for call in held])

    async def disconnect(self) -> None:
        self.ended.set()


class ScriptedHost:
    """Opens scripted sessions; newcomers wait until the ``doors`` are open."""

    def __init__(self) -> None:
        self.sessions: list[ScriptedSession] = []
        self.refusal = ""
        self.seconds_since_refusal = math.inf
        self.doors = asyncio.Event()
        self.doors.set()
        self.opened = asyncio.Event()

    def open_session(self, **opened: Any) -> ScriptedSession:
        session = ScriptedSession(self, **opened)
        self.sessions.append(session)
        self.opened.set()
        return session


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Rig:
    host: ScriptedHost
    gateway: Gateway
    listener: Listener
    store: MemoryStore
    database: Database
    clients: list[ClientConnection] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.listener.address[1]

    @property
    def authenticator(self) -> Authenticator:
        return self.gateway.authenticator

    async def connect(
        self, query: str = "", *, protocols: Sequence[str] = (V3, V2), **options
    ) -> ClientConnection:
        uri = f"ws://127.0.0.1:{self.port}/v1/database/test-db/subscribe{query}"
        options = {"compression": None, "ping_interval": None, "max_size": None} | options
        client = await connect(uri, subprotocols=protocols, proxy=None, **options)
        self.clients.append(client)
        return client

    async def connect_raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a socket whose frames the test reads and writes itself."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        writer.write(upgrade_request("/v1/database/test-db/subscribe"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        return reader, writer

    async def request(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "host: test", "connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def raw(self, data: bytes) -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        return Answer(int(status.split()[1]), headers, body)


def client_frame(
    opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, mask: bool = True
) -> bytes:
    """Spell a frame as a client does, or as it must not."""
    head = bytes((0x80 * fin | rsv << 4 | opcode,))
    flag = 0x80 * mask
    if len(payload) < 126:
        head += bytes((flag | len(payload),))
    elif len(payload) < 65_536:
        head += struct.pack(">BH", flag | 126, len(payload))
    else:
        head += struct.pack(">BQ", flag | 127, len(payload))
    if not mask:
        return head + payload
    key = secrets.token_bytes(4)
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def upgrade_request(path: str, **changes: str | None) -> bytes:
    """Spell an upgrade; ``None`` leaves a header out."""
    headers = {
        "host": "test",
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": base64.b64encode(bytes(16)).decode(),
        "sec_websocket_protocol": V3,
    } | changes
    lines = [f"{name.replace('_', '-')}: {text}" for name, text in headers.items() if text]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def call(request_id: int, reducer: str = "echo", args: bytes = b"") -> bytes:
    return encode_client_message(CallReducer(request_id, reducer, args))


def answers(frame: bytes | str) -> list[object]:
    """Decode the messages of one frame of the server."""
    assert isinstance(frame, bytes)
    assert frame[0] == 0, "bodies are never compressed"
    messages, offset = [], 1
    while offset < len(frame):
        message, offset = decode_server_message(frame, offset)
        messages.append(message)
    return messages


@asynccontextmanager
async def running_rig(
    folder: Path,
    *,
    admission: Admission | None = None,
    message_bytes_max: int = 1_048_576,
    clock: Callable[[], int] = lambda: NOW,
) -> AsyncIterator[Rig]:
    store = MemoryStore()
    await store.open()
    host = ScriptedHost()
    metrics = Metrics()
    loop = asyncio.get_running_loop()
    database = Database("test-db", database_identity("test-db", bytes(32)))
    gateway = Gateway(
        sessions=host,
        authenticator=Authenticator(
            SigningKeys.load(folder), TrustedIssuers((), loop.time), clock=clock
        ),
        databases=Databases(database),
        wheel=TimerWheel(loop.time()),
        metrics=metrics,
        admission=admission,
        message_bytes_max=message_bytes_max,
    )
    schema = ModuleSchema(tables=(), reducers=(), procedures=(), views=())
    site = build_site(
        authenticator=gateway.authenticator,
        databases=gateway.databases,
        schema=schema,
        probe=HealthProbe(store, loop.time, lambda: host.seconds_since_refusal),
        canary=lambda: CanaryState(None, 0, 0.01),
        tally=metrics.http,
        metrics=Sources(metrics),
    )
    sock = bind_port("127.0.0.1", 0, allow_public=False)
    listener = Listener(sock, site, bound_socket(gateway))
    await listener.start()
    rig = Rig(host, gateway, listener, store, database)
    try:
        yield rig
    finally:
        for client in rig.clients:
            await client.close()
        for writer in rig.writers:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        listener.stop_accepting()
        await listener.stop()
        while gateway.tasks:
            await asyncio.wait(gateway.tasks)
        await store.close()
