"""PNG files: their size, and a copy without the chunks that say more than the picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["PNG_MAGIC", "png_size", "stripped_png"]

PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"

_KEPT: Final = frozenset(
    {b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"iCCP", b"cICP", b"bKGD", b"pHYs", b"hIST"}
    | {b"acTL", b"fcTL", b"fdAT"}
)
"""Ancillary chunks that a picture looks different without. All others go: texts, times, EXIF."""


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height as the header says. Raises ValueError: the header is broken."""
    if len(data) < 33 or data[8:16] != b"\x00\x00\x00\rIHDR":
        raise ValueError("a PNG without a header")
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def stripped_png(data: bytes) -> bytes:
    """The same picture, and nothing behind its end. Raises ValueError: the file is cut off."""
    parts = [PNG_MAGIC]
    for kind, chunk in _chunks(data):
        is_critical = not kind[0] & 0x20
        if is_critical or kind in _KEPT:
            parts.append(chunk)
    return b"".join(parts)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(PNG_MAGIC)
    while True:
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if len(kind) < 4 or end > len(data):
            raise ValueError("a PNG that is cut off")
        yield kind, data[at:end]
        if kind == b"IEND":
            return
        at = end
