"""Subscriber: one connection that counts the updates it is sent, at the least cost.

The writer's commits all have one shape, so every update is as long as the first one, which is
decoded; from then on a message is checked by its length and tags.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeAlias

from loadtest.connection import Address, Connection
from loadtest.errors import CheckError, ConnectionEndedError, LoadTestError
from loadtest.frames import server_frame_bytes
from loadtest.shared_reader import Mark, SharedReader
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
    """A connection with one live query; a ``Receiver``, and a ``Member`` of a shared reader.

    Attributes:
        received: updates so far.
        failure: what went wrong, None while all is well.
    """

    __slots__ = (
        "_applied",
        "_connection",
        "_even_bytes",
        "_marks",
        "_on_updates",
        "_progress",
        "_shared",
        "_update_bytes",
        "failure",
        "received",
    )

    def __init__(self, on_updates: Updates) -> None:
        self._on_updates = on_updates
        self.received = 0
        self.failure: LoadTestError | None = None
        self._update_bytes = 0
        self._shared: SharedReader | None = None
        self._marks: list[Mark] | None = None
        self._even_bytes = 0
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

    def share(self, reader: SharedReader) -> None:
        """Let somebody read for this one and for others; of known reads only ``received`` tells.

        Each message has one latency, that of its oldest update.
        """
        self._shared = reader
        self._connection.pause()
        reader.add(self._connection.descriptor, self)

    def cut(self) -> None:
        """Break the connection off without a word."""
        self._connection.cut()

    async def progress(self) -> None:
        """Wait for the next message, or the end; when shared, of anybody."""
        if self._shared is not None:
            await self._shared.progress()
            return
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
                if self._marks is not None:
                    self._marks.append(Mark(self.received, 1))
                    self._even_bytes += server_frame_bytes(len(data))
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

    # --- member of a shared reader

    def take_read(self, data: bytes) -> Sequence[Mark] | None:
        """Take what a read brought."""
        marks = self._marks = list[Mark]()
        self._even_bytes = 0
        self._connection.data_received(data)
        self._marks = None
        is_even = self._even_bytes == len(data) and self._connection.is_between
        return marks if is_even and self.failure is None else None

    def read_end(self) -> None:
        """Let the connection learn of its end."""
        self._connection.resume()

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
        if self._shared is not None:
            self._shared.wake()
        if not self._applied.done():
            self._applied.set_exception(failure)
        if self._progress is not None:
            self._progress.set_result(None)
            self._progress = None
