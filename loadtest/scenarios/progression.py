"""Progression: a service grants experience, players see it, level up and acknowledge.

Every level and every point shown must be what the curve makes of the grants (domain 3.2, 3.3), and
no grant may be lost, paid twice or shown to somebody else.
"""

from __future__ import annotations

from typing import Any

from loadtest.account_rules import experience_laws
from loadtest.engine.guests import Guest, play_guests
from loadtest.engine.scenario import Facts, Finding, Scenario, Shape
from loadtest.engine.stage import Site, Stage
from loadtest.errors import CheckError, expect
from loadtest.level_curve import xp_floor
from loadtest.limits import LEVEL_MAX
from loadtest.player import Deltas, Player

__all__ = ["PROGRESSION"]

_SHOWN = "my_player_progression"
_GRANTS = "progression_grant_log"
_KINDS = ("grant", "acknowledge", "look")
_AMOUNT_MAX = 60


class _Learner(Guest):
    """A player, and the service that grants it experience."""

    def __init__(self, stage: Stage, number: int, service: Player) -> None:
        super().__init__(stage, number)
        self._service = service
        self._player: Player
        self._token: str | None = None
        self._granted = 0
        self._shown = 0
        self._number = 0
        self._dues: dict[str, int] = {}

    async def enter(self) -> None:
        player = await self.stage.enter(self._token)
        self._player, self._token = player, player.token
        player.watch(self._watch)
        await player.subscribe(_SHOWN, _GRANTS)
        expect("experience that a player finds", self._total(), self._granted)

    async def act(self, due: int) -> None:
        kind = self.stage.draw(_KINDS)
        pending = sum(row.pending_level_ups for row in self._player.rows(_SHOWN))
        if kind == "acknowledge" and not pending:
            kind = "look"
        try:
            if kind == "grant":
                await self._grant(due)
            elif kind == "acknowledge":
                await self._player.call("acknowledge_level_ups", count=pending)
            else:
                shown = await self._player.ask("get_player_progression_or_default")
                expect("experience that is answered", shown.total_xp, self._granted)
        finally:
            self.meter.answered(kind, due)
        await self._player.until(lambda: self._shown >= self._number)

    def cut(self) -> None:
        self._player.cut()

    async def leave(self) -> None:
        player = self._player
        rows, grants = player.rows(_SHOWN), player.rows(_GRANTS)
        for law in experience_laws(rows, grants):
            raise CheckError(law)
        expect("experience in the end", self._total(), self._granted)
        expect("grants in the end", len(grants), self._number)
        if faults := player.faults():
            raise CheckError(f"the subscription does not balance: {faults[0]}")
        await player.leave()

    async def _grant(self, due: int) -> None:
        amount = self.stage.chance.randint(1, _AMOUNT_MAX)
        source = f"{self.stage.plan.run}-{self.number}-{self._number + 1}"
        self._dues[source] = due
        answer = await self._service.ask(
            "grant_player_progression_experience_and_return",
            user_id=self._player.user_id,
            amount=amount,
            source="Admin",
            source_ref=source,
        )
        self._number += 1
        self._granted = min(self._granted + amount, xp_floor(LEVEL_MAX))
        expect("experience after a grant", answer.total_xp, self._granted)
        self.meter.notes["grants"] += 1

    def _total(self) -> int:
        return sum(row.total_xp for row in self._player.rows(_SHOWN))

    def _watch(self, deltas: Deltas) -> None:
        came, _ = deltas.get(_GRANTS, ((), ()))
        for row in came:
            self._see(row)

    def _see(self, row: Any) -> None:
        due = self._dues.pop(row.source_ref, None)
        self._shown += 1
        self.meter.delivered(due)
        if due is None or row.user_id != self._player.user_id:
            self.meter.broke("a grant came that nobody made for this player")


async def _play(stage: Stage) -> None:
    service = await stage.enter(stage.site.need_service())
    try:
        await play_guests(stage, lambda stage, number: _Learner(stage, number, service))
    finally:
        await service.leave()


async def _check(_site: Site, finding: Finding) -> Facts:
    return {"grants": finding.notes.get("grants", 0)}


PROGRESSION = Scenario(
    "progression",
    "a service grants experience, players level up",
    "actors.domains.entry",
    _play,
    check=_check,
    kinds={"grant": 60, "acknowledge": 20, "look": 20},
    rate=2.0,
    arguments=("--no-rate-limits",),
    bystanders=("SELECT * FROM my_player_progression",),
    shapes=frozenset({Shape.STORM, Shape.RECONNECTS, Shape.SLOW_READERS}),
    has_service=True,
)
