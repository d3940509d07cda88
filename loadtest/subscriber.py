"""Subscriber: one connection that counts the updates it is sent, at the least cost.

The writer's commits all have one shape, so every update is as long as the first one, which is
decoded; from then on a message is checked by its length and tags.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from loadtest.connection import Address, Connection
from loadtest.errors import CheckError, ConnectionEndedError, LoadTestError
from protocol.client import Client
from protocol.errors import DecodeError
from protocol.messages.answers import InitialConnection, SubscribeApplied, TransactionUpdate
from protocol.messages.v2_client import decode_server_message
from protocol.upgrade import Subprotocol

__all__ = ["Subscriber", "Updates"]

Updates: TypeAlias = Callable[[bytes, int], None]
"""Gets a message and how many updates it holds, all of one size; its first byte is a tag."""

_UPDATE_TAG = b"\x04"


class Subscriber:
    """A connection with one live query; a ``Receiver``.

    Attributes:
        received: updates so far.
        failure: what went wrong, None while all is well.
    """

    __slots__ = (
        "_applied",
        "_connection",
        "_on_updates",
        "_progress",
        "_update_bytes",
        "failure",
        "received",
    )

    def __init__(self, on_updates: Updates) -> None:
        self._on_updates = on_updates
        self.received = 0
        self.failure: LoadTestError | None = None
        self._update_bytes = 0
        self._applied: asyncio.Future[SubscribeApplied] = asyncio.get_running_loop().create_future()
        self._progress: asyncio.Future[None] | None = None
        self._connection: Connection

    async def connect(self, address: Address, query: str) -> SubscribeApplied:
        """Open the connection (v3) and subscribe; returns the first rows."""
        self._connection = await Connection.open(address, self, subprotocol=Subprotocol.V3_BSATN)
        client = Client(Subprotocol.V3_BSATN)
        client.subscribe([query])
        for frame in client.frames():
            self._connection.send(frame)
        return await self._applied

    def cut(self) -> None:
        """Break the connection off without a word."""
        self._connection.cut()

    async def progress(self) -> None:
        """Wait for the next message, or the end."""
        self._progress = asyncio.get_running_loop().create_future()
        await self._progress

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    # --- receiver

    def message_received(self, data: bytes) -> None:
        """Count the updates in a message."""
        size = self._update_bytes
        if size:
            count, rest = divmod(len(data) - 1, size)
            if not rest and not data[0] and data[1::size].count(_UPDATE_TAG) == count:
                self.received += count
                self._on_updates(data, count)
            else:
                self._take_decoded(data)
        else:
            self._take_decoded(data)
        if self._progress is not None:
            self._progress.set_result(None)
            self._progress = None

    def connection_ended(self, reason: str) -> None:
        """Note the end; whether it is one too early is for the load to say."""
        self._fail(ConnectionEndedError(reason))

    def _take_decoded(self, data: bytes) -> None:
        offset = 1
        while offset < len(data):
            try:
                message, end = decode_server_message(data, offset)
            except DecodeError as error:
                self._fail(CheckError(f"not a message: {error}"))
                return
            if isinstance(message, TransactionUpdate) and self._applied.done():
                if self._update_bytes not in (0, end - offset):
                    self._fail(CheckError("updates differ in size"))
                self._update_bytes = end - offset
                self.received += 1
                self._on_updates(data[:1] + data[offset:end], 1)
            elif isinstance(message, SubscribeApplied):
                self._applied.set_result(message)
            elif not isinstance(message, InitialConnection):
                self._fail(CheckError(f"unexpected message {message}"))
            offset = end

    def _fail(self, failure: LoadTestError) -> None:
        self.failure = self.failure or failure
        if not self._applied.done():
            self._applied.set_exception(failure)
        if self._progress is not None:
            self._progress.set_result(None)
            self._progress = None
