"""Inspected: what an inspection of a host's actors answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from actors.host.core import Failure
from actors.keys import ActorKey

__all__ = [
    "ActorLine",
    "ActorOrder",
    "ActorPage",
    "ActorState",
    "Letters",
    "PlanLine",
    "PlanOrder",
    "PlanPage",
    "Standing",
    "TableRows",
]


class Standing(Enum):
    """How an actor stands."""

    ACTIVE = "active"
    """It is in memory and takes turns."""
    LOADING = "loading"
    """Its rows are being read."""
    QUARANTINED = "quarantined"
    """It is in memory and takes no calls."""
    ASLEEP = "asleep"
    """It is in the store only."""
    DAMAGED = "damaged"
    """It is in the store, and its rows could not be understood when they were last read."""


class ActorOrder(Enum):
    """What actors are listed by: their key, or the most of something first."""

    KEY = "key"
    MEMORY = "memory"
    MAILBOX = "mailbox"
    TURNS = "turns"
    BUSY = "busy"
    SLOWEST = "slowest"


@dataclass(frozen=True, slots=True)
class ActorLine:
    """An actor in a list.

    Attributes:
        seq: its last journaled turn; None for one that is not in memory, as all that follows then
            counts nothing.
        stored_seq: the last turn that its checkpoint holds.
        memory_bytes: what it takes, as it was last estimated.
        waiting: messages in its mailbox.
        turns: taken since its activation; ``busy_seconds`` is what they took together.
        slow_turns: those over their budget; ``slowest_seconds`` is the longest of them.
        idle_seconds: since its last turn.
        plans: queries that are subscribed to of it.
    """

    key: ActorKey
    standing: Standing
    seq: int | None = None
    stored_seq: int | None = None
    memory_bytes: int = 0
    waiting: int = 0
    turns: int = 0
    busy_seconds: float = 0.0
    slow_turns: int = 0
    slowest_seconds: float = 0.0
    idle_seconds: float = 0.0
    plans: int = 0


@dataclass(frozen=True, slots=True)
class ActorPage:
    """A part of a list: ``total`` are all that fit; the next part begins ``after`` this mark."""

    actors: tuple[ActorLine, ...]
    total: int
    after: tuple[float, str] | None


@dataclass(frozen=True, slots=True)
class TableRows:
    """Some rows of a table, by ascending key when they are all of its ``count``."""

    name: str
    is_public: bool
    count: int
    rows: tuple[object, ...]


class PlanOrder(Enum):
    """What plans are listed by, the most first."""

    SUBSCRIBERS = "subscribers"
    UPDATES = "updates"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A query over one actor that somebody subscribes to.

    Attributes:
        query: a text that it was asked with; empty when none is remembered.
        source: ``table``, ``view`` or ``join``.
        column: by whose value a change finds it; empty when it looks at every change of its table.
        caller: for whom it is computed, 64 hexadecimal digits; empty when that is for everybody.
        reader: the user whose own rows these are; empty for what everybody sees.
        connections: of some of the subscribers.
        updates: transactions that concerned it; ``rows`` is how many inserts and deletes they had.
    """

    actor: ActorKey
    name: str
    query: str
    source: str
    column: str
    caller: str
    reader: str
    subscribers: int
    connections: tuple[str, ...]
    updates: int
    rows: int


@dataclass(frozen=True, slots=True)
class PlanPage:
    """The first plans of a list; ``total`` are all that fit."""

    plans: tuple[PlanLine, ...]
    total: int


@dataclass(frozen=True, slots=True)
class ActorState:
    """One actor as a tree.

    Attributes:
        time: of its last turn, in microseconds since the Unix epoch.
        evidence: its last unexpected failures in a row.
        attached: the actors whose rows its owner's queries read.
        tables: the module's tables that have rows.
        system: what it keeps for the host, by table: timers, unsent messages, receipts, dead
            letters, cursors; their payloads are decoded.
        plans: what is subscribed to of it.
    """

    line: ActorLine
    time: int
    evidence: tuple[Failure, ...]
    attached: tuple[ActorKey, ...]
    tables: tuple[TableRows, ...]
    system: Mapping[str, TableRows]
    plans: tuple[PlanLine, ...]


@dataclass(frozen=True, slots=True)
class Letters:
    """Dead letters, as rows; ``is_whole`` unless actors that keep some were not remembered."""

    rows: tuple[dict[str, object], ...]
    is_whole: bool
