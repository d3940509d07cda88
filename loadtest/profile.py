"""Profile: what the sampler summed up, by thread, by package and by function."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

__all__ = ["FunctionShare", "Profile", "read_profile"]

_PACKAGES = frozenset(("server", "actors", "persistence", "protocol", "loadtest", "examples"))


class FunctionShare(NamedTuple):
    """One function's part of all processor time, 0 to 1; ``total`` has what it calls as well."""

    name: str
    own: float
    total: float


class Profile(NamedTuple):
    """Where the processor time of a server went.

    Attributes:
        seconds: processor time in all.
        threads: part of each thread.
        packages: part spent in functions of each package, what they call not included.
        functions: by their own part, largest first.
    """

    seconds: float
    threads: dict[str, float]
    packages: dict[str, float]
    functions: list[FunctionShare]


def _place(file: str) -> tuple[str, str]:
    """Package and short path of a source file."""
    parts = Path(file).parts
    if "site-packages" in parts:
        parts = parts[parts.index("site-packages") + 1 :]
        return parts[0].removesuffix(".py"), "/".join(parts)
    for position, part in enumerate(parts):
        if part in _PACKAGES:
            return part, "/".join(parts[position:])
    if file.startswith("<"):
        return ("python" if "frozen" in file else "generated code"), file
    return "python", "/".join(parts[-2:])


def _shares(counts: Counter[str], all_nanos: int) -> dict[str, float]:
    return {name: count / all_nanos for name, count in counts.most_common()}


def read_profile(path: Path) -> Profile:
    """Read what ``loadtest.sampler`` wrote."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    packages: Counter[str] = Counter()
    threads: Counter[str] = Counter()
    for thread, nanos, stack in json.loads(path.read_text()):
        threads[thread] += nanos
        places = [(*_place(file), function) for file, function in stack]
        names = [f"{where}:{function}" for _, where, function in places]
        packages[places[0][0]] += nanos
        own[names[0]] += nanos
        for name in set(names):
            total[name] += nanos
    all_nanos = max(1, threads.total())
    return Profile(
        threads.total() / 1e9,
        _shares(threads, all_nanos),
        _shares(packages, all_nanos),
        [
            FunctionShare(name, own[name] / all_nanos, count / all_nanos)
            for name, count in sorted(total.items(), key=lambda entry: -own[entry[0]])
        ],
    )
