"""Plain JSON in text frames, as our servers over ``ws`` and over ``websockets`` speak it."""

from __future__ import annotations

import json

from loadtest.peers.dialect import FramedDialect
from loadtest.peers.link import Link

__all__ = ["JsonDialect"]

_FIRST_ID = 100
"""Ids have three digits from the first to the last."""


class JsonDialect(FramedDialect):
    """``{"id", "call", "to"}`` is answered by ``{"id", "total"}``; an update names what it is."""

    async def connect(self, port: int) -> Link:
        """Nothing comes before the first call."""
        return await Link.open(f"ws://127.0.0.1:{port}/", is_text=True)

    def call(self, request_id: int, name: str, purse: int | None = None) -> bytes:
        """Spell a call."""
        call: dict[str, object] = {"id": _FIRST_ID + request_id, "call": name}
        if purse is not None:
            call["to"] = purse
        return json.dumps(call, separators=(",", ":")).encode()
