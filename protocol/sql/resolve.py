"""Resolution: a parsed query and a catalog become a query over known columns and typed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from protocol.errors import SqlError
from protocol.limits import WINDOW_ROWS_MAX
from protocol.sql import syntax
from protocol.sql.catalog import Catalog, CatalogTable
from protocol.sql.literals import is_comparable, literal_value, type_text
from protocol.sql.order import OrderColumn, Window
from protocol.sql.parser import parse_query
from protocol.sql.predicate import (
    ALWAYS,
    SENDER,
    Column,
    Comparison,
    Conjunction,
    Constant,
    Disjunction,
    Not,
    Predicate,
    Value,
    normalise,
)
from protocol.types import BOOL, BYTES, IDENTITY, AlgebraicType

__all__ = [
    "Query",
    "Scope",
    "Selection",
    "SemiJoin",
    "check_same",
    "find_table",
    "query_error",
    "resolve",
    "resolve_query",
    "sides_of",
]

_MIRROR = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of one table that pass ``predicate``; hashable, equal for equal meaning.

    With a ``window`` only its rows, in its order.
    """

    table: str
    predicate: Predicate
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class SemiJoin:
    """Rows of ``table``, each as many times as it joins with a row of ``other`` (a bag).

    A pair joins when ``row[column] == other_row[other_column]`` and all three predicates hold.

    Attributes:
        table: the returned table.
        column: position of its join column.
        other: the table looked up; it may be the same table.
        other_column: position of the other table's join column.
        predicate: over the returned row alone.
        other_predicate: over the other row alone; its columns have side 0.
        pair_predicate: what needs both rows (``compile_pair_predicate``), usually ALWAYS.
    """

    table: str
    column: int
    other: str
    other_column: int
    predicate: Predicate = ALWAYS
    other_predicate: Predicate = ALWAYS
    pair_predicate: Predicate = ALWAYS


Query: TypeAlias = Selection | SemiJoin


def query_error(error: SqlError, text: str) -> str:
    """Spell the error of one query of a Subscribe (wire spec 10.4)."""
    return f"{error}, executing: `{text}`"


class Scope:
    """The tables of FROM by alias, each with its side."""

    def __init__(self, sides: Mapping[str, tuple[int, CatalogTable]]) -> None:
        self._sides = sides

    def column(self, name: syntax.ColumnName) -> Column:
        """The column of that name; raises SqlError when there is none."""
        if name.table is None:
            if len(self._sides) > 1:
                raise SqlError("Names must be qualified when using joins")
            side, table = next(iter(self._sides.values()))
        else:
            if name.table not in self._sides:
                raise SqlError(f"`{name.table}` is not in scope")
            side, table = self._sides[name.table]
        for position, field in enumerate(table.row_type.elements):
            if field.name == name.column:
                return Column(position, field.type, side)
        raise SqlError(f"`{name.column}` is not in scope")

    def window(self, order: Sequence[syntax.OrderTerm], limit: int | None) -> Window:
        """ORDER BY and LIMIT over these columns; raises SqlError for one that has no order."""
        columns = []
        for term in order:
            column = self.column(term.column)
            if not is_comparable(column.type):
                raise SqlError(f"Unsupported ORDER BY: columns of type `{type_text(column.type)}`")
            columns.append(OrderColumn(column, term.is_falling))
        return Window(tuple(columns), limit)

    def condition(self, node: syntax.Condition) -> Predicate:
        """The predicate of a condition; raises SqlError (wire spec 10.4)."""
        if isinstance(node, syntax.AllOf):
            return Conjunction(tuple(self.condition(operand) for operand in node.operands))
        if isinstance(node, syntax.AnyOf):
            return Disjunction(tuple(self.condition(operand) for operand in node.operands))
        if isinstance(node, syntax.Negation):
            return Not(self.condition(node.operand))
        if isinstance(node, syntax.Truth):
            return self._truth(node.operand)
        return self._comparison(node.operator, node.left, node.right)

    def _truth(self, operand: syntax.Operand) -> Predicate:
        if isinstance(operand, syntax.ColumnName):
            column = self.column(operand)
            check_same(column.type, BOOL)
            return Comparison("=", column, Value(True))
        if isinstance(operand, syntax.Literal) and operand.kind is syntax.LiteralKind.BOOL:
            return Constant(operand.text == "TRUE")
        raise SqlError("Unsupported expression: a condition has to be a comparison")

    def _comparison(self, operator: str, left: syntax.Operand, right: syntax.Operand) -> Predicate:
        if not isinstance(left, syntax.ColumnName):
            if isinstance(right, syntax.ColumnName):
                return self._comparison(_MIRROR[operator], right, left)
            return _compare_literals(operator, left, right)
        column = self.column(left)
        if not is_comparable(column.type):
            raise SqlError(
                f"Invalid binary operator `{operator}` for type `{type_text(column.type)}`"
            )
        if isinstance(right, syntax.ColumnName):
            other = self.column(right)
            check_same(column.type, other.type)
            return Comparison(operator, column, other)
        if isinstance(right, syntax.Sender):
            if column.type != BYTES:
                check_same(IDENTITY, column.type)
            return Comparison(operator, column, SENDER)
        return Comparison(operator, column, Value(literal_value(right, column.type)))


