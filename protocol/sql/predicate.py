"""Predicates over rows: resolved conditions, their normal form, and compiled functions.

Floats have a total order here, as at the official host: NaN equals itself and is greater than
every number. That makes ``NOT`` of a comparison the opposite comparison, so normal forms have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from protocol.types import BYTES, F32, F64, AlgebraicType
from protocol.values import Identity

__all__ = [
    "ALWAYS",
    "NEVER",
    "SENDER",
    "Column",
    "Comparison",
    "Conjunction",
    "Constant",
    "Disjunction",
    "Not",
    "PairTest",
    "Predicate",
    "RowTest",
    "RowsTest",
    "SenderValue",
    "Value",
    "compile_pair_predicate",
    "compile_predicate",
    "compile_rows_predicate",
    "normalise",
    "uses_sender",
]


@dataclass(frozen=True, slots=True)
class Column:
    """A column by position; ``side`` is 1 for columns of a join's other table."""

    position: int
    type: AlgebraicType
    side: int = 0


@dataclass(frozen=True, slots=True)
class Value:
    """A literal as a Python value of its column's type."""

    value: object


@dataclass(frozen=True, slots=True)
class SenderValue:
    """Marker of ``:sender``: the caller's identity, or its 32 little-endian bytes."""


SENDER = SenderValue()


@dataclass(frozen=True, slots=True)
class Constant:
    """Always or never."""

    value: bool


