"""A playthrough on record: what a player was shown, to be shown again, doctored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from loadtest.playthrough import Playthrough
from loadtest.referee import OWN_TABLES, SESSION_TABLES, Referee
from loadtest.schema_reader import fetch_schema
from loadtest.seat import Seat
from loadtest.server_process import running_server, service_token
from loadtest.story import load_fixture_world
from loadtest.tally import Tally

Commit = dict[str, tuple[list[Any], list[Any]]]


class Recording(NamedTuple):
    """Rows at the start, then every commit."""

    user_id: str
    first_rows: dict[str, list[Any]]
    commits: list[Commit]


async def record(data_dir: Path, chapters: int) -> Recording:
    """Let one player play on a server of its own, and keep what it is shown."""
    arguments = ("--dev-fixtures", "--store", "memory:", "--log-level", "warning")
    async with running_server(*arguments, data_dir=data_dir) as server:
        await load_fixture_world(server.address, await service_token(data_dir))
        schema = await fetch_schema(server.address)
        seat = await Seat.take(server.address, schema, Tally())
        tables = (*OWN_TABLES, *SESSION_TABLES)
        recording = Recording(
            seat.player.user_id, {table: seat.rows(table) for table in tables}, []
        )

        def observe(deltas: Any) -> None:
            recording.commits.append(dict(deltas))
            seat.referee.observe(deltas)

        seat.player.watch(observe)
        playthrough = Playthrough(seat, chapters)
        await playthrough.begin()
        await playthrough.lead()
        playthrough.check_end()
        await seat.leave()
    return recording


def replay(recording: Recording, doctor: Callable[[Commit], Commit]) -> Referee:
    """Show the commits to a new referee, each as the doctor leaves it."""
    tables = {table: {row[0]: row for row in rows} for table, rows in recording.first_rows.items()}
    referee = Referee(recording.user_id, lambda table: list(tables[table].values()))
    for commit in recording.commits:
        shown = doctor(commit)
        for table, (came, went) in shown.items():
            for row in went:
                tables[table].pop(row[0], None)
            tables[table].update({row[0]: row for row in came})
        referee.observe(shown)
    return referee
