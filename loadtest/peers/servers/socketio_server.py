"""Counters over python-socketio: events with acknowledgements, a room for those who follow."""

from __future__ import annotations

import platform
import signal
import socket
import sys
from dataclasses import dataclass
from importlib.metadata import version

import socketio  # type: ignore[import-not-found]
import uvicorn

__all__ = ["main"]

_START = 1_000_000_000  # Totals have ten digits from the first to the last.
_BACKLOG = 2_048

_io = socketio.AsyncServer(async_mode="asgi", transports=["websocket"])


@dataclass(slots=True)
class _Purse:
    owner: str
    total: int = _START


class _Totals:
    """What this server keeps."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.purses: list[_Purse] = []
        self.board = _START


_totals = _Totals()


@_io.event  # type: ignore[untyped-decorator]
async def connect(sid: str, environ: object) -> None:  # noqa: ARG001 - as the library calls it
    """Begin a counter."""
    _totals.counters[sid] = _START


@_io.event  # type: ignore[untyped-decorator]
async def disconnect(sid: str, reason: str) -> None:  # noqa: ARG001 - as the library calls it
    """Forget it."""
    del _totals.counters[sid]


@_io.event  # type: ignore[untyped-decorator]
async def bump(sid: str) -> int:
    """Count for the caller."""
    _totals.counters[sid] += 1
    return _totals.counters[sid]


@_io.event  # type: ignore[untyped-decorator]
async def follow(sid: str) -> int:
    """Let the caller see what is written from now on."""
    await _io.enter_room(sid, "board")
    return _totals.board


@_io.event  # type: ignore[untyped-decorator]
async def write(sid: str) -> int:  # noqa: ARG001 - as the library calls it
    """Count for everybody who follows."""
    _totals.board += 1
    await _io.emit("written", _totals.board, room="board")
    return _totals.board


@_io.event  # type: ignore[untyped-decorator]
async def enroll(sid: str) -> int:
    """Open a purse for the caller."""
    _totals.purses.append(_Purse(sid))
    return _START


@_io.event  # type: ignore[untyped-decorator]
async def give(sid: str, number: int) -> int:  # noqa: ARG001 - as the library calls it
    """Count in somebody's purse, and tell its owner."""
    purse = _totals.purses[number]
    purse.total += 1
    await _io.emit("given", purse.total, to=purse.owner)
    return purse.total


def main() -> None:
    """Serve until a signal ends it; prints one line when it listens."""
    # uvicorn raises the signal that ended it once more, for whoever was there before it.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    versions = ", ".join(f"{name} {version(name)}" for name in ("python-socketio", "uvicorn"))
    port = listener.getsockname()[1]
    print(f"ready {port} {versions}, Python {platform.python_version()}", flush=True)
    config = uvicorn.Config(socketio.ASGIApp(_io), log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
