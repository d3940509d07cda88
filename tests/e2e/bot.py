"""A bot: one connection in Python, for tests that need many of them, or other manners."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from served import DATABASE, Served
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from actors.module.module import Module
from actors.module.schema import answer_types, module_procedures
from protocol.bsatn import compile_codec
from protocol.client import Client
from protocol.client_cache import ClientCache
from protocol.messages import (
    ProcedureResult,
    ReducerErr,
    ReducerInternalError,
    ReducerResult,
    ServerMessage,
    SubscribeApplied,
    SubscriptionError,
)
from protocol.upgrade import Subprotocol
from protocol.values import Identity

RATE_EXCEEDED = "limit.rate_exceeded"
RATE_PAUSE_SECONDS = 0.2
"""A battle takes five actions a second; who is told to slow down waits for one of them."""

RECONNECT_SECONDS = 0.02
"""A pause that any client makes; without it a server that cuts connections has no peace."""

_PROTOCOLS = {"v3": Subprotocol.V3_BSATN, "v2": Subprotocol.V2_BSATN}


async def take_breath() -> None:
    """Wait as a client does before it tries again."""
    await asyncio.sleep(RECONNECT_SECONDS)


class Lost(Exception):
    """The connection ended before the answer came."""


class Refused(Exception):
    """The call came back as refused or broken; ``text`` is what the server says."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.code = text.partition(":")[0]


class Words:
    """How a module's calls and answers are spelt; compiled once for all bots."""

    def __init__(self, module: Module) -> None:
        self.schema = module.schema
        procedures = module_procedures(module)
        self.arguments = {
            name: compile_codec(declared.parameters).encode
            for name, declared in (*module.reducers.items(), *procedures.items())
        }
        self.answers = {
            name: compile_codec(kind).decode_all for name, kind in answer_types(module).items()
        }
        self.inputs = {
            name: declared.input
            for name, declared in (*module.reducers.items(), *procedures.items())
        }


class Bot:
    """One connection. Calls made in one turn of the loop leave together."""

    def __init__(self, words: Words, socket: ClientConnection, protocol: str) -> None:
        self._words = words
        self._socket = socket
        self._client = Client(_PROTOCOLS[protocol], ClientCache(words.schema))
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._names: dict[int, str] = {}
        self._checks: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self.is_lost = False
        self._to_send = asyncio.Event()
        self.greeted = asyncio.get_running_loop().create_future()
        self.sent = 0

    # What tests use

    @property
    def token(self) -> str:
        """What the server calls us by."""
        assert self._client.hello is not None
        return self._client.hello.token

    @property
    def identity(self) -> Identity:
        """Who the server says we are."""
        assert self._client.hello is not None
        return self._client.hello.identity

    @property
    def close_code(self) -> int | None:
        """How the connection ended; None while it lives."""
        return self._socket.close_code

    def rows(self, table: str) -> list[Any]:
        """Rows of a table, as of the last message."""
        assert self._client.cache is not None
        assert self._client.cache.faults() == []
        return self._client.cache.table(table).values()

    def events(self, table: str) -> list[bytes]:
        """Event rows of a table so far."""
        assert self._client.cache is not None
        return self._client.cache.table(table).events

    def call(self, name: str, *arguments: object) -> asyncio.Future[None]:
        """Call a reducer; the future raises Refused or Lost."""
        data = self._words.arguments[name](arguments)
        return self._expect(self._client.call_reducer(name, data), name)

    def call_raw(self, name: str, data: bytes) -> asyncio.Future[None]:
        """Call a reducer that may not exist, with bytes that may not be its arguments."""
        return self._expect(self._client.call_reducer(name, data), name)

    def ask(self, name: str, *arguments: object) -> asyncio.Future[Any]:
        """Call a procedure; the future answers what it answers, or raises Refused or Lost."""
        data = self._words.arguments[name](arguments)
        return self._expect(self._client.call_procedure(name, data), name)

    async def ask_in_time(self, name: str, *arguments: object) -> Any:
        """Call a procedure of the game; while it is too early, wait as a player would."""
        while True:
            answer = await self.ask(name, *arguments)
            if answer[2] != RATE_EXCEEDED:
                return answer
            await asyncio.sleep(RATE_PAUSE_SECONDS)

    def subscribe(self, *queries: str) -> asyncio.Future[None]:
        """Subscribe to queries in one set."""
        return self._expect(self._client.subscribe(queries), "subscribe")

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; looked at after each frame. Raises Lost."""
        if holds():
            return
        check = asyncio.get_running_loop().create_future()
        self._checks.append((holds, check))
        self._fail_if_lost(check)
        await check

    # The socket

    async def send_all(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._to_send.wait()
                self._to_send.clear()
                for frame in self._client.frames():
                    await self._socket.send(frame)
                    self.sent += 1

    async def receive_all(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._socket:
                assert isinstance(frame, bytes)
                for message in self._client.receive_frame(frame):
                    self._take(message)
                self._look()
        self.is_lost = True
        for future in (self.greeted, *self._waiting.values(), *(one for _, one in self._checks)):
            self._fail_if_lost(future)

    def _fail_if_lost(self, future: asyncio.Future[Any]) -> None:
        if self.is_lost and not future.done():
            future.set_exception(Lost())
            future.exception()  # nobody has to look

    def _expect(self, request_id: int, name: str) -> asyncio.Future[Any]:
        future = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        self._names[request_id] = name
        self._to_send.set()
        self._fail_if_lost(future)
        return future

    def _take(self, message: ServerMessage) -> None:
        if not self.greeted.done():
            self.greeted.set_result(None)
            return
        if not isinstance(
            message, ReducerResult | ProcedureResult | SubscribeApplied | SubscriptionError
        ):
            return
        assert message.request_id is not None
        future = self._waiting.pop(message.request_id)
        name = self._names.pop(message.request_id)
        if future.done():
            return
        try:
            future.set_result(self._answer(name, message))
        except Refused as refusal:
            future.set_exception(refusal)

    def _answer(self, name: str, message: Any) -> Any:
        if isinstance(message, SubscriptionError):
            raise Refused(message.error)
        if isinstance(message, ReducerResult):
            if isinstance(message.outcome, ReducerErr | ReducerInternalError):
                raise Refused(message.outcome.error)
            return None
        if isinstance(message, ProcedureResult):
            if message.error is not None:
                raise Refused(message.error)
            return self._words.answers[name](message.value)
        return None

    def _look(self) -> None:
        waiting, self._checks = self._checks, []
        for holds, future in waiting:
            if future.done():
                continue
            if holds():
                future.set_result(None)
            else:
                self._checks.append((holds, future))


@contextlib.asynccontextmanager
async def connected(
    words: Words, server: Served, token: str = "", protocol: str = "v3", **options: Any
) -> AsyncIterator[Bot]:
    """A connected bot. Raises Lost when the server goes before it has greeted us."""
    uri = f"{server.uri}/v1/database/{DATABASE}/subscribe"
    if token:
        uri += f"?token={token}"
    name = _PROTOCOLS[protocol].value
    try:
        socket = await connect(
            uri, subprotocols=[name], compression=None, max_size=None, proxy=None, **options
        )
    except (OSError, EOFError, ConnectionClosed, InvalidMessage) as error:
        raise Lost from error
    bot = Bot(words, socket, protocol)
    tasks = [asyncio.create_task(bot.send_all()), asyncio.create_task(bot.receive_all())]
    try:
        await bot.greeted
        yield bot
    finally:
        await socket.close()
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
