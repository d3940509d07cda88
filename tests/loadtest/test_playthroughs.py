from __future__ import annotations

import asyncio
import io
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.limits import USER_CALLS_BURST_MAX, USER_CALLS_PER_SECOND_MAX
from loadtest.playthrough_report import ServerUse, calls_table, outcome_table
from loadtest.playthroughs import PlaythroughOptions, play_on_own_server, play_on_server
from loadtest.seat import Pace
from loadtest.server_process import running_server
from loadtest.tally import Tally
from loadtest.whims import Whims

HERE = Path(__file__).parent
SOLO = PlaythroughOptions(users=3, party=1, chapters=5)
CROOKED = ("--dev-fixtures", "--store", "memory:", "--log-level", "warning")


def crooked(data_dir):
    """A running server that breaks the rules."""
    return running_server(*CROOKED, data_dir=data_dir, modules=HERE, launcher=("crooked_server",))


def shown(tally: Tally, options: PlaythroughOptions, use=None) -> str:
    screen = io.StringIO()
    Console(file=screen, width=160).print(
        calls_table(tally), outcome_table(tally, options.users, use)
    )
    return screen.getvalue()


async def test_players_finish_the_whole_story_side_by_side() -> None:
    tally, use = await play_on_own_server("memory:", SOLO, Console(file=io.StringIO()))
    assert (tally.violations, tally.failures, tally.refusals) == ([], {}, {})
    assert tally.finished == 3
    assert use.errors == []
    kinds = {kind: len(latencies) for kind, latencies in tally.latencies.items()}
    assert tally.calls == sum(kinds.values())
    assert kinds["begin_story_session"] == kinds["recruit_npc"] == 3
    for kind in ("trade_with_npc", "gift_npc", "talk_to_npc", "acknowledge_level_ups"):
        assert kinds[kind] >= 3, kind
    text = shown(tally, SOLO, use)
    assert "3 of 3" in text
    assert "resolve_combat_action" in text
    assert use.ready_line[:20] in text


@pytest.mark.parametrize("chapters", [1, 5])
async def test_four_friends_see_one_story(chapters) -> None:
    options = PlaythroughOptions(users=6, party=4, chapters=chapters)
    tally, use = await play_on_own_server("memory:", options, Console(file=io.StringIO()))
    assert (tally.violations, tally.failures) == ([], {})
    assert tally.finished == 6
    assert len(tally.latencies["join_story_session"]) == 4
    assert len(tally.latencies["begin_story_session"]) == 2
    left = len(tally.latencies["abandon_story_session"])
    assert left == (2 if chapters == 1 else 0)
    assert use.errors == []


async def test_whims_are_refused_or_done_and_break_no_rule() -> None:
    options = PlaythroughOptions(users=6, party=2, chapters=2, whims=400)
    tally, use = await play_on_own_server("memory:", options, Console(file=io.StringIO()))
    assert (tally.violations, tally.failures) == ([], {})
    assert tally.finished == 6
    assert tally.refusals.keys() & {"combat.target_invalid", "inventory.slot_empty"}
    assert "internal.error" not in tally.refusals
    assert use.errors == []


def test_warnings_of_a_server_are_no_errors() -> None:
    use = ServerUse(
        "ready", 0.5, 2**20, ["1 [warning  ] slow", "2 [error    ] broken", "Traceback"]
    )
    assert use.errors == ["2 [error    ] broken", "Traceback"]
    assert "1 warnings, 2 other lines" in shown(Tally(), SOLO, use)


def test_a_player_without_whims_has_none() -> None:
    whims = Whims("u_me", lambda _table: [], 0, "seed")
    assert [whims.step() for _ in range(100)] == [None] * 100
    assert [whims.action(None) for _ in range(100)] == [None] * 100


async def test_a_server_that_breaks_a_rule_is_found_out(tmp_path) -> None:
    options = replace(SOLO, chapters=1)
    async with crooked(tmp_path / "data") as server:
        screen = Console(file=io.StringIO())
        tally = await play_on_server(server.address, tmp_path / "data", options, screen)
    assert tally.finished == 0
    assert tally.failures == {"CheckError": 3}
    assert "chapter 1 counts 0 quest and 0 hostile XP" in tally.violations[0]
    assert "0 of 3" in shown(tally, options)


@pytest.mark.parametrize(("launcher", "code"), [("server", 0), ("crooked_server", 1)])
async def test_the_exit_code_tells_whether_a_rule_was_broken(tmp_path, launcher, code) -> None:
    data_dir = tmp_path / "data"
    async with running_server(
        *CROOKED, data_dir=data_dir, modules=HERE, launcher=(launcher,)
    ) as server:
        host, port, database = server.address
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "loadtest", "playthroughs", "--url", f"ws://{host}:{port}"),
            *("--database", database, "--data-dir", str(data_dir), "--users", "2"),
            *("--party", "2", "--chapters", "1", "--think", "0.001"),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"COLUMNS": "160"},
        )
        out, _ = await process.communicate()
    assert process.returncode == code, out.decode()
    assert f"{0 if code else 2} of 2" in out.decode()


async def test_what_is_no_address_is_refused() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loadtest", "playthroughs", "--url", "nowhere"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert "no address of a server: nowhere" in errors.decode()


def test_a_player_keeps_within_the_rate_that_servers_take() -> None:
    pace = Pace(0.0)
    delays = [pace.delay(0.0) for _ in range(USER_CALLS_BURST_MAX + 28)]
    assert delays[:USER_CALLS_BURST_MAX] == [0.0] * USER_CALLS_BURST_MAX
    assert delays[-1] == pytest.approx(28 / USER_CALLS_PER_SECOND_MAX)
    assert pace.delay(1_000.0) == 0.0
    assert [pace.delay(1_000.0) for _ in range(USER_CALLS_BURST_MAX)][-1] > 0.0
