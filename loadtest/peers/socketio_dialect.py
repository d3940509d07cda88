"""Socket.IO over Engine.IO, websocket only (protocols 5 and 4)."""

from __future__ import annotations

import json

from loadtest.errors import WireError
from loadtest.peers.dialect import FramedDialect
from loadtest.peers.link import Link

__all__ = ["SocketIoDialect"]

_FIRST_ID = 100
"""Ids have three digits from the first to the last."""

_OPEN = b"0{"
_PING, _PONG = b"2", b"3"
_CONNECT = b"40"
_EVENT = "42"


class SocketIoDialect(FramedDialect):
    """Events with acknowledgements."""

    async def connect(self, port: int) -> Link:
        """Enter the default namespace."""
        url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        link = await Link.open(url, is_text=True, heartbeat={_PING: _PONG}.get)
        opened = await link.receive()
        link.send(_CONNECT)
        entered = await link.receive()
        if not opened.startswith(_OPEN) or not entered.startswith(_CONNECT):
            raise WireError(f"no Socket.IO: {opened[:80]!r} {entered[:80]!r}")
        return link

    def call(self, request_id: int, name: str, purse: int | None = None) -> bytes:
        """Spell an event that wants an acknowledgement."""
        words = [name] if purse is None else [name, purse]
        return f"{_EVENT}{_FIRST_ID + request_id}{json.dumps(words)}".encode()
