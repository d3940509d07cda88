"""Our own wire, v3: rows that are subscribed to bring the totals."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from loadtest.errors import WireError
from loadtest.peers.dialect import Role, turns
from loadtest.peers.limits import REQUEST_IDS_MAX
from loadtest.peers.link import Link, Shape, masked_frame
from protocol.client import Client
from protocol.messages.answers import (
    InitialConnection,
    ReducerOk,
    ReducerResult,
    SubscribeApplied,
)
from protocol.messages.requests import CallReducer
from protocol.messages.v2_client import decode_server_message, encode_client_message
from protocol.upgrade import Subprotocol

__all__ = ["OwnDialect"]

_DATABASE = "tally"
_QUERIES = {
    Role.CALLER: "SELECT * FROM counter",
    Role.READER: "SELECT * FROM board",
    Role.OWNER: "SELECT * FROM purse",
}
_TAG_BYTES = 1
_TOTAL = struct.Struct("<Q")


class _JoinedCalls:
    """Calls of which a frame holds as many as are made at once."""

    def __init__(self, messages: Sequence[bytes]) -> None:
        self.length = len(messages)
        self._twice = [*messages, *messages]
        self._singles = [masked_frame(message, is_text=False) for message in messages]

    def take(self, start: int, count: int) -> bytes:
        """One frame."""
        if count == 1:
            return self._singles[start]
        return masked_frame(b"".join(self._twice[start : start + count]), is_text=False)


class OwnDialect:
    """A caller follows its counter: the answer to a call then brings the row.

    Args:
        confirmed: whether answers and updates wait until what they tell is durable.
    """

    def __init__(self, *, confirmed: bool) -> None:
        self._confirmed = "true" if confirmed else "false"

    async def connect(self, port: int) -> Link:
        """Be somebody new."""
        link = await Link.open(
            f"ws://127.0.0.1:{port}/v1/database/{_DATABASE}/subscribe"
            f"?compression=None&confirmed={self._confirmed}",
            is_text=False,
            subprotocol=Subprotocol.V3_BSATN.value,
        )
        await _expect(link, InitialConnection)
        return link

    async def enter(self, link: Link, role: Role, number: int) -> None:
        """Subscribe; owners open their purse."""
        if role in _QUERIES:
            client = Client(Subprotocol.V3_BSATN)
            client.subscribe([_QUERIES[role]])
            for frame in client.frames():
                link.send(frame)
            await _expect(link, SubscribeApplied)
        if role is Role.OWNER:
            call = CallReducer(0, role.value, number.to_bytes(4, "little"))
            link.send(encode_client_message(call))
            await _expect(link, ReducerResult)

    def calls(self, role: Role, purses: int) -> _JoinedCalls:
        """One message for each call."""
        if role is Role.GIVER:
            arguments = [purse.to_bytes(4, "little") for purse in turns(purses)]
        else:
            arguments = [b""] * REQUEST_IDS_MAX
        return _JoinedCalls(
            [
                encode_client_message(CallReducer(number % REQUEST_IDS_MAX, role.value, argument))
                for number, argument in enumerate(arguments)
            ]
        )

    def shape(self, payload: bytes, total: int) -> Shape:
        """After the tag, messages in a row."""
        return Shape.of(payload, _TOTAL.pack(total), _read, _TAG_BYTES)


def _read(data: bytes) -> int:
    (total,) = _TOTAL.unpack(data)
    return int(total)


async def _expect(link: Link, kind: type) -> None:
    """Take one message and see that it is of a kind and no refusal."""
    message, _ = decode_server_message(await link.receive(), _TAG_BYTES)
    refused = isinstance(message, ReducerResult) and not isinstance(message.outcome, ReducerOk)
    if not isinstance(message, kind) or refused:
        raise WireError(f"expected {kind.__name__}, got {message}")
