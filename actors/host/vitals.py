"""Vitals: the parts of a running host whose numbers whoever serves metrics reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actors.host.cell import Cell
from actors.host.census import Census, take_census
from actors.host.checkpoints import Checkpoints
from actors.host.loader import Loader
from actors.host.wakes import Wakes
from actors.keys import ActorKey

__all__ = ["Vitals"]


@dataclass(frozen=True, slots=True, eq=False)
class Vitals:
    """For reading only.

    Attributes:
        kinds: of the actors that there can be.
        cells: the actors in memory.
    """

    kinds: frozenset[str]
    cells: Mapping[ActorKey, Cell]
    loader: Loader
    checkpoints: Checkpoints
    wakes: Wakes

    async def census(self) -> Census:
        """Count the actors in memory and what waits in them."""
        return await take_census(self.kinds, self.cells)
