"""Journal: an actor's last turns read back from the store, each with the rows that it changed.

A record has rows as they were after its turn. What they were before is the earlier change of the
same row, or the row of the checkpoint below; where retention has let go of both, it is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from actors.datastore import TableLayout
from actors.errors import ReducerError
from actors.host.catalogue import Catalogue
from actors.host.mail import EFFECT
from actors.host.plain_json import plain_json, shortened
from actors.keys import ActorKey
from actors.limits import (
    INSPECTED_CHARS_MAX,
    INSPECTED_ITEMS_MAX,
    INSPECTION_SLICE,
    JOURNAL_LOOK_BACK_RECORDS,
)
from actors.module.module import Module
from actors.module.system import (
    ActorTimer,
    DeadLetter,
    InboxCursor,
    OutboxMessage,
    RequestReceipt,
)
from actors.module.tables import declaration_of
from actors.module.types import product_type
from persistence.errors import CorruptActorError, StoreError
from persistence.record import Record, RowChange, decode_record
from persistence.store import Snapshot, Store
from protocol.bsatn import compile_codec
from protocol.errors import DecodeError
from protocol.types import AlgebraicType

__all__ = ["Entry", "Journal", "Meanings", "RowDiff", "load_snapshot"]

_Place = tuple[int, bytes]
"""A row: its table's number and its key."""


@dataclass(frozen=True, slots=True)
class RowDiff:
    """A row that a turn changed, in plain JSON.

    Attributes:
        before: None when there was no row, or when it is unknown.
        after: None when the row is gone.
        columns: whose values differ, when both are known.
    """

    table: str
    before: object
    after: object
    is_before_known: bool
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A turn that changed something.

    Attributes:
        time: microseconds since the Unix epoch.
        call: the reducer, the message, or what the host did.
        caller: the identity that called, 64 hexadecimal digits; empty for messages and timers.
        source: the actor that sent the message; empty for calls and timers.
        arguments: in plain JSON; None when the call has none.
    """

    seq: int
    time: int
    call: str
    caller: str
    source: str
    arguments: object
    rows: tuple[RowDiff, ...]


class Meanings:
    """What the bytes mean that actors keep and journal, by the module's declarations."""

    def __init__(self, module: Module) -> None:
        self._types: dict[str, AlgebraicType] = {
            **{f"{EFFECT}{name}": product_type(e.payload) for name, e in module.effects.items()},
            **{name: product_type(entry.payload) for name, entry in module.messages.items()},
        }
        scheduled = (entry.reducer for entry in module.schedules.values())
        self._calls = {**module.reducers, **{entry.name: entry for entry in scheduled}}

    def message(self, kind: str, payload: bytes) -> object:
        """A message's, timer's or effect request's payload in plain JSON."""
        return _read(self._types.get(kind), payload)

    def arguments(self, call: str, args: bytes) -> object:
        """A record's arguments; an ``input`` struct stands for itself. None for no arguments."""
        reducer = self._calls.get(call)
        if reducer is None:
            return self.message(call, args) if args else None
        found = _read(reducer.parameters, args)
        if reducer.input is not None and isinstance(found, dict):
            return found["input"]
        return found or None

    def row(self, layout: TableLayout, row: Any) -> dict[str, object]:
        """A row by columns; bytes that have a meaning are what they mean."""
        shown: Any = plain_json(declaration_of(layout.row).row_type).write(row)
        if isinstance(row, ActorTimer | OutboxMessage | DeadLetter):
            shown["payload"] = self.message(row.kind, row.payload)
        elif isinstance(row, RequestReceipt):
            shown["outcome"] = self.answer(row.function_name, row.outcome_bytes)
            del shown["outcome_bytes"]
        cut: Any = _shown(shown)
        return dict(cut)

    def answer(self, call: str, outcome: bytes) -> object:
        """What a receipt says that a reducer answered; None for no answer."""
        reducer = self._calls.get(call)
        return _read(None if reducer is None else reducer.returns, outcome) if outcome else None


def _read(declared: AlgebraicType | None, data: bytes) -> object:
    """Bytes as plain JSON; as hexadecimal digits when nobody knows what they mean by now."""
    if declared is not None:
        try:
            value = compile_codec(declared).decode(data, 0)[0]
        except DecodeError:
            pass
        else:
            return _shown(plain_json(declared).write(value))
    return _shown(data.hex())


def _shown(structure: object) -> object:
    return shortened(structure, INSPECTED_CHARS_MAX, INSPECTED_ITEMS_MAX)


async def load_snapshot(store: Store, key: ActorKey) -> Snapshot:
    """What is stored of an actor.

    Raises:
        ReducerError: ``actor.not_found``, ``actor.damaged``, or ``state.actor_unavailable``.
    """
    try:
        (found,) = await store.load([key])
    except StoreError as error:
        raise ReducerError("state.actor_unavailable", str(error)) from error
    if isinstance(found, CorruptActorError):
        raise ReducerError("actor.damaged", str(found))
    if not found.base_seq and not found.tail:
        raise ReducerError("actor.not_found", "nothing is stored of such an actor")
    return found


