"""Stream model: a process whose model writes replies at a fixed pace, each telling its own times.

A reply's first piece names the moment at which it was due; the others are numbered. Whoever reads a
piece knows when it was due, and that none is missing before it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from loadtest.errors import CheckError, ServerProcessError
from loadtest.limits import START_SECONDS_MAX, STREAM_PIECES_MAX
from loadtest.model_server import Answer, running_model

__all__ = ["PacedText", "running_stream_model"]

_MARK = "-"
_REPLY = '"reply":'
_NARRATION = '{"narration":"The road goes on, and so does the story."}'
_HEAD, _TAIL = '{"reply":"', '","anchors":[],"suggestedReplies":[]}'


class PacedText:
    """One reply as a reader gets it: counts its pieces, and knows when each was due.

    Args:
        interval_nanos: from piece to piece.
    """

    def __init__(self, interval_nanos: int) -> None:
        self.pieces = 0
        self._interval_nanos = interval_nanos
        self._began = 0
        self._rest = ""

    def feed(self, text: str) -> Iterator[int]:
        """Take some more of the reply; when its whole pieces were due, in monotonic nanoseconds.

        Raises:
            CheckError: a piece is missing, or comes twice.
        """
        *pieces, self._rest = (self._rest + text).split(_MARK)
        for piece in pieces:
            if not self.pieces:
                self._began = int(piece, 16)
            elif piece != f"{self.pieces:03d}":
                raise CheckError(f"piece {self.pieces} of a reply is {piece!r}")
            yield self._began + self.pieces * self._interval_nanos
            self.pieces += 1


def _pieces(count: int) -> Iterator[str]:
    yield f"{_HEAD}{time.monotonic_ns():x}{_MARK}"
    for number in range(1, count):
        yield f"{number:03d}{_MARK}"
    yield _TAIL


async def _serve(seconds: float, pieces: int) -> None:
    def tell(body: Any) -> Answer:
        """Answer authors at their pace, and stories at once."""
        if _REPLY in body["messages"][0]["content"]:
            return Answer(_pieces(pieces), seconds)
        return Answer(iter([_NARRATION]), 0)

    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with running_model(tell) as url:
        print(url, flush=True)
        await ended.wait()


@asynccontextmanager
async def running_stream_model(per_second: float, pieces: int) -> AsyncIterator[str]:
    """Run the model in a process of its own; gives its base address.

    Args:
        per_second: pieces of each reply.
        pieces: of a reply in all.

    Raises:
        ServerProcessError: it does not start.
    """
    assert 0 < pieces <= STREAM_PIECES_MAX
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest.stream_model", str(1 / per_second), str(pieces)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None, "it was asked for"
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            url = (await process.stdout.readline()).decode().strip()
        if not url:
            raise ServerProcessError("the model did not start")
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


if __name__ == "__main__":
    uvloop.run(_serve(float(sys.argv[1]), int(sys.argv[2])))
