"""SATS-JSON codecs compiled from declared types: a value to JSON structures and back (spec 4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.errors import EncodeError
from protocol.sats_json.reader import Read, reader_of
from protocol.sats_json.writer import ROW, TYPED, UNTYPED, Write, writer_of
from protocol.type_cache import TypeCache
from protocol.type_rules import type_name
from protocol.types import AlgebraicType

__all__ = ["JsonCodec", "compile_json"]


@dataclass(frozen=True, slots=True, eq=False)
class JsonCodec:
    """Writes and reads the values of one type. Holds no state; any thread may use it.

    Structures are dicts, lists, strings, numbers, booleans and None, as ``dumps`` takes and
    ``loads`` gives them.

    Attributes:
        type: the declared type.
        from_json: a structure in any accepted form to a value: products as objects or arrays,
            sums as ``{"Name": v}``, ``{"0": v}`` or ``[0, v]``, null for no option, bytes as hex
            digits or an array. Raises DecodeError, which names the field.
    """

    type: AlgebraicType
    from_json: Read = field(repr=False)
    _typed: Write = field(repr=False)
    _untyped: Write = field(repr=False)
    _row: Write = field(repr=False)

    def to_typed(self, value: object) -> object:
        """Products by field name, sums by variant name; raises EncodeError for a wrong class."""
        return self._written(self._typed, value)

    def to_untyped(self, value: object) -> object:
        """Products as arrays, sums as ``[tag, payload]``; raises EncodeError for a wrong class."""
        return self._written(self._untyped, value)

    def to_row(self, value: object) -> object:
        """Products by field name, sums as ``[tag, payload]``: initial rows of v1.json."""
        return self._written(self._row, value)

    def _written(self, write: Write, value: object) -> object:
        try:
            return write(value)
        except (KeyError, OverflowError, TypeError, ValueError) as fault:
            raise EncodeError(f"no value of {type_name(self.type)}: {fault}") from None


def compile_json(declared: AlgebraicType) -> JsonCodec:
    """The JSON codec of a type: compiled at the first call, the same object afterwards.

    Raises:
        SchemaError: the type cannot be served (see ``type_rules.check_type``).
    """
    return _codecs.find(declared)


def _compile(declared: AlgebraicType) -> JsonCodec:
    return JsonCodec(
        type=declared,
        from_json=reader_of(declared),
        _typed=writer_of(declared, TYPED),
        _untyped=writer_of(declared, UNTYPED),
        _row=writer_of(declared, ROW),
    )


_codecs = TypeCache(_compile)
