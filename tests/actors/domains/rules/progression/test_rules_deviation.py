import pytest

from actors.domains.domain_types import (
    ChapterProgressionSnapshot,
    LevelRating,
    PaceAdvice,
    PaceBand,
    XpRating,
)
from actors.domains.rules.progression import deviation
from actors.module.types import Timestamp

STARVED, UNDER, ON_TRACK, OVER, FLOODED = XpRating
BEHIND, ALIGNED, AHEAD = LevelRating
EASE, HOLD, TIGHTEN = PaceAdvice


def chapter(planned, actual, level_at_exit=None, exit_level=5):
    return ChapterProgressionSnapshot(
        chapter_progression_id="u_1:w:c1",
        user_id="u_1",
        chapter_id="w:c1",
        chapter_index=1,
        total_chapters=5,
        entry_pseudo_level_millis=1000,
        exit_pseudo_level_millis=5200,
        entry_level=1,
        exit_level=exit_level,
        planned_total_xp=planned,
        planned_quest_xp=planned,
        planned_hostile_xp=0,
        actual_quest_xp=actual // 2,
        actual_hostile_xp=actual - actual // 2,
        expected_hostile_defeat_count=10,
        actual_hostile_defeat_count=0,
        level_at_entry=1,
        level_at_exit=level_at_exit,
        pace_band=PaceBand.OPENING,
        created_at=Timestamp(0),
        updated_at=Timestamp(0),
    )


@pytest.mark.parametrize(
    ("planned", "actual", "level_at_exit", "expected"),
    [
        (938, 830, 5, (-115, ON_TRACK, 0, ALIGNED, HOLD)),
        (938, 500, 3, (-466, STARVED, -2, BEHIND, EASE)),
        (938, 1400, 5, (492, FLOODED, 0, ALIGNED, TIGHTEN)),
        (938, 680, 4, (-275, UNDER, -1, ALIGNED, EASE)),
        (1000, 600, 5, (-400, STARVED, 0, ALIGNED, EASE)),
        (1000, 601, 5, (-399, UNDER, 0, ALIGNED, EASE)),
        (1000, 849, 5, (-151, UNDER, 0, ALIGNED, EASE)),
        (1000, 850, 5, (-150, ON_TRACK, 0, ALIGNED, HOLD)),
        (1000, 1150, 5, (150, ON_TRACK, 0, ALIGNED, HOLD)),
        (1000, 1151, 5, (151, OVER, 0, ALIGNED, TIGHTEN)),
        (1000, 1399, 5, (399, OVER, 0, ALIGNED, TIGHTEN)),
        (1000, 1400, 5, (400, FLOODED, 0, ALIGNED, TIGHTEN)),
        (1000, 1000, 6, (0, ON_TRACK, 1, ALIGNED, HOLD)),
        (1000, 1000, 7, (0, ON_TRACK, 2, AHEAD, TIGHTEN)),
        (1000, 1000, 3, (0, ON_TRACK, -2, BEHIND, EASE)),
        (1000, 500, 7, (-500, STARVED, 2, AHEAD, HOLD)),
        (0, 50, 5, (0, ON_TRACK, 0, ALIGNED, HOLD)),
    ],
)
def test_reports(planned, actual, level_at_exit, expected):
    report = deviation(chapter(planned, actual, level_at_exit), 1)
    permille, xp_rating, gap, level_rating, advice = expected
    assert report == (planned, actual, permille, xp_rating, gap, level_rating, advice, True)


def test_a_running_chapter_compares_the_level_of_now():
    report = deviation(chapter(938, 0), 2)
    assert (report.level_gap, report.final) == (-3, False)
