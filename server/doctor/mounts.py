"""Mounts: which file system is where, as the kernel says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["parse_mounts", "read_mounts"]

_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def read_mounts() -> Mapping[Path, str]:
    """Kinds of file systems by where they are mounted; empty where the kernel does not say."""
    try:
        return parse_mounts(_MOUNTS.read_text(encoding="utf-8"))
    except OSError:
        return {}


def parse_mounts(text: str) -> Mapping[Path, str]:
    """Read ``mountinfo``; of several at one place the last one is what is seen there."""
    mounts = {}
    for line in text.splitlines():
        place, separator, system = line.partition(" - ")
        words = place.split(" ")
        if separator and len(words) > 4:
            name = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), words[4])
            mounts[Path(name)] = system.split(" ")[0]
    return mounts