def check_same(expected: AlgebraicType, inferred: AlgebraicType) -> None:
    """Raise SqlError when two types differ."""
    if expected != inferred:
        raise SqlError(
            f"Unexpected type: (expected) {type_text(expected)} != {type_text(inferred)} (inferred)"
        )


def _compare_literals(operator: str, left: syntax.Operand, right: syntax.Operand) -> Predicate:
    if not (isinstance(left, syntax.Literal) and isinstance(right, syntax.Literal)):
        raise SqlError("Unsupported expression: at least one side has to be a column")
    if left.kind is not syntax.LiteralKind.BOOL and right.kind is not syntax.LiteralKind.BOOL:
        raise SqlError("Cannot resolve type for literal expression")
    first, second = literal_value(left, BOOL), literal_value(right, BOOL)
    if operator in ("<", ">"):
        return Constant(first != second and (first is True) == (operator == ">"))
    if operator in ("<=", ">="):
        return Constant(first == second or (first is True) == (operator == ">="))
    return Constant((first == second) == (operator == "="))


def find_table(catalog: Catalog, name: str) -> CatalogTable:
    """The table or view that a caller may read; raises SqlError when there is none."""
    table = catalog.table(name)
    if table is None:
        raise SqlError(f"no such table: `{name}`. If the table exists, it may be marked private.")
    return table


def sides_of(node: Predicate) -> set[int]:
    """The sides whose rows a predicate speaks of."""
    if isinstance(node, Constant):
        return set()
    if isinstance(node, Comparison):
        sides = {node.left.side}
        return sides | {node.right.side} if isinstance(node.right, Column) else sides
    if isinstance(node, Not):
        return sides_of(node.operand)
    return set().union(*(sides_of(operand) for operand in node.operands))


def _as_own(node: Predicate) -> Predicate:
    """Turn a predicate over the other table's row into one over a row of its own."""
    if isinstance(node, Comparison):
        left = Column(node.left.position, node.left.type)
        right = node.right
        if isinstance(right, Column):
            right = Column(right.position, right.type)
        return Comparison(node.operator, left, right)
    if isinstance(node, Conjunction):
        return Conjunction(tuple(_as_own(operand) for operand in node.operands))
    if isinstance(node, Disjunction):
        return Disjunction(tuple(_as_own(operand) for operand in node.operands))
    return node


def _split(predicate: Predicate) -> tuple[Predicate, Predicate, Predicate]:
    """Split a normal form into what needs the returned row, the other row, and both."""
    parts: tuple[list[Predicate], list[Predicate], list[Predicate]] = ([], [], [])
    for term in predicate.operands if isinstance(predicate, Conjunction) else (predicate,):
        sides = sides_of(term)
        if sides == {1}:
            parts[1].append(_as_own(term))
        else:
            parts[2 if len(sides) == 2 else 0].append(term)
    own, other, both = (normalise(Conjunction(tuple(part))) for part in parts)
    return own, other, both


