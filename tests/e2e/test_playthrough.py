"""The fixture world from its first scene to its last, through the wire, and across a power cut."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from served import DATABASE, Served, serving

from loadtest.connection import Address
from loadtest.party import play_together
from loadtest.player import Player
from loadtest.referee import OWN_TABLES
from loadtest.schema_reader import fetch_schema
from loadtest.seat import Seat
from loadtest.story import load_fixture_world
from loadtest.tally import Tally

GAME = "actors.domains.entry"
CHAPTERS = 5

PLANNED = [
    (1000, 5200, 1, 5, 938, 656, 282, 10, "Opening"),
    (5200, 8800, 5, 8, 2373, 1423, 950, 12, "Steady"),
    (8800, 11800, 8, 11, 3657, 2194, 1463, 10, "Steady"),
    (11800, 14200, 11, 14, 4336, 2254, 2082, 10, "Pressure"),
    (14200, 16000, 14, 16, 4196, 1888, 2308, 8, "Finale"),
]
"""Domain 3.4, the table for five chapters from level 1."""

EARNED = [
    # level at entry and exit; quest and hostile XP; defeats
    (1, 4, 656, 24, 3),
    (4, 7, 1423, 80, 2),
    (7, 10, 2194, 212, 2),
    (10, 11, 2254, 350, 2),
    (11, 14, 1888, 1800 + 230, 2),
]
"""Domain 3.6, 3.7: wolves as strong as the chapter, a drake that is three levels above."""

CHEST_XP = 6
QUESTS = {
    "clear_mill", "meet_scout", "herb_help", "clear_gate", "clear_ridge", "clear_cave", "clear_keep"
}  # fmt: skip


class Seen(NamedTuple):
    """What a user has in the end, and what the story's rows said last."""

    rows: dict[str, list[Any]]
    state: Any


async def play(server: Served, players: int) -> tuple[list[Seat], list[Seen]]:
    """A story from begin to finish; the first seat is the host's."""
    address = Address("127.0.0.1", server.port, DATABASE)
    await load_fixture_world(address, server.token("service"))
    schema = await fetch_schema(address)
    tally = Tally()
    seats = [await Seat.take(address, schema, tally) for _ in range(players)]
    await play_together(seats, CHAPTERS)
    seen = [
        await look(seat.player, story_of(seat.rows("session_directory_entry"))) for seat in seats
    ]
    for seat in seats:
        await seat.leave()
    assert (tally.violations, tally.refusals) == ([], {})
    return seats, seen


def story_of(entries: list[Any]) -> str:
    """The one story in a directory."""
    (entry,) = entries
    return str(entry.session_key)


async def look(player: Player, story_id: str) -> Seen:
    """Everything that outlives the story, and the story as a procedure still shows it."""
    rows = {table: sorted(player.rows(table)) for table in OWN_TABLES}
    state = await player.ask("get_story_session_state", story_session_id=story_id)
    gone = {"connected": False, "updated_at": 0}
    participants = [row._replace(**gone) for row in state.participants]
    return Seen(rows, state._replace(participants=participants))


async def look_again(server: Served, tokens: list[str], story_id: str) -> list[Seen]:
    """The same users, on new connections."""
    address = Address("127.0.0.1", server.port, DATABASE)
    schema = await fetch_schema(address)
    seen = []
    for token in tokens:
        player = await Player.enter(address, schema, token=token)
        await player.subscribe(*OWN_TABLES, "story_session", "story_event")
        assert player.rows("story_session") == player.rows("story_event") == []
        seen.append(await look(player, story_id))
        await player.leave()
    return seen


def check_rows(rows: dict[str, list[Any]]) -> None:
    chapters = rows["my_chapter_progression"]
    assert [
        (
            *(row.entry_pseudo_level_millis, row.exit_pseudo_level_millis),
            *(row.entry_level, row.exit_level),
            *(row.planned_total_xp, row.planned_quest_xp, row.planned_hostile_xp),
            *(row.expected_hostile_defeat_count, row.pace_band.name),
        )
        for row in chapters
    ] == PLANNED
    assert [
        (
            *(row.level_at_entry, row.level_at_exit),
            *(row.actual_quest_xp, row.actual_hostile_xp, row.actual_hostile_defeat_count),
        )
        for row in chapters
    ] == EARNED
    total = CHEST_XP + sum(quest + hostile for _, _, quest, hostile, _ in EARNED)
    (progression,) = rows["my_player_progression"]
    assert (progression.level, progression.total_xp) == (14, total)
    assert all(report.final for report in rows["chapter_deviation_report"])

    ledger = sorted(rows["profile_wallet_ledger"], key=lambda row: row.seq)
    assert [row.reason.name for row in ledger] == ["SignupBonus"] + ["ChapterClearBonus"] * CHAPTERS
    assert ledger[-1].balance_after == 200 + 10 * CHAPTERS
    (dashboard,) = rows["profile_dashboard_state"]
    assert dashboard.wallet_balance == 250
    assert (dashboard.completed_world_count, dashboard.highest_level) == (1, 14)
    (world,) = rows["profile_played_world"]
    assert (world.play_count, world.completed_count) == (1, 1)
    (entry,) = rows["session_directory_entry"]
    assert entry.state.name == "Archived"


def check_story(seat: Seat, state: Any) -> None:
    last_seen = seat.referee.last_seen
    assert state.session.status.name == "Completed"
    assert state.session == last_seen["story_session"][state.session.story_session_id]
    quests = {row.quest_key: row.status.name for row in last_seen["quest_record"].values()}
    assert quests == dict.fromkeys(QUESTS, "TurnedIn")
    (chest,) = last_seen["treasure_record"].values()
    assert (chest.status.name, chest.granted_coins) == ("Opened", 10)
    assert [item.item_id for item in chest.granted_items] == ["core_antidote"]
    scout = next(row for row in last_seen["npc_state"].values() if row.npc_key == "scout")
    assert scout.recruited
    told = seat.referee.told["story_event"]
    assert [told[0].kind.name, told[-1].kind.name] == ["SessionStarted", "SessionCompleted"]
    assert [row.kind.name for row in told].count("ChapterCompleted") == CHAPTERS


def test_a_whole_story_is_played_and_outlives_a_power_cut(tmp_path, store):
    flags = ("--dev-fixtures", "--store", store)
    with serving(GAME, tmp_path / "data", *flags) as server:
        (seat,), (before,) = asyncio.run(play(server, players=1))
        check_rows(before.rows)
        check_story(seat, before.state)
        server.kill()
        server.start()
        tokens, story_id = [seat.player.token], before.state.session.story_session_id
        (after,) = asyncio.run(look_again(server, tokens, story_id))
        assert after == before
        server.stop()
        assert "Traceback" not in server.log()


def test_four_friends_finish_one_story_each_with_rewards_of_their_own(tmp_path, store):
    flags = ("--dev-fixtures", "--store", store)
    with serving(GAME, tmp_path / "data", *flags) as server:
        seats, before = asyncio.run(play(server, players=4))
        for seat, seen in zip(seats, before, strict=True):
            check_rows(seen.rows)
            check_story(seat, seen.state)
        stories = {story_of(seen.rows["session_directory_entry"]) for seen in before}
        assert len(stories) == 1
        server.kill()
        server.start()
        tokens = [seat.player.token for seat in seats]
        assert asyncio.run(look_again(server, tokens, stories.pop())) == before
        server.stop()
        assert "Traceback" not in server.log()
