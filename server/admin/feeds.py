"""Feeds: turns, changes of rows, logs and audit records, as tails get them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import orjson

from actors.datastore import TableDelta
from actors.errors import ReducerError
from actors.host import Caller, Host
from actors.host.core import ActorCore
from actors.host.plain_json import plain_json, shortened
from actors.host.turns import TurnNote
from actors.keys import ActorKey
from actors.module.tables import declaration_of
from actors.operations.audit import OperationsAudit
from server.admin.audit import Audit
from server.admin.tails import Feed, Tail, Tails
from server.limits import TAIL_ROWS_MAX, TAIL_TEXT_CHARS_MAX
from server.logs import json_lines
from server.metrics import Metrics

__all__ = [
    "AuditFeed",
    "CallFeed",
    "CommitSeen",
    "DeltaFeed",
    "Feeds",
    "LogFeed",
    "TurnSeen",
    "call_entry",
    "delta_entry",
    "log_entry",
]


Entry = TypeVar("Entry")


class TurnSeen(NamedTuple):
    """A turn as it was noted."""

    key: ActorKey
    seq: int
    time: int
    seconds: float
    note: TurnNote


class CommitSeen(NamedTuple):
    """A journaled turn's changes as they were noted; rows do not change, so they are kept."""

    key: ActorKey
    seq: int
    time: int
    name: str
    caller: Caller | None
    deltas: list[TableDelta]


class _DurableFeed(Feed[Any]):
    """What actors do counts once it is durable."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host

    @property
    def epoch(self) -> int:
        """How often the store has taken rounds back."""
        return self.host.rounds.restarts

    async def settle(self) -> bool:
        """Wait until the rounds so far are durable."""
        return await self.host.durable()


class CallFeed(_DurableFeed):
    """Turns; a ``TurnWatch``."""

    def follow(self) -> None:
        """Watch turns while somebody follows."""
        self.host.turn_watch = self if self.tails else None

    def opens(self, key: ActorKey, count: int) -> bool:
        """Whether any tail looks at an actor's next turns; else count them for those without room.

        So a tail of everything costs a busy server next to nothing.
        """
        full = []
        for tail in self.tails:
            if key.startswith(tail.prefix):
                if tail.room or tail.is_choosy:
                    return True
                full.append(tail)
        for tail in full:
            tail.skip(count)
        return False

    def turn_taken(self, core: ActorCore, turn: Any, seconds: float) -> None:
        """Note a turn, for the tails that want an actor's turn of such a note and length."""
        note = turn.note()
        for tail in self.tails:
            if tail.wants(core.key, note, seconds):
                if tail.room:
                    tail.put(TurnSeen(core.key, core.seq, core.time, seconds, note))
                else:
                    tail.skip()


class DeltaFeed(_DurableFeed):
    """Changes of rows; a ``CommitWatch``."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._wanting: Sequence[Tail[CommitSeen]] = ()
        self._full: Sequence[Tail[CommitSeen]] = ()
        self._asked: tuple[ActorCore, int] | None = None

    def follow(self) -> None:
        """Watch commits while somebody follows."""
        self._count_unseen()
        self.host.commit_watch = self if self.tails else None

    async def settle(self) -> bool:
        """Wait likewise; what is dropped is counted by then."""
        self._count_unseen()
        return await super().settle()

    def wants(self, core: ActorCore, call: str) -> bool:
        """Ask the tails about the actor, the call, its caller and the touched tables.

        What nobody wants, or has room for, does not become deltas.
        """
        self._count_unseen()
        running = self.host.running
        wanting: list[Tail[CommitSeen]] = []
        full: list[Tail[CommitSeen]] = []
        for tail in self.tails:
            if core.key.startswith(tail.prefix) and (
                not tail.is_choosy or tail.wants(core, call, running)
            ):
                (wanting if tail.room else full).append(tail)
        self._wanting, self._full = wanting, full
        if full:
            self._asked = core, core.seq
        return bool(wanting)

    def _count_unseen(self) -> None:
        """Count the last commit that there was no room for, if it has become one.

        A turn may change nothing after all, or be taken back; then the journal has not grown.
        """
        if self._asked is not None:
            core, seq = self._asked
            if core.seq != seq:
                for tail in self._full:
                    tail.skip()
            self._asked = None

    def committed(self, core: ActorCore, call: str, deltas: list[TableDelta]) -> None:
        """Note a commit."""
        running = self.host.running
        caller = None if running is None else running.turn.note()[2]
        seen = CommitSeen(core.key, core.seq, core.time, call, caller, deltas)
        for tail in self._wanting:
            tail.put(seen)


class _PlainFeed(Feed[Entry]):
    """What is so rare that tails are asked about the entries themselves."""

    def offer(self, entry: Entry) -> None:
        """Put an entry into the tails that want it."""
        for tail in self.tails:
            if tail.wants(entry):
                if tail.room:
                    tail.put(entry)
                else:
                    tail.skip()


class LogFeed(_PlainFeed[Mapping[str, object]]):
    """Logs that are written; entries are what a line of JSON says."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._handler = _LogHandler(self._logged)

    def follow(self) -> None:
        """Be a handler beside the one that writes, while somebody follows."""
        root = logging.getLogger()
        if self.tails:
            root.addHandler(self._handler)  # once, however often it is added
        else:
            root.removeHandler(self._handler)

    def _logged(self, line: str) -> None:
        # Logs come from any thread; one that comes while the loop ends is nobody's any more.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, line)

    def _take(self, line: str) -> None:
        self.offer(orjson.loads(line))