def _resolve_join(
    statement: syntax.Select, join: syntax.Join, catalog: Catalog, *, subscription: bool
) -> SemiJoin:
    names = (statement.table, join.table)
    tables = tuple(find_table(catalog, name.name) for name in names)
    if statement.returned is None:
        raise SqlError("SELECT * is not supported for joins")
    if statement.order or statement.limit is not None:
        raise SqlError("Unsupported SELECT: ORDER BY and LIMIT with joins")
    if names[0].alias == names[1].alias:
        raise SqlError(f"Duplicate name: `{names[0].alias}`")
    if statement.returned not in (names[0].alias, names[1].alias):
        raise SqlError(f"`{statement.returned}` is not in scope")
    returned = 0 if statement.returned == names[0].alias else 1
    scope = Scope({name.alias: (i ^ returned, tables[i]) for i, name in enumerate(names)})
    left, right = scope.column(join.left), scope.column(join.right)
    if left.side == right.side:
        raise SqlError("Unsupported expression: ON has to compare columns of both tables")
    if not is_comparable(left.type):
        raise SqlError(f"Invalid binary operator `=` for type `{type_text(left.type)}`")
    check_same(left.type, right.type)
    own, looked_up = (left, right) if left.side == 0 else (right, left)
    table, other = tables[returned], tables[1 - returned]
    if subscription and not (own.position in table.indexed and looked_up.position in other.indexed):
        raise SqlError("Subscriptions require indexes on join columns")
    if other.is_event:
        raise SqlError(f"Unsupported: event table `{other.name}` may only be the returned table")
    where = ALWAYS if statement.where is None else normalise(scope.condition(statement.where))
    predicate, other_predicate, pair_predicate = _split(where)
    return SemiJoin(
        table.name,
        own.position,
        other.name,
        looked_up.position,
        predicate,
        other_predicate,
        pair_predicate,
    )


def resolve(
    statement: syntax.Statement, catalog: Catalog, *, subscription: bool = True
) -> tuple[Query, ...]:
    """Resolve the names and types of a parsed query.

    Args:
        statement: what ``parse_query`` returned.
        catalog: what the caller may read.
        subscription: whether joins need indexes, which one-off queries do not.

    Returns:
        One query; for ``SELECT * FROM *`` one per table that is no event table, in name order.
        Predicates are in normal form, so queries of the same simple meaning are equal.

    Raises:
        SqlError: with the texts of wire spec 10.4.
    """
    if isinstance(statement, syntax.SelectEverything):
        if not subscription:
            raise SqlError("Unsupported SELECT: `*` in FROM of a one-off query")
        return tuple(
            Selection(table.name, ALWAYS) for table in catalog.tables() if not table.is_event
        )
    if statement.join is not None:
        return (_resolve_join(statement, statement.join, catalog, subscription=subscription),)
    return (_resolve_selection(statement, catalog, subscription=subscription),)


def _resolve_selection(
    statement: syntax.Select, catalog: Catalog, *, subscription: bool
) -> Selection:
    name = statement.table
    table = find_table(catalog, name.name)
    if statement.returned not in (None, name.alias):
        raise SqlError(f"`{statement.returned}` is not in scope")
    scope = Scope({name.alias: (0, table)})
    where = ALWAYS if statement.where is None else normalise(scope.condition(statement.where))
    if not statement.order and statement.limit is None:
        return Selection(table.name, where)
    if subscription:
        _check_window(statement, table)
    return Selection(table.name, where, scope.window(statement.order, statement.limit))


def _check_window(statement: syntax.Select, table: CatalogTable) -> None:
    """A live window has an order and an end, and its rows stay until they are deleted."""
    if not statement.order:
        raise SqlError("Unsupported SELECT: LIMIT without ORDER BY in a subscription")
    if statement.limit is None:
        raise SqlError("Unsupported SELECT: ORDER BY without LIMIT in a subscription")
    if statement.limit > WINDOW_ROWS_MAX:
        raise SqlError(f"Unsupported SELECT: LIMIT beyond {WINDOW_ROWS_MAX} in a subscription")
    if table.is_event:
        raise SqlError(f"Unsupported SELECT: ORDER BY over the event table `{table.name}`")


def resolve_query(text: str, catalog: Catalog, *, subscription: bool = True) -> tuple[Query, ...]:
    """Parse and resolve the text of one query; see :func:`resolve`.

    Raises:
        SqlError: whatever is wrong with the text; nothing else.
    """
    return resolve(parse_query(text), catalog, subscription=subscription)
