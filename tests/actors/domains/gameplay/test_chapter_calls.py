from __future__ import annotations

import pytest
from user_bench import UserBench, only

from actors.domains.domain_types import GrantSource, LevelRating, PaceAdvice, PaceBand, XpRating
from actors.domains.gameplay.chapter import (
    ChapterDeviationReport,
    ChapterHostileTally,
    ChapterLedgerEntry,
    ChapterProgression,
)
from actors.errors import ReducerError
from actors.module.types import Timestamp

CHAPTER = "cwp_1:c1"
# Index, total, millis at entry and exit, levels, planned total, quest, hostile, expected defeats.
PLAN = (1, 5, 1000, 5200, 1, 5, 938, 656, 282, 10)


def put(bench: UserBench, *, preserve: bool = False, level: int = 1, **changed: int) -> object:
    names = (
        "chapter_index",
        "total_chapters",
        "entry_pseudo_level_millis",
        "exit_pseudo_level_millis",
        "entry_level",
        "exit_level",
        "planned_total_xp",
        "planned_quest_xp",
        "planned_hostile_xp",
        "expected_hostile_defeat_count",
    )
    plan = [changed.get(name, value) for name, value in zip(names, PLAN, strict=True)]
    return bench.serve(
        "upsert_chapter_progression", CHAPTER, *plan, level, PaceBand.OPENING, preserve
    )


def add(
    bench: UserBench,
    quest: int,
    hostile: int,
    defeats: int,
    key: str,
    level_at_exit: int | None = None,
    chapter: str = CHAPTER,
) -> object:
    return bench.serve(
        "apply_chapter_progression_ledger_entry",
        chapter,
        quest,
        hostile,
        defeats,
        level_at_exit,
        key,
    )


def actuals(bench: UserBench) -> tuple[int, int, int]:
    row = only(bench.rows(ChapterProgression))
    return (row.actual_quest_xp, row.actual_hostile_xp, row.actual_hostile_defeat_count)


def test_a_plan_is_inserted_with_empty_actuals(bench: UserBench) -> None:
    chapter = put(bench)
    assert chapter == only(bench.view("my_chapter_progression"))
    assert chapter.chapter_progression_id == f"{bench.user_id}:{CHAPTER}"
    assert actuals(bench) == (0, 0, 0)
    assert (chapter.level_at_entry, chapter.level_at_exit) == (1, None)
    assert bench.rows(ChapterDeviationReport) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chapter_index", 0),
        ("chapter_index", 6),
        ("total_chapters", 25),
        ("exit_pseudo_level_millis", 1000),
        ("entry_level", 2),
        ("exit_level", 4),
        ("planned_total_xp", 939),
        ("expected_hostile_defeat_count", 0),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(
    bench: UserBench, field: str, value: int
) -> None:
    with pytest.raises(ReducerError) as refused:
        put(bench, **{field: value})
    assert refused.value.code == "progression.invalid_plan"
    assert "field" in refused.value.details
    assert bench.rows(ChapterProgression) == []


def test_the_level_at_entry_is_a_level(bench: UserBench) -> None:
    for level in (0, 51):
        with pytest.raises(ReducerError, match=r"^progression\.invalid_plan"):
            put(bench, level=level)


def test_ledger_entries_add_up_once_each(bench: UserBench) -> None:
    put(bench)
    add(bench, 100, 50, 3, "entry-1")
    after = add(bench, 100, 50, 3, "entry-1")
    assert (after.actual_quest_xp, after.actual_hostile_xp) == (100, 50)
    add(bench, 1, 2, 3, "entry-2")
    assert actuals(bench) == (101, 52, 6)
    assert len(bench.rows(ChapterLedgerEntry)) == 2


def test_sums_stop_at_the_largest_number(bench: UserBench) -> None:
    put(bench)
    add(bench, 0xFFFF_FFFF, 1, 1, "a")
    add(bench, 1, 0xFFFF_FFFF, 0xFFFF_FFFF, "b")
    assert actuals(bench) == (0xFFFF_FFFF,) * 3


def test_an_unplanned_chapter_has_no_ledger(bench: UserBench) -> None:
    with pytest.raises(ReducerError, match=r"^progression\.chapter_not_found"):
        add(bench, 1, 1, 1, "entry")
    for name in ("get_chapter_progression", "get_chapter_deviation_report"):
        with pytest.raises(ReducerError, match=r"^progression\.chapter_not_found"):
            bench.read(name, None, CHAPTER)
    assert bench.read("list_chapter_progression", None, "cwp_1") == []


