"""Event stream: a generator's events as ``text/event-stream`` (domain 11.4)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from actors.errors import ReducerError
from actors.module.routes import ServerEvent
from server.http.json_writing import json_bytes, write_anything
from server.http.problems import INTERNAL_ERROR
from server.limits import (
    STREAM_BEGIN_SECONDS_MAX,
    STREAM_PING_SECONDS,
    STREAM_WRITE_SECONDS_MAX,
)

__all__ = ["MEDIA_TYPE", "EventStream", "event_bytes"]

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "text/event-stream"

_HEADERS: Final = {
    "content-type": MEDIA_TYPE,
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # proxies that gather answers must not gather this one
}
_PING: Final = b": ping\n\n"
_BREAK: Final = re.compile(r"[\r\n\0]")


def event_bytes(event: ServerEvent) -> bytes:
    """One event as it stands on the wire; its data are one line."""
    head = f"event: {_BREAK.sub(' ', event.event)}\n"
    if event.id is not None:
        head += f"id: {_BREAK.sub(' ', event.id)}\n"
    return head.encode() + b"data: " + json_bytes(write_anything(event.data)) + b"\n\n"


class EventStream:
    """One stream, from its first event to its end.

    The next event is asked for when the one before has been taken, so a slow reader costs one
    event. The generator is closed when the client goes, when it reads too slowly, and when
    ``closing`` is done; in the last case the stream ends as if the generator had.
    """

    def __init__(
        self, events: AsyncGenerator[ServerEvent, None], closing: asyncio.Future[None]
    ) -> None:
        self._events = events
        self._closing = closing
        self._coming: asyncio.Future[ServerEvent | None] | None = None

    async def begin(self) -> None:
        """Wait for the first event, for a while; what the generator raises meanwhile is raised."""
        self._coming = asyncio.ensure_future(anext(self._events, None))
        try:
            await asyncio.wait((self._coming,), timeout=STREAM_BEGIN_SECONDS_MAX)
            if self._coming.done():
                self._coming.result()
        except asyncio.CancelledError:
            await self._stop_waiting()
            raise

    async def run(
        self, receive: Receive, send: Send, headers: Mapping[str, str], *, is_head: bool
    ) -> None:
        """Answer with the stream (ASGI); only with its head if ``is_head``."""
        every = {**_HEADERS, **headers}
        raw = [(name.encode(), value.encode()) for name, value in every.items()]
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": raw})
            if not is_head:
                await self._write_all(send, gone)
        except (ClientDisconnect, OSError):
            return
        finally:
            gone.cancel()
            await self._stop_waiting()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write_all(self, send: Send, gone: asyncio.Future[None]) -> None:
        if self._coming is not None and not self._coming.done():
            await _write(send, _PING)  # servers keep the head until there is a body
        while not gone.done():
            try:
                event = await self._next(send, gone)
            except ReducerError as error:
                event = _failure(error)
                await _write(send, event_bytes(event))
                return
            except Exception:
                log.exception("an event stream broke")
                await _write(send, event_bytes(_failure(INTERNAL_ERROR)))
                return
            if event is None:
                return
            await _write(send, event_bytes(event))

    async def _next(self, send: Send, gone: asyncio.Future[None]) -> ServerEvent | None:
        """The next event, with signs of life until it comes; None at the end, whoever made it."""
        coming = self._coming or asyncio.ensure_future(anext(self._events, None))
        self._coming = coming
        while True:
            done, _ = await asyncio.wait(
                (coming, gone, self._closing),
                timeout=STREAM_PING_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if coming in done:
                self._coming = None
                return coming.result()
            if done:
                return None
            await _write(send, _PING)

    async def _stop_waiting(self) -> None:
        """Leave the generator alone, so that it can be closed."""
        if self._coming is not None and not self._coming.done():
            self._coming.cancel()
            await asyncio.gather(self._coming, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, data: bytes) -> None:
    try:
        async with asyncio.timeout(STREAM_WRITE_SECONDS_MAX):
            await send({"type": "http.response.body", "body": data, "more_body": True})
    except TimeoutError:
        raise OSError("the reader is too slow") from None


def _failure(error: ReducerError) -> ServerEvent:
    data = {
        "code": error.code,
        "message": error.message,
        "partial": True,
        "retryable": error.code in {"state.actor_unavailable", "dependency.timeout"},
    }
    return ServerEvent("error", data)
