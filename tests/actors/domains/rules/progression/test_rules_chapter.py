from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import ChapterProgressionPlan, PaceBand
from actors.domains.rules.errors import RuleError
from actors.domains.rules.progression import check_plan, plan_chapter, pseudo_level, xp_at, xp_floor
from actors.module.types import replace

OPENING, STEADY, PRESSURE, FINALE = PaceBand

# chapters, start level, index; entry, exit, entry level, exit level, total, quest, hostile,
# expected defeats, band
PLANS = [
    (5, 1, 1, (1000, 5200, 1, 5, 938, 656, 282, 10, OPENING)),
    (5, 1, 2, (5200, 8800, 5, 8, 2373, 1423, 950, 12, STEADY)),
    (5, 1, 3, (8800, 11800, 8, 11, 3657, 2194, 1463, 10, STEADY)),
    (5, 1, 4, (11800, 14200, 11, 14, 4336, 2254, 2082, 10, PRESSURE)),
    (5, 1, 5, (14200, 16000, 14, 16, 4196, 1888, 2308, 8, FINALE)),
    (1, 1, 1, (1000, 4000, 1, 4, 508, 355, 153, 9, OPENING)),
    (3, 1, 3, (8000, 10000, 8, 10, 1944, 874, 1070, 9, FINALE)),
    (4, 10, 2, (14125, 17500, 14, 17, 8622, 5173, 3449, 12, STEADY)),
    (24, 1, 24, (48936, 50000, 48, 50, 22526, 10136, 12390, 5, FINALE)),
]

worlds = st.tuples(st.integers(1, 24), st.integers(1, 30))


@pytest.mark.parametrize(("chapters", "start", "index", "expected"), PLANS)
def test_plans(chapters, start, index, expected):
    plan = plan_chapter(chapters, index, start)
    assert plan == ChapterProgressionPlan(index, chapters, *expected, [], 0)
    assert check_plan(plan) is plan


def test_five_chapters_end_at_level_sixteen():
    total = sum(plan_chapter(5, index).planned_total_xp for index in range(1, 6))
    assert total == 15_500 == xp_floor(16)


@given(worlds)
def test_plans_telescope_and_follow_one_another(world):
    chapters, start = world
    plans = [plan_chapter(chapters, index, start) for index in range(1, chapters + 1)]
    end = pseudo_level(chapters, chapters, start)
    assert plans[0].entry_pseudo_level_millis == 1000 * start
    assert end == 1000 * min(50, start + 3 * chapters)
    for plan, following in pairwise(plans):
        assert plan.exit_pseudo_level_millis == following.entry_pseudo_level_millis
    assert sum(plan.planned_total_xp for plan in plans) == xp_at(end) - xp_at(1000 * start)
    for plan in plans:
        assert check_plan(plan) is plan
        assert 3 <= plan.expected_hostile_defeat_count <= 60


@given(st.integers(1000, 49_999))
def test_experience_never_falls_along_the_curve(millis):
    assert xp_at(millis) <= xp_at(millis + 1)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((0, 1, 1), "total_chapters"),
        ((25, 1, 1), "total_chapters"),
        ((5, 0, 1), "chapter_index"),
        ((5, 6, 1), "chapter_index"),
        ((5, 1, 0), "start_level"),
        ((5, 1, 31), "start_level"),
    ],
)
def test_arguments_out_of_bounds(arguments, field):
    with pytest.raises(RuleError) as refused:
        plan_chapter(*arguments)
    assert refused.value.code == "progression.invalid_plan"
    assert refused.value.details == {"field": field}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"total_chapters": 25}, "total_chapters"),
        ({"chapter_index": 0}, "chapter_index"),
        ({"exit_pseudo_level_millis": 1000}, "exit_pseudo_level_millis"),
        ({"entry_pseudo_level_millis": 999}, "entry_pseudo_level_millis"),
        ({"entry_level": 2}, "entry_level"),
        ({"exit_level": 4}, "exit_level"),
        ({"planned_quest_xp": 655}, "planned_total_xp"),
    ],
)
def test_plans_that_contradict_themselves(change, field):
    with pytest.raises(RuleError) as refused:
        check_plan(replace(plan_chapter(5, 1), **change))
    assert refused.value.code == "progression.invalid_plan"
    assert refused.value.details == {"field": field}