def test_a_chapter_is_not_left_below_the_level_it_was_entered_at(bench: UserBench) -> None:
    put(bench, level=4)
    for level in (3, 51):
        with pytest.raises(ReducerError, match=r"^progression\.level_out_of_range"):
            add(bench, 0, 0, 0, "exit", level_at_exit=level)
    assert add(bench, 0, 0, 0, "exit", level_at_exit=4).level_at_exit == 4


def test_overwriting_resets_the_ledger_but_not_what_was_paid(bench: UserBench) -> None:
    created_at = put(bench).created_at
    add(bench, 100, 50, 3, "entry-1", level_at_exit=2)
    bench.core.database[ChapterHostileTally].insert(
        ChapterHostileTally("t", bench.user_id, CHAPTER, "vale_wolf", 3, Timestamp(0))
    )
    bench.core.database[ChapterHostileTally].insert(
        ChapterHostileTally("u", bench.user_id, "cwp_1:c2", "vale_wolf", 1, Timestamp(0))
    )
    after = put(bench, expected_hostile_defeat_count=12)
    assert actuals(bench) == (0, 0, 0)
    assert (after.level_at_exit, after.created_at) == (None, created_at)
    assert [row.tally_id for row in bench.rows(ChapterHostileTally)] == ["u"]
    assert len(bench.rows(ChapterLedgerEntry)) == 1
    assert not only(bench.rows(ChapterDeviationReport)).final
    add(bench, 100, 50, 3, "entry-1")
    assert actuals(bench) == (0, 0, 0)


def test_overwriting_may_preserve_the_ledger(bench: UserBench) -> None:
    put(bench)
    add(bench, 100, 50, 3, "entry-1", level_at_exit=2)
    after = put(bench, preserve=True, level=9, expected_hostile_defeat_count=12)
    assert actuals(bench) == (100, 50, 3)
    assert (after.level_at_entry, after.level_at_exit) == (1, 2)
    assert after.expected_hostile_defeat_count == 12


def test_the_report_follows_the_ledger(bench: UserBench) -> None:
    put(bench)
    live = bench.read("get_chapter_deviation_report", None, CHAPTER)
    assert (live.deviation_permille, live.xp_rating) == (-1000, XpRating.STARVED)
    assert bench.rows(ChapterDeviationReport) == []
    add(bench, 500, 0, 0, "a")
    bench.serve("grant_player_progression_experience", 264, GrantSource.ADMIN, "g", None)
    add(bench, 0, 0, 1, "b")
    report = only(bench.rows(ChapterDeviationReport))
    assert report == bench.read("get_chapter_deviation_report", None, CHAPTER)
    assert (report.actual_total_xp, report.deviation_permille) == (500, -466)
    assert (report.level_gap, report.level_rating) == (-2, LevelRating.BEHIND)
    assert (report.advice, report.final) == (PaceAdvice.EASE, False)
    add(bench, 900, 0, 0, "c", level_at_exit=5)
    report = only(bench.rows(ChapterDeviationReport))
    assert (report.deviation_permille, report.xp_rating) == (492, XpRating.FLOODED)
    assert (report.level_rating, report.advice) == (LevelRating.ALIGNED, PaceAdvice.TIGHTEN)
    assert report.final


def test_chapters_of_a_world_are_listed_by_index(bench: UserBench) -> None:
    for chapter_id, index in (("cwp_1:c10", 10), ("cwp_1:c2", 2), ("cwp_10:c1", 1)):
        bench.serve(
            "upsert_chapter_progression",
            chapter_id,
            index,
            10,
            *PLAN[2:],
            1,
            PaceBand.OPENING,
            False,
        )
    listed = bench.read("list_chapter_progression", None, "cwp_1")
    assert [chapter.chapter_index for chapter in listed] == [2, 10]
    assert bench.read("get_chapter_progression", None, "cwp_1:c2") == listed[0]


def test_chapters_are_the_services_business(bench: UserBench) -> None:
    with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
        bench.call(
            "upsert_chapter_progression",
            bench.user_id,
            CHAPTER,
            *PLAN,
            1,
            PaceBand.OPENING,
            False,
        )
    with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
        bench.call(
            "apply_chapter_progression_ledger_entry", bench.user_id, CHAPTER, 1, 1, 1, None, "k"
        )