class _LogHandler(logging.Handler):
    """Hands logs on as lines of JSON, but for those of telling them."""

    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take
        self.setFormatter(json_lines())

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("websockets"):
            self._take(self.format(record))


class AuditFeed(_PlainFeed[OperationsAudit]):
    """Audit records, which are durable when they are told."""

    def __init__(self, audit: Audit) -> None:
        super().__init__()
        self._audit = audit

    def follow(self) -> None:
        """Watch the audit while somebody follows."""
        if self.tails:
            self._audit.watchers.add(self.offer)
        else:
            self._audit.watchers.discard(self.offer)


class Feeds(Tails):
    """Everything that operators of one server can follow, and their tails."""

    def __init__(self, host: Host, audit: Audit, metrics: Metrics) -> None:
        super().__init__(metrics)
        self.calls = CallFeed(host)
        self.deltas = DeltaFeed(host)
        self.logs = LogFeed()
        self.audit = AuditFeed(audit)


def call_entry(seen: TurnSeen) -> Mapping[str, object]:
    """Spell a turn for operators."""
    sort, name, caller, error = seen.note
    outcome = (
        "done" if error is None else "refused" if isinstance(error, ReducerError) else "failed"
    )
    return {
        "time": seen.time,
        "actor": seen.key,
        "seq": seen.seq,
        "sort": sort,
        "name": name,
        **_who(caller),
        "seconds": round(seen.seconds, 6),
        "outcome": outcome,
        "error": "" if error is None else shortened(_told(error), TAIL_TEXT_CHARS_MAX, 0),
    }


def delta_entry(table: str | None) -> Callable[[CommitSeen], Mapping[str, object]]:
    """What spells a commit for operators; with ``table``, what it did to that one."""

    def spell(seen: CommitSeen) -> Mapping[str, object]:
        return {
            "time": seen.time,
            "actor": seen.key,
            "seq": seen.seq,
            "name": seen.name,
            **_who(seen.caller),
            "tables": [
                _table_entry(delta) for delta in seen.deltas if table in {None, delta.layout.name}
            ],
        }

    return spell


def log_entry(line: Mapping[str, object]) -> Mapping[str, object]:
    """Spell a log for operators: what every log has, and beside it what this one has."""
    fields = dict(line)
    return {
        "time": fields.pop("timestamp", ""),
        "level": fields.pop("level", ""),
        "logger": fields.pop("logger", ""),
        "text": fields.pop("event", ""),
        "exception": fields.pop("exception", ""),
        "fields": shortened(fields, TAIL_TEXT_CHARS_MAX, TAIL_ROWS_MAX),
    }


def _who(caller: Caller | None) -> dict[str, str]:
    fields = {} if caller is None else caller.log_fields()
    return {"user": fields.get("user", ""), "connection": fields.get("connection", "")}


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, ReducerError) else f"{type(error).__name__}: {error}"


def _table_entry(delta: TableDelta) -> dict[str, object]:
    write = plain_json(declaration_of(delta.layout.row).row_type).write

    def rows(encoded: list[Any]) -> list[object]:
        shown = (write(entry.row) for entry in encoded[:TAIL_ROWS_MAX])
        return [shortened(row, TAIL_TEXT_CHARS_MAX, TAIL_ROWS_MAX) for row in shown]

    return {
        "table": delta.layout.name,
        "inserted": len(delta.inserts),
        "deleted": len(delta.deletes),
        "inserts": rows(delta.inserts),
        "deletes": rows(delta.deletes),
    }
