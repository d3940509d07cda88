"""The bench of random play: a still clock, listeners, and complaints that nobody may have."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from random_laws import Rows
from user_bench import START_MICROS
from vale_bench import MODULE, Player, Vale

from actors.claims import Claims
from actors.host.cell import CellState
from actors.keys import ActorKey
from actors.module.system import OutboxMessage
from persistence.memory import MemoryDisk

__all__ = ["StillVale", "complaints", "read_rows"]

_QUIET_LOOKS = 6


class _StillClock:
    """Stands still until a step moves it on, so that a seed always plays the same."""

    def __init__(self) -> None:
        self.micros = START_MICROS

    def __call__(self) -> int:
        return self.micros

    def wait(self, micros: int) -> None:
        self.micros += micros


class Listener(Player):
    """A player who keeps the bytes that it was sent since the last step."""

    def deliver(self, messages: list[bytes]) -> None:
        self.heard += messages
        super().deliver(messages)

    async def connect(self) -> None:
        self.heard: list[bytes] = []
        await super().connect()


class StillVale(Vale):
    """A host on a disk in memory where time passes only when a step says so."""

    def __init__(self, disk: MemoryDisk, providers: dict[type, object] | None = None) -> None:
        super().__init__(disk, providers)
        self.clock = _StillClock()

    async def enter(self, who: Claims) -> Player:
        self._connections += 1
        player = Listener(self, who, self.disk.epoch * 1_000 + self._connections)
        await player.connect()
        return player

    async def settle(self) -> None:
        """Until nothing waits, nothing is being loaded and nobody works outside."""
        quiet = 0
        while quiet < _QUIET_LOOKS:
            await self.host.durable()
            cells = self.host._cells.values()
            is_busy = any(cell.waiting or cell.state is CellState.LOADING for cell in cells)
            quiet = 0 if is_busy or self._is_worked_at() else quiet + 1

    def _is_worked_at(self) -> bool:
        return any(
            row.dst_actor.startswith("effect/")
            for cell in self.host._cells.values()
            if cell.state is CellState.ACTIVE
            for row in cell.core.database[OutboxMessage]
        )

    async def let_time_pass(self, micros: int) -> None:
        self.clock.wait(micros)
        await self.host._wakes.look()
        await self.settle()


def read_rows(vale: Vale, key: ActorKey) -> Rows:
    """The rows of an actor by table."""
    kind = MODULE.kinds[key.partition("/")[0]]
    return {table.row: vale.rows(key, table.row) for table in MODULE.tables_of(kind)}


class _Complaints(logging.Handler):
    """Whatever a host reports as an error is one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@contextmanager
def complaints(run: str) -> Iterator[None]:
    """Fail on what hosts report as errors; an error within names the run and what was reported."""
    handler = _Complaints()
    logger = logging.getLogger("actors")
    logger.addHandler(handler)
    try:
        yield
    except BaseException as error:
        error.add_note(run)
        for heard in handler.heard:
            error.add_note(heard)
        raise
    finally:
        logger.removeHandler(handler)
    assert handler.heard == []
