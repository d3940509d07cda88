from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.rules.progression import benchmark, plan_chapter
from loadtest.level_curve import (
    chapter_plan,
    level_of,
    xp_floor,
    xp_to_next,
)
from loadtest.limits import LEVEL_MAX


@pytest.mark.parametrize(
    ("level", "to_next", "floor"),
    [(1, 100, 0), (2, 164, 100), (10, 1252, 4548), (49, 21220, 353728), (50, 0, 374948)],
)
def test_levels_of_the_specification(level, to_next, floor) -> None:
    assert (xp_to_next(level), xp_floor(level)) == (to_next, floor)
    assert level_of(floor) == level
    if level > 1:
        assert level_of(floor - 1) == level - 1


def test_the_fixture_worlds_plan_is_the_specifications() -> None:
    plans = [chapter_plan(index, 5, 1) for index in range(1, 6)]
    assert [plan.planned_total_xp for plan in plans] == [938, 2373, 3657, 4336, 4196]
    assert [plan.planned_quest_xp for plan in plans] == [656, 1423, 2194, 2254, 1888]
    assert [plan.entry_level for plan in plans] == [1, 5, 8, 11, 14]


def test_client_and_server_draw_the_same_curve() -> None:
    for level in range(1, LEVEL_MAX + 1):
        served = benchmark(level)
        assert (served.xp_to_next, served.xp_floor) == (xp_to_next(level), xp_floor(level))


@given(chapters=st.integers(1, 24), part=st.floats(0, 1), start=st.integers(1, 30))
def test_client_and_server_plan_the_same_chapters(chapters, part, start) -> None:
    index = 1 + round(part * (chapters - 1))
    planned = plan_chapter(chapters, index, start)
    for column, value in chapter_plan(index, chapters, start)._asdict().items():
        assert getattr(planned, column) == value
