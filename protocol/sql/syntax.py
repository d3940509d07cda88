"""Syntax tree of a query, before names and types are known (wire spec 10.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

__all__ = [
    "AllOf",
    "AnyOf",
    "Assignment",
    "ColumnName",
    "Command",
    "Comparison",
    "Condition",
    "Delete",
    "Insert",
    "Join",
    "Literal",
    "LiteralKind",
    "Negation",
    "Operand",
    "OrderTerm",
    "Pick",
    "PickAll",
    "PickCount",
    "Report",
    "Select",
    "SelectEverything",
    "Sender",
    "Statement",
    "TableName",
    "Truth",
    "Update",
]


class LiteralKind(Enum):
    """How a literal was written; its type comes from the column that it meets."""

    BOOL = "bool"
    NUMBER = "number"
    HEX = "hex"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal: ``text`` without quotes, prefix and escapes; numbers keep their sign."""

    kind: LiteralKind
    text: str


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column as written; ``table`` is None when it is not qualified."""

    table: str | None
    column: str


@dataclass(frozen=True, slots=True)
class Sender:
    """``:sender``, the identity of whoever asks."""


Operand: TypeAlias = ColumnName | Literal | Sender


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``; the operator is one of ``= <> < > <= >=``."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Truth:
    """An operand that stands alone as a condition; it has to be a bool."""

    operand: Operand


@dataclass(frozen=True, slots=True)
class AllOf:
    """Conditions joined by AND, two or more."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions joined by OR, two or more."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """``NOT condition``; an extension that the SDK's query builder needs (wire spec 15.7)."""

    operand: Condition


Condition: TypeAlias = Comparison | Truth | AllOf | AnyOf | Negation


@dataclass(frozen=True, slots=True)
class TableName:
    """A table in FROM; columns are qualified by ``alias``, which is the name when none is given."""

    name: str
    alias: str


@dataclass(frozen=True, slots=True)
class Join:
    """``JOIN table ON left = right``."""

    table: TableName
    left: ColumnName
    right: ColumnName


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """A column of ORDER BY; an extension, as the official host orders nothing."""

    column: ColumnName
    is_falling: bool


@dataclass(frozen=True, slots=True)
class Select:
    """A query; ``returned`` is the alias in ``alias.*``, None for a plain ``*``."""

    returned: str | None
    table: TableName
    join: Join | None
    where: Condition | None
    order: tuple[OrderTerm, ...] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class SelectEverything:
    """``SELECT * FROM *``: every table that the caller may read, event tables excepted."""


Statement: TypeAlias = Select | SelectEverything
"""What subscriptions and one-off queries ask."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A column of the select list; ``alias`` is None when it goes by its own name."""

    column: ColumnName
    alias: str | None


@dataclass(frozen=True, slots=True)
class PickAll:
    """``*`` or ``alias.*``."""

    table: str | None


@dataclass(frozen=True, slots=True)
class PickCount:
    """``COUNT(*) AS alias``, which stands alone."""

    alias: str


@dataclass(frozen=True, slots=True)
class Report:
    """A query of the larger grammar.

    Attributes:
        picks: the select list.
        tables: FROM, one or more.
        joins: for each further table the columns that must be equal, None for CROSS JOIN.
    """

    picks: tuple[Pick | PickAll | PickCount, ...]
    tables: tuple[TableName, ...]
    joins: tuple[tuple[ColumnName, ColumnName] | None, ...]
    where: Condition | None
    order: tuple[OrderTerm, ...]
    limit: int | None


@dataclass(frozen=True, slots=True)
class Insert:
    """``INSERT INTO table [(columns)] VALUES (...), ...``; no columns are all, in order."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Literal | Sender, ...], ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """``column = value`` of an UPDATE."""

    column: str
    value: Literal | Sender


@dataclass(frozen=True, slots=True)
class Update:
    """``UPDATE table SET ... [WHERE ...]``."""

    table: str
    assignments: tuple[Assignment, ...]
    where: Condition | None


@dataclass(frozen=True, slots=True)
class Delete:
    """``DELETE FROM table [WHERE ...]``."""

    table: str
    where: Condition | None


Command: TypeAlias = Report | Insert | Update | Delete
"""What the larger grammar of HTTP asks."""