ALWAYS = Constant(True)
NEVER = Constant(False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``; the operator is one of ``= <> < > <= >=``."""

    operator: str
    left: Column
    right: Column | Value | SenderValue


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Every operand holds."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """At least one operand holds."""

    operands: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The operand does not hold; absent from normal forms."""

    operand: Predicate


Predicate: TypeAlias = Constant | Comparison | Conjunction | Disjunction | Not

RowTest: TypeAlias = Callable[[Sequence[object], Identity], bool]
"""Takes a row and the caller."""

PairTest: TypeAlias = Callable[[Sequence[object], Sequence[object], Identity], bool]
"""Takes a row of the returned table, a row of the other table, and the caller."""

RowsTest: TypeAlias = Callable[[Sequence[Sequence[object]], Identity], bool]
"""Takes the rows of joined tables, by side, and the caller."""

_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_MIRROR = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_PYTHON = {"=": "==", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


def _comparison(node: Comparison, *, negated: bool) -> Predicate:
    operator = _OPPOSITE[node.operator] if negated else node.operator
    left, right = node.left, node.right
    if isinstance(right, Column):
        if left == right:
            return Constant(operator in ("=", "<=", ">="))
        if (right.side, right.position) < (left.side, left.position):
            return Comparison(_MIRROR[operator], right, left)
    return Comparison(operator, left, right)


def _gather(node: Conjunction | Disjunction, *, negated: bool) -> Predicate:
    """Normalise an AND or OR: flat, without duplicates and constants, in a fixed order."""
    conjunction = isinstance(node, Conjunction) is not negated
    neutral, absorbing = (ALWAYS, NEVER) if conjunction else (NEVER, ALWAYS)
    kind = Conjunction if conjunction else Disjunction
    terms: dict[Predicate, str] = {}
    for operand in node.operands:
        term = _normal(operand, negated=negated)
        if term == absorbing:
            return absorbing
        for part in term.operands if isinstance(term, kind) else (term,):
            if part != neutral and part not in terms:
                terms[part] = repr(part)
    if not terms:
        return neutral
    ordered = sorted(terms, key=terms.__getitem__)
    return ordered[0] if len(ordered) == 1 else kind(tuple(ordered))


def _normal(node: Predicate, *, negated: bool) -> Predicate:
    if isinstance(node, Not):
        return _normal(node.operand, negated=not negated)
    if isinstance(node, Constant):
        return Constant(node.value is not negated)
    if isinstance(node, Comparison):
        return _comparison(node, negated=negated)
    return _gather(node, negated=negated)


def normalise(predicate: Predicate) -> Predicate:
    """Return the normal form: same meaning for every row, equal for simple respellings.

    Order and repetition of AND and OR operands, parentheses, NOT, the sides of a comparison of
    columns and constant conditions make no difference to it. It is hashable: use it as a key.
    """
    return _normal(predicate, negated=False)


def uses_sender(predicate: Predicate) -> bool:
    """Whether the meaning depends on the caller."""
    if isinstance(predicate, Comparison):
        return isinstance(predicate.right, SenderValue)
    if isinstance(predicate, Not):
        return uses_sender(predicate.operand)
    if isinstance(predicate, Constant):
        return False
    return any(uses_sender(operand) for operand in predicate.operands)


class _Source:
    """Python source of a predicate; values become parameters of an enclosing function."""

    def __init__(self, rows: Callable[[int], str]) -> None:
        self._rows = rows
        self.values: list[object] = []

    def test(self, node: Predicate) -> str:
        if isinstance(node, Constant):
            return str(node.value)
        if isinstance(node, Comparison):
            return self._comparison(node)
        assert not isinstance(node, Not)  # normal forms have none
        word = " and " if isinstance(node, Conjunction) else " or "
        return f"({word.join(self.test(operand) for operand in node.operands)})"

    def _comparison(self, node: Comparison) -> str:
        left = self._column(node.left)
        if isinstance(node.right, Column):
            right = self._column(node.right)
        elif isinstance(node.right, Value):
            right = f"v{len(self.values)}"
            self.values.append(node.right.value)
        else:
            right = 'sender.to_bytes(32, "little")' if node.left.type == BYTES else "sender"
        if node.left.type in (F32, F64):
            return _float_comparison(node.operator, left, right)
        return f"{left} {_PYTHON[node.operator]} {right}"

    def _column(self, column: Column) -> str:
        return f"{self._rows(column.side)}[{column.position}]"


def _float_comparison(operator: str, left: str, right: str) -> str:
    """Compare in the total order; only ``x != x`` tells NaN from numbers."""
    if operator == "=":
        return f"({left} == {right} or ({left} != {left} and {right} != {right}))"
    if operator == "<>":
        return f"(not {_float_comparison('=', left, right)})"
    if operator == "<":
        return f"({left} < {right} or ({left} == {left} and {right} != {right}))"
    if operator == ">":
        return _float_comparison("<", right, left)
    return f"(not {_float_comparison(_OPPOSITE[operator], left, right)})"


def _compile(predicate: Predicate, arguments: str, rows: Callable[[int], str]) -> object:
    """Compile a predicate to a function of these arguments; ``rows`` says which a side's row is."""
    source = _Source(rows)
    test = source.test(predicate)
    names = ", ".join(f"v{number}" for number in range(len(source.values)))
    text = f"def bind({names}):\n    return lambda {arguments}, sender: {test}\n"
    namespace: dict[str, Callable[..., object]] = {}
    # Names and values never reach the text: it holds positions, operators and parameter names.
    exec(compile(text, "<predicate>", "exec"), namespace)  # noqa: S102
    return namespace["bind"](*source.values)


def compile_predicate(predicate: Predicate) -> RowTest | None:
    """Compile a predicate over one table to a function of (row, caller).

    Returns:
        None when every row passes, so that callers can skip the test.
    """
    normal = normalise(predicate)
    return (
        None if normal == ALWAYS else cast("RowTest", _compile(normal, "row", ("row",).__getitem__))
    )


def compile_pair_predicate(predicate: Predicate) -> PairTest | None:
    """Compile a predicate over a join to a function of (returned row, other row, caller).

    Returns:
        None when every pair passes.
    """
    normal = normalise(predicate)
    return (
        None
        if normal == ALWAYS
        else cast("PairTest", _compile(normal, "row, other", ("row", "other").__getitem__))
    )


def compile_rows_predicate(predicate: Predicate) -> RowsTest | None:
    """Compile a predicate over joined tables to a function of (their rows by side, caller).

    Returns:
        None when all rows pass.
    """
    normal = normalise(predicate)
    return (
        None if normal == ALWAYS else cast("RowsTest", _compile(normal, "rows", "rows[{}]".format))
    )
