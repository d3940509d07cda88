"""The level curve: what a level costs and how strong it is (domain 3.2)."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from actors.domains.domain_types import LevelBenchmark
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import LEVEL_MAX

__all__ = [
    "TOTAL_XP_MAX",
    "benchmark",
    "effective_level",
    "level_of",
    "xp_floor",
    "xp_to_next",
]


def xp_to_next(level: int) -> int:
    """Experience from the start of a level to the next; 0 at the last level."""
    assert 1 <= level <= LEVEL_MAX
    return 0 if level == LEVEL_MAX else 8 * level * level + 40 * level + 52


_FLOORS: Final = (0, *accumulate(xp_to_next(level) for level in range(1, LEVEL_MAX)))

TOTAL_XP_MAX: Final = _FLOORS[-1]
"""Total experience of the last level; nothing is counted beyond."""


def xp_floor(level: int) -> int:
    """Total experience at the start of a level."""
    assert 1 <= level <= LEVEL_MAX
    return _FLOORS[level - 1]


def level_of(total_xp: int) -> int:
    """The level of a total: the largest whose floor it has reached."""
    assert total_xp >= 0
    return bisect_right(_FLOORS, total_xp)


def effective_level(level: int, exit_level: int | None) -> int:
    """The level that counts inside a chapter: at most two above its exit (domain 3.6)."""
    return level if exit_level is None else min(level, exit_level + 2)


def _benchmark(level: int) -> LevelBenchmark:
    above = level - 1
    return LevelBenchmark(
        level=level,
        xp_floor=xp_floor(level),
        xp_to_next=xp_to_next(level),
        reference_strength=100 + 18 * above + 2 * above * above,
        base_hp=80 + 12 * above + above * above // 2,
        base_attack=12 + 2 * above + above * above // 20,
        base_defense=6 + above + above * above // 40,
        base_speed=100 + above,
        base_hostile_xp=max(1, xp_to_next(min(level, LEVEL_MAX - 1)) * 120 // 1000),
    )


_BENCHMARKS: Final = tuple(_benchmark(level) for level in range(1, LEVEL_MAX + 1))


def benchmark(level: int) -> LevelBenchmark:
    """The benchmark of a level.

    Raises:
        RuleError: ``progression.level_out_of_range`` outside 1..50.
    """
    if not 1 <= level <= LEVEL_MAX:
        raise RuleError(
            "progression.level_out_of_range", f"level must be 1 to {LEVEL_MAX}", level=level
        )
    return _BENCHMARKS[level - 1]
