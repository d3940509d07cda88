"""Kind runtime: what all actors of a kind share, compiled at start-up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from actors.datastore import Database, TableLayout
from actors.keys import ActorKind
from actors.limits import SEQUENCE_CHUNK
from actors.module.module import Module
from actors.module.system import Sequence
from actors.module.tables import TableDeclaration
from protocol.bsatn import compile_codec

__all__ = ["KindRuntime", "layout_fingerprint", "reserve_numbers"]


@dataclass(frozen=True, slots=True, eq=False)
class KindRuntime:
    """A kind of actor, ready to run.

    Attributes:
        layouts: its tables by row class, system tables included.
        layouts_by_id: the same by the number that the store knows them by.
        attaching: tables whose rows attach other actors to their owner's queries.
    """

    kind: ActorKind
    layouts: Mapping[type, TableLayout]
    layouts_by_id: Mapping[int, TableLayout]
    attaching: tuple[TableDeclaration, ...]

    @classmethod
    def compile(cls, module: Module, kind: ActorKind, table_ids: Mapping[str, int]) -> KindRuntime:
        """Compile the tables of a kind; ``table_ids`` numbers every table name."""
        tables = module.tables_of(kind)
        layouts = {table.row: _layout(table, table_ids[table.name]) for table in tables}
        return cls(
            kind,
            layouts,
            {layout.id: layout for layout in layouts.values()},
            tuple(table for table in tables if table.attaches is not None),
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
