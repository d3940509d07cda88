"""Colyseus 0.18: a seat from the matchmaker, then requests with replies in MessagePack."""

from __future__ import annotations

import asyncio
import json
from typing import ClassVar

from loadtest.errors import WireError
from loadtest.limits import ANSWER_SECONDS_MAX
from loadtest.peers.dialect import FramedDialect
from loadtest.peers.link import Link

__all__ = ["ColyseusDialect"]

_JOIN_ROOM = b"\x0a"
_REQUEST = 0x15
_SHORT_STRING = 0xA0
_U16 = b"\xcd"
_U32 = b"\xce"
_SEAT = (
    b"POST /matchmake/joinOrCreate/counters HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
)


class ColyseusDialect(FramedDialect):
    """Requests of one room."""

    is_text: ClassVar[bool] = False

    async def connect(self, port: int) -> Link:
        """Reserve a seat, join the room, and say that it was joined."""
        seat = await _seat(port)
        url = f"ws://127.0.0.1:{port}/{seat['processId']}/{seat['roomId']}"
        link = await Link.open(f"{url}?sessionId={seat['sessionId']}", is_text=False)
        joined = await link.receive()
        if not joined.startswith(_JOIN_ROOM):
            raise WireError(f"not joined: {joined[:80]!r}")
        link.send(_JOIN_ROOM)
        return link

    def call(self, request_id: int, name: str, purse: int | None = None) -> bytes:
        """Spell a request: its number, its name, its payload."""
        argument = b"" if purse is None else _U16 + purse.to_bytes(2, "big")
        word = name.encode()
        return bytes((_REQUEST, request_id, _SHORT_STRING | len(word))) + word + argument

    def spelled(self, total: int) -> bytes:
        """As 32 bits."""
        return _U32 + total.to_bytes(4, "big")

    def read(self, data: bytes) -> int:
        """Without the byte that tells the type."""
        return int.from_bytes(data[1:], "big")


async def _seat(port: int) -> dict[str, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_SEAT)
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        answer = await reader.read()
    writer.close()
    status, _, rest = answer.partition(b"\r\n")
    body = rest.partition(b"\r\n\r\n")[2]
    if b" 200 " not in status:
        raise WireError(f"no seat: {status!r} {body[:200]!r}")
    seat: dict[str, str] = json.loads(body)
    return seat
