"""Event chunks: the chunks of a streamed answer, decoded at the least cost.

A model in full flow sends a thousand events of a few letters each. The client library keeps the
connection and tells its errors apart; what it does with each event takes longer than everything
else that a piece goes through here, so events are taken from the bytes directly.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx2
import openai
import orjson

from server.limits import MODEL_DRAIN_SECONDS_MAX

__all__ = ["EventChunks"]

_DONE = b"[DONE]"


class EventChunks(openai.AsyncStream[object]):
    """The JSON of each event of an answer, up to the one that says that it is done.

    Raises, as one iterates: the library's errors of connections, and ValueError for what is no
    JSON or says that the request has failed.
    """

    async def __stream__(self) -> AsyncIterator[object]:
        """Read events for as long as they come."""
        bytes_read = self.response.aiter_bytes()
        try:
            async for data in _events(bytes_read):
                if data.startswith(_DONE):
                    # Only a connection whose answer was read to its end is used again.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(MODEL_DRAIN_SECONDS_MAX):
                            async for _ in bytes_read:
                                pass
                    return
                yield _chunk(data)
        except httpx2.TimeoutException:
            raise openai.APITimeoutError(request=self.response.request) from None
        except httpx2.HTTPError:
            raise openai.APIConnectionError(request=self.response.request) from None
        finally:
            await self.response.aclose()


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The data of server-sent events; other fields of them say nothing here."""
    rest = b""
    data: list[bytes] = []
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            text = line.rstrip(b"\r")
            if text.startswith(b"data:"):
                data.append(text[5:].lstrip(b" "))
            elif not text and data:
                yield b"\n".join(data)
                data.clear()


def _chunk(data: bytes) -> object:
    try:
        chunk = orjson.loads(data)
    except orjson.JSONDecodeError:
        # A letter beyond the first 65,536 may come in halves, which only the other one reads.
        chunk = json.loads(data)
    if isinstance(chunk, dict) and chunk.get("error"):
        raise ValueError("the request has failed")
    return chunk
