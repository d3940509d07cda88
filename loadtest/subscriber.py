"""Subscriber: one connection that counts the updates it is sent, at the least cost.

The writer's commits all have one shape, so every update is as long as the first one, which is
decoded; from then on a message is checked by its length and tags.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from loadtest.calls import Clock
from loadtest.connection import Address, Connection
from loadtest.errors import CheckError, ConnectionEndedError, LoadTestError
from loadtest.latency import Latencies
from protocol.client import Client
from protocol.errors import DecodeError
from protocol.messages.answers import InitialConnection, SubscribeApplied, TransactionUpdate
from protocol.messages.v2_client import decode_server_message
from protocol.upgrade import Subprotocol

__all__ = ["Subscriber"]

_UPDATE_TAG = b"\x04"


class Subscriber:
    """A connection with one live query; a ``Receiver``.

    Attributes:
        received: updates so far.
        failure: what went wrong, None while all is well.
    """

    __slots__ = (
        "_applied",
        "_clock",
        "_connection",
        "_latencies",
        "_progress",
        "_sent_at",
        "_update_bytes",
        "failure",
        "received",
    )

    def __init__(
        self,
        sent_at: Sequence[int],
        latencies: Latencies,
        *,
        clock: Clock = time.perf_counter_ns,
    ) -> None:
        """Count updates.

        Args:
            sent_at: when the call of each update left, in order; grows meanwhile.
            latencies: gets the time from the call to its update here, of the oldest one in each
                message.
            clock: that of the writer.
        """
        self.received = 0
        self.failure: LoadTestError | None = None
        self._sent_at = sent_at
        self._latencies = latencies
        self._clock = clock
        self._update_bytes = 0
        self._applied: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._progress: asyncio.Future[None] | None = None
        self._connection: Connection

    async def connect(self, address: Address, query: str) -> None:
        """Open the connection (v3) and subscribe; returns when the rows are here."""
        self._connection = await Connection.open(address, self, subprotocol=Subprotocol.V3_BSATN)
        client = Client(Subprotocol.V3_BSATN)
        client.subscribe([query])
        for frame in client.frames():
            self._connection.send(frame)
        await self._applied

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
                self._latencies.record(self._clock() - self._sent_at[self.received])
                self.received += count
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
                self._latencies.record(self._clock() - self._sent_at[self.received])
                self.received += 1
                if self._update_bytes not in (0, end - offset):
                    self._fail(CheckError("updates differ in size"))
                self._update_bytes = end - offset
            elif isinstance(message, SubscribeApplied):
                self._applied.set_result(None)
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
