"""Bodies of requests: read whole, as far as they may go, within the memory for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from actors.errors import ReducerError
from server.limits import BODIES_BYTES_MAX, BODY_SECONDS_MAX

__all__ = ["Bodies", "has_body", "media_type_of"]


def media_type_of(request: Request) -> str:
    """The type that a request says its body has, without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def has_body(request: Request) -> bool:
    """Whether a request comes with a body, or says of what type it would be."""
    headers = request.headers
    length = headers.get("content-length", "0")
    return length != "0" or "transfer-encoding" in headers or "content-type" in headers


class Bodies:
    """The bodies that are in memory. Loop thread."""

    def __init__(self) -> None:
        self._bytes = 0

    @asynccontextmanager
    async def body(self, request: Request, limit: int) -> AsyncIterator[bytes]:
        """A request's body, which counts as in memory until the context ends.

        Raises:
            ReducerError: ``input.payload_too_large``, by its length before anything is read;
                ``input.too_slow``; ``dependency.unavailable`` when too many others are there.
        """
        length = request.headers.get("content-length")
        if length is not None and int(length) > limit:
            raise _too_large(limit)
        chunks: list[bytes] = []
        try:
            await self._fill(chunks, request, limit)
            yield b"".join(chunks)
        finally:
            self._bytes -= sum(map(len, chunks))

    async def _fill(self, chunks: list[bytes], request: Request, limit: int) -> None:
        room = limit
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                async for chunk in request.stream():
                    chunks.append(chunk)
                    self._bytes += len(chunk)
                    room -= len(chunk)
                    if room < 0:
                        raise _too_large(limit)
                    if self._bytes > BODIES_BYTES_MAX:
                        raise ReducerError("dependency.unavailable", "too many uploads, wait")
        except TimeoutError:
            raise ReducerError("input.too_slow", "the body did not arrive in time") from None


def _too_large(limit: int) -> ReducerError:
    return ReducerError(
        "input.payload_too_large", f"the body has more than {limit} bytes", limit=limit
    )
