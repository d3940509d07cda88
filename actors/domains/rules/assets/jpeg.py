"""JPEG files: their size, and a copy without the segments that say more than the picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["jpeg_size", "stripped_jpeg"]

_END: Final = 0xD9
_SCAN: Final = 0xDA
_COMMENT: Final = 0xFE
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of frame headers; the three between them are tables."""

_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length; restart markers stand inside of scans."""

_JFIF, _PROFILE, _ADOBE = 0xE0, 0xE2, 0xEE
_APPLICATIONS: Final = frozenset(range(0xE0, 0xF0))


class _Segment(NamedTuple):
    """A marker with what belongs to it; that of a scan goes to the next marker.

    Attributes:
        body: without marker and length.
    """

    marker: int
    body: bytes
    data: bytes


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height as the frame says. Raises ValueError: there is no frame."""
    for segment in _segments(data):
        if segment.marker in _FRAMES and len(segment.body) >= 5:
            body = segment.body
            return int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        if segment.marker == _SCAN:
            break
    raise ValueError("a JPEG without a frame")


def stripped_jpeg(data: bytes) -> bytes:
    """The same picture: pixels, colour profile and resolution, and nothing behind its end.

    How a camera was held is among what goes, so such a picture lies as the sensor saw it.

    Raises:
        ValueError: the file is cut off.
    """
    kept = [segment.data for segment in _segments(data) if _is_picture(segment)]
    return b"\xff\xd8" + b"".join(kept)


def _is_picture(segment: _Segment) -> bool:
    marker, body = segment.marker, segment.body
    if marker == _JFIF:
        return body.startswith(b"JFIF\0")
    if marker == _PROFILE:
        return body.startswith(b"ICC_PROFILE\0")
    if marker == _ADOBE:
        return body.startswith(b"Adobe")
    return marker != _COMMENT and marker not in _APPLICATIONS


def _segments(data: bytes) -> Iterator[_Segment]:
    at = 2
    while True:
        start = at
        if data[at : at + 1] != b"\xff":
            raise ValueError("a JPEG that is cut off")
        while data[at : at + 1] == b"\xff":  # fill bytes
            at += 1
        marker = data[at] if at < len(data) else _END
        at += 1
        if at > len(data):
            raise ValueError("a JPEG that is cut off")
        body_at = at
        if marker not in _ALONE and marker != _END:
            body_at = at + 2
            at += int.from_bytes(data[at:body_at], "big")
            if at > len(data) or at < body_at:
                raise ValueError("a JPEG that is cut off")
        body_end = at
        if marker == _SCAN:
            at = _scan_end(data, at)
        yield _Segment(marker, data[body_at:body_end], data[start:at])
        if marker == _END:
            return


def _scan_end(data: bytes, at: int) -> int:
    """Where the next marker stands that is neither a stuffed byte nor a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise ValueError("a JPEG that is cut off")
        if data[at + 1] != 0 and data[at + 1] not in _ALONE:
            return at
        at += 2
