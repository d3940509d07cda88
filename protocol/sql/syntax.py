"""Syntax tree of a query, before names and types are known (wire spec 10.1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

__all__ = [
    "AllOf",
    "AnyOf",
    "ColumnName",
    "Comparison",
    "Condition",
    "Join",
    "Literal",
    "LiteralKind",
    "Negation",
    "Operand",
    "Select",
    "SelectEverything",
    "Sender",
    "Statement",
    "TableName",
    "Truth",
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
class Select:
    """A query; ``returned`` is the alias in ``alias.*``, None for a plain ``*``."""

    returned: str | None
    table: TableName
    join: Join | None
    where: Condition | None


@dataclass(frozen=True, slots=True)
class SelectEverything:
    """``SELECT * FROM *``: every table that the caller may read, event tables excepted."""


Statement: TypeAlias = Select | SelectEverything
