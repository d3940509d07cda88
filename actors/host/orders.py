"""Orders: what operators have single actors do, beside what actors do by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from actors.errors import ReducerError
from actors.host.cell import Cell, CellState
from actors.host.checkpoints import Checkpoints
from actors.host.core import Failure
from actors.keys import ActorKey
from actors.limits import FAILURE_CHARS_MAX, QUARANTINE_FAILURES
from protocol.values import Timestamp

if TYPE_CHECKING:
    from actors.host.host import Host

__all__ = ["BY_HAND", "Orders"]

BY_HAND = "quarantine"
"""The call that evidence names when no turn failed, but somebody quarantined the actor."""


class Orders:
    """Orders to the actors of a host. What they cannot carry out they refuse, and change nothing.

    Args:
        host: whose actors they are.
        cells: those in memory.
        checkpoints: write rows.
    """

    def __init__(
        self, host: Host, cells: Mapping[ActorKey, Cell], checkpoints: Checkpoints
    ) -> None:
        self._host = host
        self._cells = cells
        self._checkpoints = checkpoints

    async def checkpoint(self, key: ActorKey) -> int:
        """Checkpoint an actor in memory; answers the turn up to which its rows are stored.

        Raises:
            ReducerError: ``actor.not_in_memory``, or ``actor.checkpoint_failed``.
        """
        core = self._cell(key).core
        through = core.seq
        await self._write([self._cell(key)])
        if core.base_seq < through:
            raise ReducerError("actor.checkpoint_failed", "the store did not take its rows")
        return core.base_seq

    async def checkpoint_all(self) -> int:
        """Checkpoint every actor in memory that has changed since its last checkpoint.

        Answers how many have; a checkpoint that fails is only logged, and loses nothing.
        """
        return await self._write(list(self._cells.values()))

    async def passivate(self, key: ActorKey) -> None:
        """Let an actor leave memory now, although there is room; the next message brings it back.

        Raises:
            ReducerError: ``actor.not_in_memory``, or ``actor.busy``: somebody would notice.
        """
        self._cell(key)
        await self._host.durable()
        cell = self._cell(key)
        passivation = self._host.passivation
        if not passivation.may_leave(cell):
            raise ReducerError("actor.busy", self._hindrance(cell))
        passivation.dismiss(cell)

    async def quarantine(self, key: ActorKey, reason: str) -> None:
        """Let an actor take no calls until it is released, or the process ends.

        It stays in memory; its timers and the messages of other actors go on. Raises ReducerError
        when the actor cannot be loaded.
        """
        await self._host.activate([key])
        core = self._cell(key).core
        core.is_set_aside = True
        failure = Failure(BY_HAND, reason[:FAILURE_CHARS_MAX], Timestamp(self._host.clock()))
        core.evidence = (*core.evidence, failure)[-QUARANTINE_FAILURES:]

    def release(self, key: ActorKey) -> None:
        """Let a quarantined actor take calls again; raises ReducerError ``actor.not_quarantined``.

        What made it fail is forgotten: it has as many failures before it as at first.
        """
        cell = self._cells.get(key)
        if cell is None or not cell.core.is_quarantined:
            raise ReducerError("actor.not_quarantined", "it takes calls, or is not in memory")
        cell.core.is_set_aside = False
        cell.core.evidence = ()

    @property
    def quarantined(self) -> dict[ActorKey, tuple[Failure, ...]]:
        """The actors in memory that take no calls, with what each failed of."""
        cores = (cell.core for cell in self._cells.values())
        return {core.key: core.evidence for core in cores if core.is_quarantined}

    def _cell(self, key: ActorKey) -> Cell:
        cell = self._cells.get(key)
        if cell is None or cell.state is not CellState.ACTIVE:
            raise ReducerError("actor.not_in_memory", "the actor is not in memory")
        return cell

    async def _write(self, cells: Iterable[Cell]) -> int:
        """Write what has changed, right after the store was given all records of it."""
        begun: asyncio.Future[asyncio.Future[list[None]]] = (
            asyncio.get_running_loop().create_future()
        )

        def write() -> None:
            changed = (
                cell.core
                for cell in cells
                if cell.state is CellState.ACTIVE and cell.core.seq > cell.core.base_seq
            )
            written = asyncio.gather(*[self._checkpoints.write(core) for core in changed])
            if not begun.done():
                begun.set_result(written)

        self._host.rounds.when_handed_over(write)
        return len(await (await begun))

    def _hindrance(self, cell: Cell) -> str:
        core = cell.core
        if core.is_quarantined:
            return "it is quarantined: release it first"
        if cell.waiting:
            return f"{cell.waiting} messages wait for it"
        if core.is_watched:
            return "somebody subscribes to its rows"
        if self._host.is_home(core.key):
            return "its user is connected"
        return "it will be needed at once: a timer, an unsent message or a waiting caller"
