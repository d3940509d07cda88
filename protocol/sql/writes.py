"""Writes: INSERT, UPDATE and DELETE of one table, over known columns and typed values."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.errors import SqlError
from protocol.sql import syntax
from protocol.sql.catalog import Catalog, CatalogTable
from protocol.sql.literals import literal_value
from protocol.sql.predicate import ALWAYS, Predicate, normalise
from protocol.sql.resolve import Scope, check_same, find_table
from protocol.types import BYTES, IDENTITY, Field
from protocol.values import Identity

__all__ = ["ResolvedDelete", "ResolvedInsert", "ResolvedUpdate", "ResolvedWrite", "resolve_write"]


@dataclass(frozen=True, slots=True)
class ResolvedInsert:
    """Rows for a table, each with a value for every column, in their order."""

    table: str
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class ResolvedUpdate:
    """New values, by the columns' positions, for the rows that pass a predicate."""

    table: str
    values: tuple[tuple[int, object], ...]
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class ResolvedDelete:
    """The rows that pass a predicate go."""

    table: str
    predicate: Predicate


ResolvedWrite = ResolvedInsert | ResolvedUpdate | ResolvedDelete


def resolve_write(
    command: syntax.Insert | syntax.Update | syntax.Delete, catalog: Catalog, caller: Identity
) -> ResolvedWrite:
    """Resolve the names and types of a write; ``:sender`` among its values is the caller.

    Raises:
        SqlError: with the texts of wire spec 10.4.
    """
    table = find_table(catalog, command.table)
    if isinstance(command, syntax.Insert):
        rows = tuple(_inserted(table, command.columns, row, caller) for row in command.rows)
        return ResolvedInsert(table.name, rows)
    scope = Scope({command.table: (0, table)})
    where = ALWAYS if command.where is None else normalise(scope.condition(command.where))
    if isinstance(command, syntax.Delete):
        return ResolvedDelete(table.name, where)
    values: dict[int, object] = {}
    for entry in command.assignments:
        column = scope.column(syntax.ColumnName(None, entry.column))
        if column.position in values:
            raise SqlError(f"Duplicate name: `{entry.column}`")
        field = table.row_type.elements[column.position]
        values[column.position] = _value(entry.value, field, caller)
    return ResolvedUpdate(table.name, tuple(values.items()), where)


def _inserted(
    table: CatalogTable,
    columns: tuple[str, ...],
    row: tuple[syntax.Literal | syntax.Sender, ...],
    caller: Identity,
) -> tuple[object, ...]:
    fields = table.row_type.elements
    names = columns or tuple(field.name for field in fields)
    if not len(row) == len(names) == len(fields):
        raise SqlError(
            f"Inserting a row with {len(row)} values into `{table.name}` which has"
            f" {len(fields)} columns"
        )
    given = dict(zip(names, row, strict=True))
    for name in names:
        if name not in {field.name for field in fields}:
            raise SqlError(f"`{name}` is not in scope")
    if len(given) != len(fields):
        raise SqlError(f"Duplicate name among the columns of `{table.name}`")
    return tuple(_value(given[field.name], field, caller) for field in fields)


def _value(value: syntax.Literal | syntax.Sender, field: Field, caller: Identity) -> object:
    if isinstance(value, syntax.Literal):
        return literal_value(value, field.type)
    if field.type == BYTES:
        return caller.to_bytes(32, "little")
    check_same(IDENTITY, field.type)
    return caller
