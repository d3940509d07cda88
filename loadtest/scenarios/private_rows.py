"""Private rows: each player saves, and sees what it saved; nobody ever sees a row of another.

What is saved is the client's own state (domain 2.2), whose row counts its versions.
"""

from __future__ import annotations

import json
from typing import Any

from loadtest.engine.guests import Guest, play_guests
from loadtest.engine.scenario import Facts, Finding, Scenario, Shape
from loadtest.engine.stage import Site, Stage
from loadtest.errors import CheckError, expect
from loadtest.player import Deltas, Player

__all__ = ["PRIVATE_ROWS"]

_TABLE = "runtime_snapshot"
_SLOT = 0


class _Saver(Guest):
    """A player with rows of its own."""

    def __init__(self, stage: Stage, number: int) -> None:
        super().__init__(stage, number)
        self._player: Player
        self._token: str | None = None
        self._version = 0
        self._seen = 0
        self._due = 0

    async def enter(self) -> None:
        player = await self.stage.enter(self._token)
        self._player, self._token = player, player.token
        player.watch(self._watch)
        await player.subscribe(_TABLE)
        versions = [row.version for row in player.rows(_TABLE)]
        expect("the versions that a player finds", versions, [self._version][: self._version])
        self._seen = self._version

    async def act(self, due: int) -> None:
        self._due = due
        state = {"run": self.stage.plan.run, "player": self.number, "save": self._version + 1}
        try:
            answer = await self._player.ask(
                "upsert_runtime_snapshot_and_return",
                slot=_SLOT,
                bottom_tab="story",
                client_state_json=json.dumps(state),
                expected_version=self._version,
            )
        finally:
            self.meter.answered("save", due)
        self._version += 1
        self.meter.notes["saves"] += 1
        expect("the version answered", answer.version, self._version)
        await self._player.until(lambda: self._seen >= self._version)
        (row,) = self._player.rows(_TABLE)
        expect("the state that is shown", json.loads(row.client_state_json), state)

    def cut(self) -> None:
        self._player.cut()

    async def leave(self) -> None:
        rows = self._player.rows(_TABLE)
        expect("rows of one player", len(rows), 1 if self._version else 0)
        if faults := self._player.faults():
            raise CheckError(f"the subscription does not balance: {faults[0]}")
        await self._player.leave()

    def _watch(self, deltas: Deltas) -> None:
        came, _ = deltas.get(_TABLE, ((), ()))
        for row in came:
            self._see(row)

    def _see(self, row: Any) -> None:
        self.meter.delivered(self._due)
        if row.user_id != self._player.user_id:
            self.meter.broke(f"{_TABLE} shows a row of {row.user_id} to somebody else")
        elif row.version != self._seen + 1:
            self.meter.broke(f"version {row.version} of a row came after {self._seen}")
        self._seen = row.version


async def _play(stage: Stage) -> None:
    await play_guests(stage, _Saver)


async def _check(_site: Site, finding: Finding) -> Facts:
    return {"saves": finding.notes.get("saves", 0)}


PRIVATE_ROWS = Scenario(
    "private-rows",
    "each player saves and sees rows of its own",
    "actors.domains.entry",
    _play,
    check=_check,
    rate=2.0,
    bystanders=("SELECT * FROM runtime_snapshot",),
    shapes=frozenset({Shape.STORM, Shape.RECONNECTS, Shape.SLOW_READERS}),
)
