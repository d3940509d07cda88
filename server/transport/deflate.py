"""permessage-deflate of one connection (RFC 7692), without any memory between messages.

Both sides are told to forget their window after each message. So a connection costs no memory for
it, a message that many are sent is compressed once, and messages can be left uncompressed freely.
"""

from __future__ import annotations

import zlib
from typing import Final

from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)

from server.limits import DEFLATE_BYTES_MIN

__all__ = ["DEFLATE_OFFERS", "Deflate", "agreed_deflate"]

DEFLATE_OFFERS: Final = (
    ServerPerMessageDeflateFactory(
        server_no_context_takeover=True, client_no_context_takeover=True
    ),
)
"""What the handshake accepts of a client's offers."""

_LEVEL = 1
_TAIL = b"\x00\x00\xff\xff"
"""Ends every message and is not sent (RFC 7692, 7.2.1)."""


class Deflate:
    """Compresses and decompresses single messages.

    Attributes:
        window_bits: how far back the peer can look in what it is sent; connections with the same
            are sent the same bytes.
    """

    __slots__ = ("window_bits",)

    def __init__(self, window_bits: int) -> None:
        self.window_bits = window_bits

    def compress(self, payload: bytes) -> bytes | None:
        """The payload of a compressed message; None when that is not worth it."""
        if len(payload) < DEFLATE_BYTES_MIN:
            return None
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -self.window_bits)
        data = deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)
        return data[: -len(_TAIL)] if len(data) - len(_TAIL) < len(payload) else None

    def decompress(self, data: bytes, bytes_max: int) -> bytes | None:
        """A message of the peer; None when it is larger than ``bytes_max``.

        No more than that is ever held, whatever the data would become.

        Raises:
            ValueError: the data is not compressed.
        """
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            payload = inflater.decompress(data + _TAIL, bytes_max + 1)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        return payload if len(payload) <= bytes_max else None


def agreed_deflate(extensions: list[Extension]) -> Deflate | None:
    """The compression that a handshake has agreed on; None when there is none."""
    for extension in extensions:
        if isinstance(extension, PerMessageDeflate):
            return Deflate(extension.local_max_window_bits)
    return None
