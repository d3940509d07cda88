"""A recorded playthrough is shown again with one thing wrong: the referee must see that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from loadtest_replay import Commit, Recording, record, replay

from loadtest.errors import CheckError
from loadtest.party import check_told_alike

CHAPTERS = 2


@pytest.fixture(scope="module")
def recording(tmp_path_factory) -> Recording:
    return asyncio.run(record(tmp_path_factory.mktemp("recorded") / "data", CHAPTERS))


def always(_row: Any) -> bool:
    return True


def once(table: str, change: Callable[[Any], Any], when: Callable[[Any], bool] = always):
    """Change the first row of a table that fits, the one time that it comes."""
    changed = []

    def doctor(commit: Commit) -> Commit:
        came, went = commit.get(table, ([], []))
        for place, row in enumerate(came):
            if not changed and when(row):
                changed.append(row)
                came = [*came[:place], change(row), *came[place + 1 :]]
                return commit | {table: (came, went)}
        return commit

    return doctor, changed


def plus(column: str, by: int = 1) -> Callable[[Any], Any]:
    return lambda row: row._replace(**{column: getattr(row, column) + by})


def put(**columns: Any) -> Callable[[Any], Any]:
    return lambda row: row._replace(**columns)


def named(column: str, name: str) -> Callable[[Any], bool]:
    return lambda row: getattr(row, column).name == name


def as_status(name: str) -> Callable[[Any], Any]:
    return lambda row: row._replace(status=type(row.status)[name])


def in_chapter_one(row: Any) -> bool:
    return row.chapter_index == 1


def full(row: Any) -> Any:
    objective = row.objectives[0]
    return row._replace(objectives=[objective._replace(progress=objective.required + 1)])


def updated_quest(row: Any) -> bool:
    return row.version > 2 and row.status.name in {"Active", "Completed"}


def accepted_side_quest(row: Any) -> bool:
    return row.kind.name == "Side" and row.version == 2


WRONG = [
    ("my_player_progression", plus("total_xp"), always, "the grant log adds up to"),
    ("my_player_progression", plus("level"), always, "the curve says"),
    ("my_player_progression", plus("current_level_xp"), always, "the curve says"),
    ("my_player_progression", plus("pending_level_ups", 9), always, "level-ups are pending"),
    ("progression_grant_log", plus("amount_granted"), always, "the grant log adds up to"),
    ("progression_grant_log", plus("level_after"), always, "goes from level"),
    ("progression_grant_log", plus("amount_requested"), always, "lost experience"),
    ("progression_grant_log", put(source_ref="never:owed"), always, "before it was owed"),
    ("profile_wallet_ledger", plus("balance_after", -1), always, "ledger entry 2"),
    ("profile_wallet_ledger", put(amount_delta=-201), always, "the wallet holds -1"),
    ("profile_wallet_ledger", plus("seq"), always, "ledger entry 3"),
    ("profile_dashboard_state", plus("wallet_balance"), always, "the wallet shows"),
    ("my_chapter_progression", plus("planned_quest_xp"), always, "planned_quest_xp is"),
    ("my_chapter_progression", plus("exit_level"), always, "exit_level is"),
    ("my_chapter_progression", plus("actual_quest_xp"), always, "the grant log"),
    ("my_chapter_progression", plus("actual_hostile_xp"), always, "the grant log"),
    ("chapter_deviation_report", plus("deviation_permille"), always, "reports"),
    ("chapter_deviation_report", put(chapter_progression_id="u:c9"), always, "never entered"),
    ("inventory_slot", put(user_id="u_other"), always, "shows a row of u_other"),
    ("story_event", put(story_session_id="ss_other"), always, "a story of others"),
    ("story_event", plus("seq"), lambda row: row.seq == 5, "6 follows 4"),
    ("battle_event", plus("seq"), lambda row: row.seq == 9, "follows"),
    ("battle_state", plus("version"), lambda row: row.version == 5, "a battle's version went"),
    ("battle_state", as_status("Ended"), named("status", "Active"), "with outcome Ongoing"),
    ("battle_combatant", plus("hp", 5000), always, "5"),
    ("battle_combatant", put(alive=False), lambda row: row.hp > 0, "is dead"),
    ("battle_combatant", plus("mana", 500), always, "mana of"),
    ("story_participant", plus("hp", 5000), always, "hp of"),
    ("story_session", put(turn=0), lambda row: row.turn == 6, "turn fell to 0"),
    ("story_session", put(version=1), lambda row: row.turn == 6, "the story's version went"),
    ("story_session", as_status("Completed"), lambda row: row.turn == 6, "to Completed"),
    ("story_choice", plus("position", 7), always, "choices at"),
    ("story_choice", plus("turn"), always, "choices of turns"),
    ("story_choice", lambda row: row._replace(function=type(row.function)["Finish"]),
     named("function", "Travel"), "choices ['AcceptQuest', 'Finish', 'Talk']"),
    ("quest_record", as_status("TurnedIn"), named("status", "Completed"), "to TurnedIn"),
    ("quest_record", full, updated_quest, "went from"),
    ("quest_record", as_status("Completed"), accepted_side_quest, "before its objectives"),
    ("treasure_record", as_status("Opened"), named("status", "Found"), "from Hidden to Opened"),
    ("reward_settlement", put(result=None), named("status", "Settled"), "its result None"),
    ("reward_settlement", as_status("Rejected"), named("status", "Settled"), "is Rejected"),
    ("npc_exchange_record", plus("total_price"), lambda row: row.status.name == "Settled", "cost"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "change", "when", "words"), WRONG)
def test_one_wrong_row_is_seen(recording, table, change, when, words) -> None:
    doctor, changed = once(table, change, when)
    referee = replay(recording, doctor)
    assert changed, "the recording has such a row"
    assert any(words in text for text in referee.violations), referee.violations
    with pytest.raises(CheckError):
        referee.judge()


def test_the_recording_itself_breaks_no_rule(recording) -> None:
    referee = replay(recording, lambda commit: commit)
    assert referee.violations == []
    assert referee.is_quiet()
    referee.judge()
    assert len(referee.told["story_event"]) > 20


def last(recording: Recording, table: str) -> Any:
    return [row for commit in recording.commits for row in commit.get(table, ((), ()))[0]][-1]


@pytest.mark.parametrize(
    ("table", "change", "words"),
    [
        ("inventory_slot", plus("quantity"), "came and stayed"),
        ("inventory_slot", plus("quantity", 9999), "of at most"),
        ("my_chapter_progression", plus("actual_hostile_defeat_count"), "its settlements paid"),
    ],
)
def test_books_that_do_not_balance_in_the_end_are_seen(recording, table, change, words) -> None:
    row = last(recording, table)
    referee = replay(recording, once(table, change, lambda each: each == row)[0])
    with pytest.raises(CheckError):
        referee.judge()
    assert any(words in text for text in referee.violations), referee.violations


def test_a_reward_that_is_settled_before_it_is_paid_is_seen(recording) -> None:
    def doctor(commit: Commit) -> Commit:
        return {key: rows for key, rows in commit.items() if key != "progression_grant_log"}

    referee = replay(recording, doctor)
    assert any("was settled before it was paid" in text for text in referee.violations)


def test_a_choice_that_is_kept_from_the_player_is_seen(recording) -> None:
    def doctor(commit: Commit) -> Commit:
        came, went = commit.get("story_choice", ([], []))
        return commit | {"story_choice": (came[:1], went)}

    referee = replay(recording, doctor)
    assert any("1 choices in turn 1" in text for text in referee.violations)


def test_an_event_that_is_told_otherwise_later_is_seen(recording) -> None:
    def doctor(commit: Commit) -> Commit:
        came, went = commit.get("story_event", ([], []))
        return commit | {"story_event": (came, [*went, *came])}

    referee = replay(recording, doctor)
    assert "story_event: something told was changed" in referee.violations


def test_a_guest_who_is_told_another_story_is_seen(recording) -> None:
    told = replay(recording, lambda commit: commit).told
    events = told["story_event"]
    check_told_alike([told, dict(told)])
    for other in (events[:-1], [*events, events[0]], [events[1], events[0], *events[2:]]):
        with pytest.raises(CheckError, match="guest 1 was told another story_event"):
            check_told_alike([told, {**told, "story_event": other}])
