"""Report: a query of the larger grammar over known columns, and its rows.

Tables are joined from left to right by hash, and every part of the condition is tested as soon as
the rows that it speaks of are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from protocol.errors import SqlError
from protocol.limits import SQL_PAIRS_MAX
from protocol.sql import syntax
from protocol.sql.catalog import Catalog, CatalogTable
from protocol.sql.literals import is_comparable, type_text
from protocol.sql.order import Window, compile_joined_order
from protocol.sql.predicate import (
    ALWAYS,
    Column,
    Conjunction,
    Predicate,
    compile_rows_predicate,
    normalise,
)
from protocol.sql.resolve import Scope, check_same, find_table, sides_of
from protocol.types import U64, Field, ProductType
from protocol.values import Identity

__all__ = ["ResolvedReport", "report_rows", "resolve_report"]

_Row = Sequence[Any]
_Joined = tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class ResolvedReport:
    """A report whose names and types are known; a column's side is the number of its table.

    Attributes:
        tables: what is read, the names in the order of FROM; one may come twice.
        joins: for each further table a column of an earlier one and its own, which must be equal;
            None when every row meets every other.
        columns: what a row of the answer holds; None for a count.
        schema: the answer's columns by name.
    """

    tables: tuple[CatalogTable, ...]
    joins: tuple[tuple[Column, Column] | None, ...]
    predicate: Predicate
    columns: tuple[Column, ...] | None
    window: Window
    schema: ProductType


def resolve_report(report: syntax.Report, catalog: Catalog) -> ResolvedReport:
    """Resolve the names and types of a report.

    Raises:
        SqlError: with the texts of wire spec 10.4.
    """
    tables = tuple(find_table(catalog, name.name) for name in report.tables)
    sides: dict[str, tuple[int, CatalogTable]] = {}
    joins: list[tuple[Column, Column] | None] = []
    for side, (name, table) in enumerate(zip(report.tables, tables, strict=True)):
        if name.alias in sides:
            raise SqlError(f"Duplicate name: `{name.alias}`")
        sides[name.alias] = (side, table)
        if side:
            joins.append(_join(report.joins[side - 1], Scope(sides), side))
    scope = Scope(sides)
    where = ALWAYS if report.where is None else normalise(scope.condition(report.where))
    columns, schema = _picked(report, scope, tables, sides)
    if columns is None and report.order:
        raise SqlError("Unsupported SELECT: ORDER BY with COUNT(*)")
    window = scope.window(report.order, report.limit)
    return ResolvedReport(tables, tuple(joins), where, columns, window, schema)


def _join(
    names: tuple[syntax.ColumnName, syntax.ColumnName] | None, scope: Scope, side: int
) -> tuple[Column, Column] | None:
    if names is None:
        return None
    left, right = (scope.column(name) for name in names)
    if left.side == side:
        left, right = right, left
    if right.side != side or left.side == side:
        raise SqlError("Unsupported expression: ON has to compare columns of both tables")
    if not is_comparable(left.type):
        raise SqlError(f"Invalid binary operator `=` for type `{type_text(left.type)}`")
    check_same(left.type, right.type)
    return left, right


def _picked(
    report: syntax.Report,
    scope: Scope,
    tables: tuple[CatalogTable, ...],
    sides: dict[str, tuple[int, CatalogTable]],
) -> tuple[tuple[Column, ...] | None, ProductType]:
    """The columns of the select list, and what they are called."""
    first = report.picks[0]
    if isinstance(first, syntax.PickCount):
        return None, ProductType((Field(first.alias, U64),))
    if isinstance(first, syntax.PickAll):
        if first.table is None and len(tables) > 1:
            raise SqlError("SELECT * is not supported for joins")
        alias = report.tables[0].alias if first.table is None else first.table
        if alias not in sides:
            raise SqlError(f"`{alias}` is not in scope")
        side, table = sides[alias]
        fields = table.row_type.elements
        columns = (Column(position, field.type, side) for position, field in enumerate(fields))
        return tuple(columns), table.row_type
    columns_of: dict[str, Column] = {}
    for pick in report.picks:
        assert isinstance(pick, syntax.Pick)
        name = pick.alias or pick.column.column
        if name in columns_of:
            raise SqlError(f"Duplicate name: `{name}`")
        columns_of[name] = scope.column(pick.column)
    named = (Field(name, column.type) for name, column in columns_of.items())
    return tuple(columns_of.values()), ProductType(tuple(named))


def report_rows(
    report: ResolvedReport, tables: Sequence[Sequence[_Row]], caller: Identity
) -> list[tuple[Any, ...]]:
    """The rows of a report.

    Args:
        report: what is asked.
        tables: the rows of each of its tables.
        caller: who ``:sender`` is.

    Raises:
        SqlError: the tables have more rows in common than the limit.
    """
    terms = (
        report.predicate.operands
        if isinstance(report.predicate, Conjunction)
        else (report.predicate,)
    )
    joined: list[_Joined] = [()]
    for side, rows in enumerate(tables):
        on = report.joins[side - 1] if side else None
        joined = _joined(joined, rows, on)
        ready = [term for term in terms if max(sides_of(term), default=0) == side]
        test = compile_rows_predicate(Conjunction(tuple(ready)))
        if test is not None:
            joined = [entry for entry in joined if test(entry, caller)]
    if report.columns is None:
        return [(len(joined),)][: report.window.limit]
    if report.window.order:
        joined.sort(key=compile_joined_order(report.window.order))
    places = [(column.side, column.position) for column in report.columns]
    return [
        tuple([entry[side][position] for side, position in places])
        for entry in joined[: report.window.limit]
    ]


def _joined(
    before: list[_Joined], rows: Sequence[_Row], on: tuple[Column, Column] | None
) -> list[_Joined]:
    """All rows so far with those of one more table that they meet."""
    found: list[_Joined] = []
    matches: dict[object, list[_Row]] = {}
    if on is not None:
        for row in rows:
            matches.setdefault(row[on[1].position], []).append(row)
    for entry in before:
        met = rows if on is None else matches.get(entry[on[0].side][on[0].position], ())
        if len(found) + len(met) > SQL_PAIRS_MAX:
            raise SqlError(
                f"Estimated cardinality ({len(found) + len(met)} rows) exceeds limit"
                f" ({SQL_PAIRS_MAX} rows)"
            )
        found += [(*entry, row) for row in met]
    return found
