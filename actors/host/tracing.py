"""Tracing: a call followed from its mailbox to its durable acknowledgement, when somebody asks."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from actors.host.rounds import Mouth, Rounds
from actors.host.turns import Turn

if TYPE_CHECKING:
    from actors.errors import ReducerError
    from actors.host.caller import Caller
    from actors.host.core import ActorCore
    from actors.host.turns import TurnNote
    from actors.keys import ActorKey

__all__ = ["CallTrace", "Stage", "TracedTurn", "Tracer"]


class Stage(Enum):
    """Where a call is; each stage ends where the next one begins."""

    MAILBOX = "mailbox wait"
    """It waits for its turn."""
    TURN = "turn"
    """It runs."""
    APPEND = "append"
    """Its record waits for the others of its round."""
    DURABLE = "durable"
    """The store has the round, and writes it."""
    SEND = "frame out"
    """Answers and updates are handed to their sockets."""


class CallTrace(Protocol):
    """One call that is followed."""

    def reach(self, stage: Stage) -> None:
        """Note that the call has come to a stage, now."""

    def end(self, seq: int, error: Exception | None) -> None:
        """Note that all is done: the actor's last record then, and why the call failed."""


class Tracer(Protocol):
    """Chooses the calls that are followed."""

    def begin(
        self, name: str, actor: ActorKey, caller: Caller, *, is_framed: bool
    ) -> CallTrace | None:
        """Follow a call from now on; None for most. ``is_framed``: a socket's frame brought it."""


class TracedTurn(Turn):
    """A turn that tells its trace where it is."""

    __slots__ = ("_rounds", "_trace", "_turn")

    def __init__(self, turn: Turn, trace: CallTrace, rounds: Rounds) -> None:
        self._turn = turn
        self._trace = trace
        self._rounds = rounds
        trace.reach(Stage.MAILBOX)

    def turn(self, core: ActorCore, now: int) -> None:
        """Be handled, as the first of its round that is told of its durability."""
        self._trace.reach(Stage.TURN)
        self._rounds.touch(_TracedRound(self._trace))
        self._turn.turn(core, now)
        self._trace.reach(Stage.APPEND)
        seq, error = core.seq, self._turn.note()[3]
        self._rounds.when_durable(lambda: self._trace.end(seq, error))

    def refuse(self, error: ReducerError) -> None:
        """Pass it on; nothing ran."""
        self._turn.refuse(error)
        self._trace.end(0, error)

    def note(self) -> TurnNote:
        """What the turn says itself."""
        return self._turn.note()


class _TracedRound(Mouth):
    """What of a trace is told by the round that its turn was in."""

    __slots__ = ("_trace",)

    def __init__(self, trace: CallTrace) -> None:
        super().__init__(is_confirmed=True)
        self._trace = trace

    def take_pushed(self) -> list[bytes]:
        """The round is handed over; there is nothing to send."""
        self._trace.reach(Stage.DURABLE)
        return []

    def deliver(self, messages: list[bytes]) -> None:
        """The round is durable."""
        del messages
        self._trace.reach(Stage.SEND)

    def abort(self, close_code: int, reason: str) -> None:
        """There is no connection to close."""
