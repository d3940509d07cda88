"""Clock: what time it is."""

from __future__ import annotations

import time

__all__ = ["now_micros"]


def now_micros() -> int:
    """Microseconds since the Unix epoch."""
    return time.time_ns() // 1_000
