"""Bot: a client that decodes everything, keeps its rows and answers with values.

It is the client core of ``protocol.client`` behind coroutines: what is checked, and what plays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from loadtest.connection import Address, Connection
from loadtest.errors import ConnectionEndedError, LoadTestError, RefusedError, WireError
from loadtest.limits import ANSWER_SECONDS_MAX
from protocol.client import Client
from protocol.client_cache import ClientCache
from protocol.errors import DecodeError
from protocol.messages.answers import (
    InitialConnection,
    OneOffQueryResult,
    ProcedureResult,
    QuerySetUpdate,
    ReducerErr,
    ReducerInternalError,
    ReducerOk,
    ReducerResult,
    ServerMessage,
    SubscribeApplied,
    SubscriptionError,
    TransactionUpdate,
    UnsubscribeApplied,
)
from protocol.schema import ModuleSchema
from protocol.upgrade import Subprotocol

__all__ = ["Bot", "Watcher"]

_Answer: TypeAlias = (
    ReducerResult
    | ProcedureResult
    | OneOffQueryResult
    | SubscribeApplied
    | SubscriptionError
    | UnsubscribeApplied
)

Watcher: TypeAlias = Callable[[Sequence[QuerySetUpdate]], None]
"""Told of each commit that changed subscribed rows, after the cache has them; loop thread."""


class Bot:
    """One connected user; a ``Receiver``. Made by :meth:`connect`.

    Attributes:
        cache: rows of all subscriptions.
        hello: what the server first said: who we are, and a token to come back with.
        commits: commits that were seen, own calls included.
        watcher: told of each commit; None for nobody.
    """

    hello: InitialConnection

    def __init__(self, subprotocol: Subprotocol, schema: ModuleSchema | None) -> None:
        self.cache = ClientCache(schema)
        self.commits = 0
        self.watcher: Watcher | None = None
        self._client = Client(subprotocol, self.cache, schema)
        self._connection: Connection
        self._answers: dict[int, asyncio.Future[_Answer]] = {}
        self._greeted: asyncio.Future[InitialConnection] = (
            asyncio.get_running_loop().create_future()
        )
        self._changed = asyncio.Event()
        self._end: LoadTestError | None = None

    @classmethod
    async def connect(
        cls,
        address: Address,
        *,
        schema: ModuleSchema | None = None,
        token: str | None = None,
        subprotocol: Subprotocol = Subprotocol.V3_BSATN,
    ) -> Bot:
        """Connect and wait for the server's first message.

        Args:
            address: which database.
            schema: to decode rows with; without it they stay bytes, and v1.json is not spoken.
            token: who to be; a new anonymous identity without one.
            subprotocol: the version to speak.

        Raises:
            ConnectionEndedError: the server refused, or went away.
        """
        bot = cls(subprotocol, schema)
        bot._connection = await Connection.open(address, bot, token=token, subprotocol=subprotocol)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            bot.hello = await bot._greeted
        return bot

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    def cut(self) -> None:
        """Break the connection off without a word."""
        self._connection.cut()

    def pause(self) -> None:
        """Read nothing more until :meth:`resume`."""
        self._connection.pause()

    def resume(self) -> None:
        """Read again."""
        self._connection.resume()

    @property
    def has_ended(self) -> bool:
        """Whether nothing will come any more."""
        return self._end is not None

    async def subscribe(self, *queries: str) -> int:
        """Start a query set; returns its id, once its rows are in the cache.

        Raises:
            RefusedError: code ``subscription``.
        """
        answer = await self._ask(self._client.subscribe(queries))
        if isinstance(answer, SubscriptionError):
            raise RefusedError("subscription", answer.error)
        assert isinstance(answer, SubscribeApplied), "the core matches answers to requests"
        return answer.query_set_id

    async def query(self, text: str) -> list[bytes]:
        """Read once; rows as BSATN. Raises RefusedError with code ``query``."""
        answer = await self._ask(self._client.query(text))
        assert isinstance(answer, OneOffQueryResult), "the core matches answers to requests"
        if answer.error is not None:
            raise RefusedError("query", answer.error)
        return [row for table in answer.tables for row in table.rows]

    async def call(self, reducer: str, args: bytes = b"") -> None:
        """Call a reducer and wait for its commit.

        Raises:
            RefusedError: the reducer refused, or broke; the text's first word is the code.
        """
        answer = await self._ask(self._client.call_reducer(reducer, args))
        assert isinstance(answer, ReducerResult), "the core matches answers to requests"
        if isinstance(answer.outcome, ReducerErr | ReducerInternalError):
            code, _, text = answer.outcome.error.partition(": ")
            raise RefusedError(code, text)

    async def procedure(self, name: str, args: bytes = b"") -> bytes:
        """Call a procedure; returns the BSATN of its value.

        Raises:
            RefusedError: code ``procedure``: it never ran or broke.
        """
        answer = await self._ask(self._client.call_procedure(name, args))
        assert isinstance(answer, ProcedureResult), "the core matches answers to requests"
        if answer.error is not None:
            raise RefusedError("procedure", answer.error)
        return answer.value

    async def until(
        self, condition: Callable[[], bool], seconds: float = ANSWER_SECONDS_MAX
    ) -> None:
        """Wait until a condition on the rows holds; it is looked at after each message.

        Raises:
            TimeoutError: it does not come to hold.
            ConnectionEndedError: nothing will come any more.
        """
        async with asyncio.timeout(seconds):
            while not condition():
                if self._end is not None:
                    raise self._end
                self._changed.clear()
                await self._changed.wait()

    # --- receiver

    def message_received(self, data: bytes) -> None:
        """Apply the messages and wake whoever waits for them."""
        try:
            messages = self._client.receive_frame(data)
        except DecodeError as error:
            self._stop(WireError(f"the server's bytes are no message: {error}"))
            return
        for message in messages:
            self._take(message)
        self._changed.set()

    def connection_ended(self, reason: str) -> None:
        """Let nobody wait for answers that will not come."""
        self._stop(ConnectionEndedError(reason))

    async def _ask(self, request_id: int) -> _Answer:
        if self._end is not None:
            raise self._end
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._answers[request_id] = answer
        for frame in self._client.frames():
            self._connection.send(frame, is_text=self._client.is_text)
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await answer

    def _take(self, message: ServerMessage) -> None:
        if isinstance(message, InitialConnection):
            if not self._greeted.done():
                self._greeted.set_result(message)
        elif isinstance(message, TransactionUpdate):
            self._tell(message)
        else:
            if isinstance(message, ReducerResult) and isinstance(message.outcome, ReducerOk):
                self._tell(message.outcome.update)
            if message.request_id is None:
                self._stop(WireError(f"query set {message.query_set_id}: {message.error}"))
                return
            answer = self._answers.pop(message.request_id, None)
            if answer is not None and not answer.done():
                answer.set_result(message)

    def _tell(self, update: TransactionUpdate) -> None:
        self.commits += 1
        if self.watcher is not None and update.query_sets:
            self.watcher(update.query_sets)

    def _stop(self, end: LoadTestError) -> None:
        self._end = self._end or end
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(end)
        if not self._greeted.done():
            self._greeted.set_exception(end)
        self._changed.set()
