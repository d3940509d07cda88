"""WebP files: their size, and a copy without the chunks that say more than the picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["is_webp", "stripped_webp", "webp_size"]

_HEADER_BYTES: Final = 12
_KEPT: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_METADATA_FLAGS: Final = 0x0C
"""The bits of a VP8X header that announce EXIF and XMP."""


def is_webp(data: bytes) -> bool:
    """Whether a file begins as one."""
    return data[:4] == b"RIFF" and data[8:_HEADER_BYTES] == b"WEBP"


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of the canvas. Raises ValueError: the first chunk is broken."""
    kind, chunk = next(_chunks(data), (b"", b""))
    body = chunk[8:]
    if kind == b"VP8X" and len(body) >= 10:
        return _u24(body, 4) + 1, _u24(body, 7) + 1
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("a WebP without a picture")


def stripped_webp(data: bytes) -> bytes:
    """The same picture, and nothing behind its end. Raises ValueError: the file is cut off."""
    parts = []
    for kind, chunk in _chunks(data):
        if kind == b"VP8X" and len(chunk) > 8:
            parts.append(chunk[:8] + bytes([chunk[8] & ~_METADATA_FLAGS]) + chunk[9:])
        elif kind in _KEPT:
            parts.append(chunk)
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and bytes of each chunk; a chunk of odd length has a byte of padding."""
    last = 8 + int.from_bytes(data[4:8], "little")
    if last > len(data):
        raise ValueError("a WebP that is cut off")
    at = _HEADER_BYTES
    while at < last:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        end = at + 8 + size + (size & 1)
        if end > last:
            raise ValueError("a WebP that is cut off")
        yield data[at : at + 4], data[at:end]
        at = end


def _u24(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 3], "little")
