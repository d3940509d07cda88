from __future__ import annotations

from typing import Any

import pytest

from actors.domains.gameplay.benchmark import (
    GetLevelBenchmark,
    PlanChapterProgression,
    get_level_benchmark,
    plan_chapter_progression,
)
from actors.errors import ReducerError
from actors.keys import ActorKey
from actors.module.context import DatabaseReader, ViewContext
from actors.module.types import Identity, Timestamp


class NoRows(DatabaseReader):
    def __getitem__(self, row: type[Any]) -> Any:
        raise AssertionError(f"{row} is not needed")


CONTEXT = ViewContext(NoRows(), Identity(0), Timestamp(0), ActorKey("catalog/0"))


def test_the_benchmark_of_a_level_needs_no_rows() -> None:
    answer = get_level_benchmark(CONTEXT, GetLevelBenchmark(5))
    assert answer == (5, 848, 452, 204, 136, 20, 10, 104, 54)


@pytest.mark.parametrize("level", [0, 51])
def test_there_are_fifty_levels(level: int) -> None:
    with pytest.raises(ReducerError, match=r"^progression\.level_out_of_range"):
        get_level_benchmark(CONTEXT, GetLevelBenchmark(level))


def test_plans_of_all_chapters_come_in_order() -> None:
    plans = plan_chapter_progression(CONTEXT, PlanChapterProgression(5, 1))
    assert [plan.chapter_index for plan in plans] == [1, 2, 3, 4, 5]
    assert [plan.planned_total_xp for plan in plans] == [938, 2373, 3657, 4336, 4196]
    assert len(plan_chapter_progression(CONTEXT, PlanChapterProgression(1, 1))) == 1


@pytest.mark.parametrize(("total", "start"), [(0, 1), (25, 1), (5, 0), (5, 31)])
def test_plans_out_of_bounds_are_refused(total: int, start: int) -> None:
    with pytest.raises(ReducerError, match=r"^progression\.invalid_plan"):
        plan_chapter_progression(CONTEXT, PlanChapterProgression(total, start))
