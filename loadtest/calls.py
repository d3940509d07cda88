"""Calls: one connection that keeps a number of reducer calls in flight, and checks every answer.

Requests are encoded before the load begins, and answers are recognised by their shape: a caller
without subscriptions gets the same 22 bytes for each call that commits (wire spec 6.2, S08), and
one that follows a row which its calls change gets always as many more, so a whole frame of answers
is checked by a few slices. Anything else is decoded, to say what it was.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from loadtest.connection import Address, Connection
from loadtest.errors import CheckError, ConnectionEndedError, LoadTestError
from loadtest.frames import binary_frame
from loadtest.latency import Latencies
from protocol.client import Client
from protocol.errors import DecodeError
from protocol.messages.answers import (
    InitialConnection,
    ReducerErr,
    ReducerOk,
    ReducerOkEmpty,
    ReducerResult,
    ServerMessage,
    SubscribeApplied,
)
from protocol.messages.requests import CallReducer
from protocol.messages.v2_client import decode_server_message, encode_client_message
from protocol.upgrade import Subprotocol

__all__ = ["CallRing", "Caller", "Clock"]

Clock = Callable[[], int]
"""Nanoseconds, monotonic."""

_ANSWER_BYTES = 22
_UNKNOWN = 1 << 30
_OK_TAG = b"\x06"
_COMMITTED = b"\x00"


class CallRing:
    """Calls of one reducer, encoded once, sent again and again in order.

    Args:
        reducer: its name.
        arguments: BSATN of each call's arguments, all of one size; at most 256, so that the low
            byte of a request id tells the call.
    """

    def __init__(self, reducer: str, arguments: Sequence[bytes]) -> None:
        assert 0 < len(arguments) <= 256, "request ids are told apart by their low byte"
        messages = [
            encode_client_message(CallReducer(number, reducer, args))
            for number, args in enumerate(arguments)
        ]
        self._size = len(messages[0])
        assert all(len(message) == self._size for message in messages), "calls are of one size"
        self.length = len(messages)
        self._bytes = b"".join(messages) * 2
        self._ids = bytes(range(self.length)) * 2
        self._singles = [binary_frame(message) for message in messages]

    def frame(self, start: int, count: int) -> bytes:
        """The frame that makes ``count`` calls from position ``start`` on, at most one round."""
        if count == 1:
            return self._singles[start]
        size = self._size
        return binary_frame(self._bytes[start * size : (start + count) * size])

    def committed(self, data: bytes, start: int, answer_bytes: int = _ANSWER_BYTES) -> int:
        """Count the answers in a message, if all say that the calls from ``start`` on committed.

        Returns:
            The number of answers; 0 when anything in it is something else.
        """
        count, rest = divmod(len(data) - 1, answer_bytes)
        if (
            rest
            or data[0]
            or count > self.length
            or data[2::answer_bytes] != self._ids[start : start + count]
            or data[1::answer_bytes].count(_OK_TAG) != count
            or data[14::answer_bytes].count(_COMMITTED) != count
        ):
            return 0
        return count


class Caller:
    """One connection under load; a ``Receiver``.

    Either it keeps a number of calls in flight (:meth:`start`), or it is told when each call is due
    (:meth:`call`), from when on its latency counts; what does not fit into one round of the ring
    waits its turn.

    Attributes:
        answered: calls that were answered so far, refused ones included.
        refused: how often the call at each place of the ring was refused.
        token: with which another connection is the same user.
        failure: why the load had to end, None while all is well.
        sent_at: when each call left, in order; kept only when asked for.
    """

    def __init__(
        self,
        ring: CallRing,
        in_flight: int,
        latencies: Latencies,
        *,
        clock: Clock = time.perf_counter_ns,
        sent_at: list[int] | None = None,
        on_refusal: Callable[[str], None] | None = None,
    ) -> None:
        """Make a caller that is not connected yet.

        Args:
            ring: its calls.
            in_flight: how many of them :meth:`start` keeps unanswered.
            latencies: gets theirs.
            clock: of the latencies.
            sent_at: gets the moment at which each call left.
            on_refusal: told the code of each refusal; without it a refusal is a failure.
        """
        assert 0 < in_flight <= ring.length, "one round of the ring may be in flight"
        self.answered = 0
        self.refused = Counter[int]()
        self.token = ""
        self.failure: LoadTestError | None = None
        self.sent_at = sent_at
        self._ring = ring
        self._in_flight = in_flight
        self._latencies = latencies
        self._clock = clock
        self._next = 0
        self._expected = 0
        self._answer_bytes = _ANSWER_BYTES
        self._on_refusal = on_refusal
        self._batches: deque[tuple[int, int]] = deque()
        self._waiting: deque[tuple[int, int]] = deque()
        self._unanswered = 0
        self._running = False
        self._connection: Connection
        self._hello: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle: asyncio.Future[None] | None = None

    async def connect(
        self, address: Address, *, token: str | None = None, confirmed: bool | None = None
    ) -> None:
        """Open the connection (v3) and wait for the server's first message."""
        self._connection = await Connection.open(
            address,
            self,
            token=token,
            subprotocol=Subprotocol.V3_BSATN,
            confirmed=confirmed,
        )
        await self._hello

    async def follow(self, query: str) -> None:
        """Subscribe to one row, which each call makes or changes, and learn what answers look like.

        Makes two calls: the first may make the row, and those after the second are answered like
        it.
        """
        client = Client(Subprotocol.V3_BSATN)
        client.subscribe([query])
        for frame in client.frames():
            self._connection.send(frame)
        self._hello = asyncio.get_running_loop().create_future()
        await self._hello
        for _ in range(2):
            self._answer_bytes = _UNKNOWN
            self._send(1, self._clock())
            await self.stop()

    def start(self) -> None:
        """Fill the pipe, and keep it full from now on."""
        self._running = True
        self._send(self._in_flight, self._clock())

    def call(self, count: int, due: int) -> None:
        """Make calls that were due at a moment of the clock, in one frame."""
        if self._waiting or self._unanswered + count > self._ring.length:
            self._waiting.append((count, due))
        else:
            self._send(count, due)

    def made(self) -> Counter[int]:
        """How often the call at each place of the ring has committed; nothing is in flight."""
        rounds, rest = divmod(self.answered, self._ring.length)
        made = Counter({place: rounds + (place < rest) for place in range(self._ring.length)})
        made.subtract(self.refused)
        return made

    async def stop(self) -> None:
        """Send no more, and wait until everything is answered; raises what went wrong."""
        self._running = False
        if self._unanswered and self.failure is None:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    # --- receiver

    def message_received(self, data: bytes) -> None:
        """Take answers, and make as many calls as were answered."""
        count = self._ring.committed(data, self._expected, self._answer_bytes)
        if not count:
            self._take_other(data)
            return
        self._take(count)

    def connection_ended(self, reason: str) -> None:
        """Note the end, which is a failure while calls are in flight."""
        if self._batches or not self._hello.done():
            self._fail(ConnectionEndedError(reason))

    def _take(self, count: int) -> None:
        """Count answers, and send what may be sent now."""
        self.answered += count
        self._unanswered -= count
        self._expected = (self._expected + count) % self._ring.length
        self._record(count)
        if self._running:
            self._send(count, self._clock())
        while self._waiting and self._unanswered + self._waiting[0][0] <= self._ring.length:
            self._send(*self._waiting.popleft())
        if not self._batches and self._idle is not None:
            self._idle.set_result(None)
            self._idle = None

    def _send(self, count: int, due: int) -> None:
        ring = self._ring
        self._batches.append((due, count))
        self._unanswered += count
        if self.sent_at is not None:
            self.sent_at += [due] * count
        self._connection.write(ring.frame(self._next, count))
        self._next = (self._next + count) % ring.length

    def _record(self, count: int) -> None:
        """Answers come in the order of the calls; calls of one frame left at one time."""
        now = self._clock()
        batches = self._batches
        while count:
            sent, waiting = batches[0]
            if waiting > count:
                batches[0] = (sent, waiting - count)
                self._latencies.record(now - sent, count)
                return
            batches.popleft()
            self._latencies.record(now - sent, waiting)
            count -= waiting

    def _take_other(self, data: bytes) -> None:
        """Take what is no frame of plain answers: the greeting, refusals, or something wrong."""
        offset = 1
        try:
            while offset < len(data):
                message, offset = decode_server_message(data, offset)
                if isinstance(message, InitialConnection) and not self._hello.done():
                    self.token = message.token
                    self._hello.set_result(None)
                elif isinstance(message, SubscribeApplied) and not self._hello.done():
                    self._hello.set_result(None)
                elif not self._took(message):
                    self._fail(CheckError(f"expected answer {self._expected}, got {message}"))
                    return
        except DecodeError as error:
            self._fail(CheckError(f"not a message: {error}"))
        if self._answer_bytes == _UNKNOWN:
            self._answer_bytes = len(data) - 1

    def _took(self, message: ServerMessage) -> bool:
        """Take one answer that is the next one; False when it is none."""
        if not isinstance(message, ReducerResult) or message.request_id != self._expected:
            return False
        if isinstance(message.outcome, ReducerErr) and self._on_refusal is not None:
            self.refused[self._expected] += 1
            self._on_refusal(message.outcome.error.partition(": ")[0])
        elif not isinstance(message.outcome, ReducerOk | ReducerOkEmpty):
            return False
        self._take(1)
        return True

    def _fail(self, failure: LoadTestError) -> None:
        self.failure = self.failure or failure
        self._running = False
        if not self._hello.done():
            self._hello.set_exception(failure)
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
