"""Quantities: times, counts, bytes and shares as short texts for people."""

from __future__ import annotations

__all__ = ["amount", "duration", "share", "size", "times"]

_STEPS = ((1e9, "G"), (1e6, "M"), (1e4, "k"))
_BINARY = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def duration(micros: float) -> str:
    """Microseconds: ``950 us``, ``4.21 ms``, ``38 ms``, ``1.25 s``."""
    if micros < 1_000:
        return f"{micros:.0f} us"
    if micros < 1_000_000:
        return f"{_digits(micros / 1_000)} ms"
    return f"{_digits(micros / 1_000_000)} s"


def amount(count: float) -> str:
    """A number of things: ``7``, ``0.25``, ``9,950``, ``12.3k``, ``4.56M``."""
    for scale, letter in _STEPS:
        if abs(count) >= scale:
            unit = 1e3 if letter == "k" else scale
            return f"{_digits(count / unit)}{letter}"
    if count == int(count) or abs(count) >= 100:
        return f"{count:,.0f}"
    return _digits(count)


def size(count: float) -> str:
    """Bytes: ``512 B``, ``1.5 KiB``, ``240 MiB``."""
    for scale, unit in _BINARY:
        if abs(count) >= scale:
            return f"{_digits(count / scale)} {unit}"
    return f"{count:.0f} B"


def share(part: float) -> str:
    """A part of 1: ``0%``, ``0.012%``, ``3.4%``, ``87%``."""
    percent = part * 100
    if percent in {0, 100}:
        return f"{percent:.0f}%"
    return f"{percent:.2g}%" if percent < 1 else f"{_digits(percent)}%"


def times(ratio: float) -> str:
    """A ratio: ``1.034x``, ``12.5x``."""
    return f"{ratio:.3f}x" if ratio < 10 else f"{_digits(ratio)}x"


def _digits(value: float) -> str:
    """Three digits that count, without zeros in the end."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return text.rstrip("0").rstrip(".")
