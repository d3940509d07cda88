"""Watch: the ports through which somebody outside follows turns and commits while they happen.

Nobody does most of the time, and then each costs one look at an attribute. Whoever watches is
called inside the turn: it may note what it sees and nothing else, and what it notes has not
happened for anybody before its round is durable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from actors.datastore import TableDelta
    from actors.host.core import ActorCore
    from actors.keys import ActorKey

__all__ = ["CommitWatch", "TurnWatch"]


class TurnWatch(Protocol):
    """Follows turns."""

    def opens(self, key: ActorKey, count: int) -> bool:
        """Whether an actor's next turns are of interest, of which there are so many."""

    def turn_taken(self, core: ActorCore, turn: Any, seconds: float) -> None:
        """Note a turn that has just ended; raises nothing."""


class CommitWatch(Protocol):
    """Follows what turns change."""

    def wants(self, core: ActorCore, call: str) -> bool:
        """Whether what a call is about to commit is of interest; raises nothing."""

    def committed(self, core: ActorCore, call: str, deltas: list[TableDelta]) -> None:
        """Note the changes that were just wanted, now journaled; raises nothing."""
