"""Evolution: the turn that stores anew what is stored in layouts of before."""

from __future__ import annotations

import logging

from actors.errors import ReducerError
from actors.host.core import ActorCore
from actors.host.turns import Turn, TurnNote

__all__ = ["Evolution"]

log = logging.getLogger("actors.turn")


class Evolution(Turn):
    """The first turn of an actor that has rows in layouts of before."""

    __slots__ = ()

    def turn(self, core: ActorCore, now: int) -> None:
        """Store them anew; nobody sees a difference."""
        log.info("%s has %d rows of earlier layouts", core.key, len(core.old_rows))
        for changes in core.old_rows.take_changes():
            core.rewrite(now, "schema.evolve", changes)

    def refuse(self, error: ReducerError) -> None:
        """The next activation comes back to it."""

    def note(self) -> TurnNote:
        """Name what it is."""
        return "evolution", "stored rows", None, None
