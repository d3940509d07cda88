import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import LevelBenchmark
from actors.domains.rules.errors import RuleError
from actors.domains.rules.progression import (
    TOTAL_XP_MAX,
    benchmark,
    effective_level,
    level_of,
    xp_floor,
    xp_to_next,
)

# level, to next, floor, strength, hp, attack, defense, speed, kill experience
BENCHMARKS = [
    (1, 100, 0, 100, 80, 12, 6, 100, 12),
    (2, 164, 100, 120, 92, 14, 7, 101, 19),
    (3, 244, 264, 144, 106, 16, 8, 102, 29),
    (4, 340, 508, 172, 120, 18, 9, 103, 40),
    (5, 452, 848, 204, 136, 20, 10, 104, 54),
    (6, 580, 1300, 240, 152, 23, 11, 105, 69),
    (7, 724, 1880, 280, 170, 25, 12, 106, 86),
    (8, 884, 2604, 324, 188, 28, 14, 107, 106),
    (9, 1060, 3488, 372, 208, 31, 15, 108, 127),
    (10, 1252, 4548, 424, 228, 34, 17, 109, 150),
    (16, 2740, 15500, 820, 372, 53, 26, 115, 328),
    (20, 4052, 28348, 1164, 488, 68, 34, 119, 486),
    (30, 8452, 87348, 2304, 848, 112, 56, 129, 1014),
    (49, 21220, 353728, 5572, 1808, 223, 111, 148, 2546),
    (50, 0, 374948, 5784, 1868, 230, 115, 149, 2546),
]


@pytest.mark.parametrize("row", BENCHMARKS, ids=lambda row: f"level {row[0]}")
def test_benchmarks(row):
    level, to_next, floor, *rest = row
    assert benchmark(level) == LevelBenchmark(level, floor, to_next, *rest)


@pytest.mark.parametrize("level", [0, 51, -1])
def test_there_are_fifty_levels(level):
    with pytest.raises(RuleError) as refused:
        benchmark(level)
    assert refused.value.code == "progression.level_out_of_range"


@given(st.integers(0, TOTAL_XP_MAX + 1000))
def test_the_level_of_a_total_is_the_largest_whose_floor_it_reached(total):
    level = level_of(total)
    assert xp_floor(level) <= total
    assert level == 50 or total < xp_floor(level) + xp_to_next(level)


@pytest.mark.parametrize(
    ("level", "exit_level", "expected"), [(4, 5, 4), (7, 5, 7), (9, 5, 7), (30, None, 30)]
)
def test_level_sync(level, exit_level, expected):
    assert effective_level(level, exit_level) == expected
