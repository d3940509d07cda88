"""Counters over websockets, each kept by a Pykka actor that is a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import signal
from collections.abc import Awaitable, Callable
from importlib.metadata import version

import pykka
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

__all__ = ["Counter", "main"]

_START = 1_000_000_000  # Totals have ten digits from the first to the last.

_followers: set[ServerConnection] = set()
_purses: list[tuple[pykka.ActorRef[Counter], ServerConnection]] = []


class Counter(pykka.ThreadingActor):
    """One total; its messages are callbacks that get the next one."""

    use_daemon_thread = True

    def __init__(self) -> None:
        super().__init__()
        self._total = _START

    def on_receive(self, message: Callable[[int], object]) -> None:
        """Count, and tell whoever asked."""
        self._total += 1
        message(self._total)


async def _next(counter: pykka.ActorRef[Counter]) -> int:
    """Let an actor count; its thread hands the total back to the loop."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[int] = loop.create_future()
    counter.tell(lambda total: loop.call_soon_threadsafe(answer.set_result, total))
    return await answer


class _Visitor:
    """One connection."""

    def __init__(self, socket: ServerConnection, board: pykka.ActorRef[Counter]) -> None:
        self._socket = socket
        self._board = board
        self._counter = Counter.start()
        self._calls: dict[str, Callable[[int], Awaitable[int]]] = {
            "bump": lambda _to: _next(self._counter),
            "follow": self._follow,
            "write": self._write,
            "enroll": self._enroll,
            "give": self._give,
        }

    async def stay(self) -> None:
        """Answer call after call until the connection ends."""
        try:
            async for text in self._socket:
                call = json.loads(text)
                total = await self._calls[call["call"]](call.get("to", 0))
                await self._socket.send(json.dumps({"id": call["id"], "total": total}))
        finally:
            _followers.discard(self._socket)
            self._counter.stop(block=False)

    async def _follow(self, _to: int) -> int:
        _followers.add(self._socket)
        return _START

    async def _write(self, _to: int) -> int:
        total = await _next(self._board)
        broadcast(_followers, json.dumps({"written": total}))
        return total

    async def _enroll(self, _to: int) -> int:
        _purses.append((Counter.start(), self._socket))
        return _START

    async def _give(self, to: int) -> int:
        purse, owner = _purses[to]
        total = await _next(purse)
        await owner.send(json.dumps({"given": total}))
        return total


async def _serve() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    board = Counter.start()
    async with serve(lambda socket: _Visitor(socket, board).stay(), "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        versions = ", ".join(f"{name} {version(name)}" for name in ("websockets", "pykka"))
        print(f"ready {port} {versions}, Python {platform.python_version()}", flush=True)
        await stopped.wait()


def main() -> None:
    """Serve until a signal ends it; prints one line when it listens."""
    with contextlib.suppress(asyncio.CancelledError):
        uvloop.run(_serve())


if __name__ == "__main__":
    main()
