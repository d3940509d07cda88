"""Kind runtime: what all actors of a kind share, compiled at start-up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

from actors.datastore import Database, TableLayout
from actors.host.schedules import Schedule
from actors.keys import ActorKind
from actors.limits import SEQUENCE_CHUNK
from actors.module.module import Module
from actors.module.system import Sequence
from actors.module.tables import TableDeclaration
from protocol.bsatn import Codec, compile_codec
from protocol.types import STRING

__all__ = ["KindRuntime", "OlderLayout", "layout_fingerprint", "reserve_numbers"]


class OlderLayout(NamedTuple):
    """A layout that rows were stored in before columns were added: BSATN of those, for its rows."""

    id: int
    added: bytes


@dataclass(frozen=True, slots=True, eq=False)
class KindRuntime:
    """A kind of actor, ready to run.

    Attributes:
        layouts: its tables by row class, system tables included.
        layouts_by_id: the same by the number that the store knows them by.
        attaching: tables whose rows attach other actors to their owner's queries.
        schedules: scheduled tables by row class.
    """

    kind: ActorKind
    layouts: Mapping[type, TableLayout]
    layouts_by_id: Mapping[int, TableLayout]
    attaching: tuple[TableDeclaration, ...]
    schedules: Mapping[type, Schedule]

    @classmethod
    def compile(
        cls,
        module: Module,
        kind: ActorKind,
        table_ids: Mapping[str, int],
        older: Mapping[str, Iterable[OlderLayout]] = MappingProxyType({}),
        schedules: Mapping[str, Schedule] = MappingProxyType({}),
    ) -> KindRuntime:
        """Compile the tables of a kind.

        ``table_ids`` numbers every table name; ``older`` are the layouts that rows of a table may
        still be stored in, and ``schedules`` the module's scheduled tables, by name.
        """
        tables = module.tables_of(kind)
        layouts = {table.row: _layout(table, table_ids[table.name]) for table in tables}
        by_id = {layout.id: layout for layout in layouts.values()}
        for layout in layouts.values():
            by_id.update((was.id, _older(layout, was)) for was in older.get(layout.name, ()))
        return cls(
            kind,
            layouts,
            by_id,
            tuple(table for table in tables if table.attaches is not None),
            {table.row: schedules[table.name] for table in tables if table.name in schedules},
        )


def layout_fingerprint(table: TableDeclaration) -> str:
    """What must not change while rows of the table are stored: columns, types and key."""
    text = f"{table.row_type.elements!r} {table.primary_key}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def reserve_numbers(database: Database, table_name: str, last: int) -> tuple[int, int]:
    """Reserve auto-increment numbers durably, a chunk at a time; see ``datastore.Reserve``."""
    sequences = database[Sequence]
    row = sequences.find(table_name)
    reserved = 0 if row is None else row.reserved
    number = max(last, 0 if last else reserved) + 1
    if number > reserved:
        reserved = number + SEQUENCE_CHUNK - 1
        sequences.upsert(Sequence(table_name, reserved))
    return number, reserved


def _older(layout: TableLayout, was: OlderLayout) -> TableLayout:
    """A layout of before, whose rows are read as rows of today."""

    def decode(data: bytes, position: int) -> tuple[object, int]:
        row, end = layout.decode(data + was.added, position)
        return row, end - len(was.added)

    return replace(layout, id=was.id, decode=decode, added=was.added)


def _layout(table: TableDeclaration, table_id: int) -> TableLayout:
    codec = compile_codec(table.row_type)
    columns = table.columns
    position = table.primary_key_position
    key = None if position is None else compile_codec(table.row_type.elements[position].type)
    return TableLayout(
        row=table.row,
        id=table_id,
        name=table.name,
        columns=columns,
        encode=codec.encode,
        decode=codec.decode,
        encode_key=None if key is None else key.encode,
        decode_key=None if key is None else key.decode,
        key_bytes=_leading_bytes(key) if key is not None and position == 0 else None,
        primary_key=position,
        unique=tuple(columns.index(column) for column in table.unique),
        indexes=tuple(
            tuple(columns.index(column) for column in entry)
            for entry in table.indexes
            if entry != (table.primary_key,)
        ),
        auto_increment=(
            None if table.auto_increment is None else columns.index(table.auto_increment)
        ),
        is_event=table.is_event,
        is_public=table.is_public,
    )


def _leading_bytes(key: Codec) -> int | None:
    """A layout's ``key_bytes`` for keys that rows begin with; None where their end is not plain."""
    return 0 if key.type == STRING else key.fixed_size or None
