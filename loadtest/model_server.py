"""Model server: a text model on this machine that speaks OpenAI's chat completions.

What it says comes from a teller; each answer is streamed piece by piece, at a pace that does not
depend on who listens.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeAlias, cast

import httptools

__all__ = ["Answer", "Teller", "running_model"]

_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
_BEGIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_DONE = b"data: [DONE]\n\n"
_LAST_CHUNK = b"0\r\n\r\n"
_HEAD, _TAIL = json.dumps(
    {
        "id": "local",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "local",
        "choices": [{"index": 0, "delta": {"content": "PIECE"}, "finish_reason": None}],
    }
).split('"PIECE"')
_STOP = json.dumps({"id": "local", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})


class Answer(NamedTuple):
    """What the model says.

    Attributes:
        pieces: one after the other.
        seconds: from each piece to the next; 0 waits for nothing.
    """

    pieces: Iterator[str]
    seconds: float


Teller: TypeAlias = Callable[[Any], Answer | None]
"""Makes the answer to a request's body; None refuses it with status 404."""


@asynccontextmanager
async def running_model(tell: Teller) -> AsyncIterator[str]:
    """Serve a model on a free port of the loopback; gives its base address."""
    loop = asyncio.get_running_loop()
    open_visits: set[_Visit] = set()
    server = await loop.create_server(lambda: _Visit(tell, open_visits), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for visit in list(open_visits):
            visit.close()
        await server.wait_closed()


class _Visit(asyncio.Protocol):
    """One connection: requests in, answers out, one after the other."""

    def __init__(self, tell: Teller, open_visits: set[_Visit]) -> None:
        self._tell = tell
        self._open_visits = open_visits
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._answer: Answer | None = None
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def close(self) -> None:
        """End the connection, in the middle of an answer too."""
        self._transport.close()

    # --- asyncio's protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who asks."""
        self._transport = cast("asyncio.Transport", transport)
        self._open_visits.add(self)

    def data_received(self, data: bytes) -> None:
        """Read on in the request."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say nothing more."""
        del exc
        self._open_visits.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    # --- the parser's callbacks

    def on_message_begin(self) -> None:
        """A request begins."""
        self._body = b""

    def on_body(self, body: bytes) -> None:
        """A part of it is here."""
        self._body += body

    def on_message_complete(self) -> None:
        """Begin the answer."""
        self._answer = self._tell(json.loads(self._body))
        if self._answer is None:
            self._transport.write(_NOT_FOUND)
            return
        self._transport.write(_BEGIN)
        self._due = asyncio.get_running_loop().time()
        self._speak()

    def _speak(self) -> None:
        """Say what is due, and come back for the rest."""
        assert self._answer is not None
        loop = asyncio.get_running_loop()
        said = b""
        for piece in self._answer.pieces:
            said += _chunk(f"data: {_HEAD}{json.dumps(piece)}{_TAIL}\n\n".encode())
            self._due += self._answer.seconds
            if self._due > loop.time():
                self._timer = loop.call_at(self._due, self._speak)
                break
        else:
            said += _chunk(f"data: {_STOP}\n\n".encode()) + _chunk(_DONE) + _LAST_CHUNK
        self._transport.write(said)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