class _Window(NamedTuple):
    """Records to show, and what is known of the rows before them.

    ``is_whole``: a row that is not among the known ones did not exist.
    """

    records: list[Record]
    known: dict[_Place, bytes | None]
    is_whole: bool


class Journal:
    """Reads the journals of actors, without bringing them into memory."""

    def __init__(self, catalogue: Catalogue, meanings: Meanings, store: Store) -> None:
        self._catalogue = catalogue
        self._meanings = meanings
        self._store = store

    async def read(self, key: ActorKey, count: int, before: int | None = None) -> list[Entry]:
        """The last turns that are stored, or the last ones before a turn; the newest first.

        Those that retention has let go of are not there.

        Raises:
            ReducerError: as ``load_snapshot``.
        """
        snapshot = await load_snapshot(self._store, key)
        last = snapshot.base_seq + len(snapshot.tail)
        if before is not None:
            last = min(last, before - 1)
        layouts = self._catalogue.kinds[key.partition("/")[0]].layouts_by_id
        try:
            window = await self._window(snapshot, max(1, last - count + 1), last, layouts)
        except CorruptActorError as error:
            raise ReducerError("actor.damaged", str(error)) from error
        entries = []
        for record in window.records:
            entries.append(self._entry(record, window, layouts))
            await asyncio.sleep(0)
        return entries[::-1]

    async def _window(
        self, snapshot: Snapshot, first: int, last: int, layouts: Mapping[int, TableLayout]
    ) -> _Window:
        records = await self._records(snapshot.actor, first - 1, last)
        if records:
            first = records[0].seq
        places = {change[:2] for record in records for change in record.changes}
        if snapshot.base_seq < first:
            earlier = [
                decode_record(data) for data in snapshot.tail[: first - 1 - snapshot.base_seq]
            ]
            known = await _stored_rows(snapshot, places, layouts)
            is_whole = True
        else:
            after = max(0, first - 1 - JOURNAL_LOOK_BACK_RECORDS)
            earlier = await self._records(snapshot.actor, after, first - 1)
            known = {}
            is_whole = first == 1 or (bool(earlier) and earlier[0].seq == 1)
        for record in earlier:
            known.update((change[:2], change.row) for change in record.changes)
        return _Window(records, known, is_whole)

    async def _records(self, actor: str, after: int, through: int) -> list[Record]:
        if through <= after:
            return []
        found = map(decode_record, await self._store.history(actor, after, through - after))
        return [record for record in found if record.seq <= through]

    def _entry(self, record: Record, window: _Window, layouts: Mapping[int, TableLayout]) -> Entry:
        diffs = []
        source = ""
        for change in record.changes:
            layout = layouts.get(change.table_id)
            diffs.append(self._diff(change, layout, window))
            window.known[change[:2]] = change.row
            if layout is not None and layout.row is InboxCursor and change.row is not None:
                source = cast("InboxCursor", layout.decode(change.row, 0)[0]).src_actor
        return Entry(
            seq=record.seq,
            time=record.time,
            call=record.call,
            caller=record.caller[::-1].hex(),
            source=source,
            arguments=self._meanings.arguments(record.call, record.args),
            rows=tuple(diffs),
        )

    def _diff(self, change: RowChange, layout: TableLayout | None, window: _Window) -> RowDiff:
        place = change[:2]
        is_known = window.is_whole or place in window.known
        before = self._row(layout, window.known.get(place))
        after = self._row(layout, change.row)
        columns: Iterable[str] = ()
        if isinstance(before, dict) and isinstance(after, dict):
            columns = (name for name, value in after.items() if before[name] != value)
        name = f"table {change.table_id}" if layout is None else layout.name
        return RowDiff(name, before, after, is_known, tuple(columns))

    def _row(self, layout: TableLayout | None, data: bytes | None) -> object:
        if data is None:
            return None
        if layout is not None:
            try:
                return self._meanings.row(layout, layout.decode(data, 0)[0])
            except DecodeError:
                pass
        return _shown(data.hex())


async def _stored_rows(
    snapshot: Snapshot, places: set[_Place], layouts: Mapping[int, TableLayout]
) -> dict[_Place, bytes | None]:
    """Those of a checkpoint's rows that are at these places."""
    tables = {table_id for table_id, _ in places}
    found: dict[_Place, bytes | None] = {}
    for number, (table_id, data) in enumerate(snapshot.rows, 1):
        if table_id in tables and table_id in layouts:
            place = (table_id, _key_of(layouts[table_id], data))
            if place in places:
                found[place] = data
        if number % INSPECTION_SLICE == 0:
            await asyncio.sleep(0)
    return found


def _key_of(layout: TableLayout, data: bytes) -> bytes:
    if layout.encode_key is None or layout.primary_key is None:
        return data
    row: Any = layout.decode(data, 0)[0]
    return layout.encode_key(row[layout.primary_key])
