"""Writes the Python source of one type's decode function.

Neighbouring fixed-width fields, the length prefix of a string included, are unpacked by one
``struct`` call, and a value's constructor is called once. Slices are not checked one by one: an
offset only grows, so one look at the end tells whether any of them was cut short.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, calcsize, unpack_from
from struct import error as struct_error
from uuid import UUID

from protocol.bsatn.layout import FORMATS, WIDE, plain_format, size_bounds
from protocol.type_rules import parts
from protocol.types import (
    U8,
    AlgebraicType,
    ArrayType,
    EnumType,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
    SumType,
)
from protocol.values import ConnectionId, Identity, ScheduleInterval, ScheduleTime, Variant

__all__ = ["Decode", "DecoderSource"]

Decode = Callable[[bytes, int], tuple[object, int]]
"""Data and an offset to the value there and the offset behind it; raises DecodeError."""

_FAULTS = (struct_error, IndexError, UnicodeDecodeError)
_CUT = "raise Cut"


class DecoderSource:
    """Builds ``decode(data, offset)`` for one type.

    Args:
        decode_of: gives the decode function of an element or a payload, compiled on its own.
        failure: turns a fault and its offset into the DecodeError to raise. A ``struct.error`` is
            a lack of bytes, an IndexError a tag or a boolean that is none.
    """

    def __init__(
        self,
        decode_of: Callable[[AlgebraicType], Decode],
        failure: Callable[[Exception, int], Exception],
    ) -> None:
        self._decode_of = decode_of
        self._lines: list[str] = []
        self._depth = 2
        self._count = 0
        self._format = ""
        self._targets: list[str] = []
        self._has_slices = False
        self._names: dict[str, object] = {
            "BOOLS": (False, True),
            "ConnectionId": ConnectionId,
            "Cut": struct_error,
            "FAULTS": _FAULTS,
            "Identity": Identity,
            "SCHEDULES": (ScheduleInterval, ScheduleTime),
            "UUID": UUID,
            "Variant": Variant,
            "failure": failure,
            "integer": int.from_bytes,
            "tuple_new": tuple.__new__,
            "unpack_from": unpack_from,
        }

    def function(self, declared: AlgebraicType) -> Decode:
        """Compile and return the decode function."""
        self._lines = ["def decode(data, offset):", "    try:"]
        characters = plain_format(declared)
        if isinstance(declared, ProductType) and characters is not None:
            run = Struct("<" + characters)
            fields = f"{self._bind('unpack', run.unpack_from)}(data, offset)"
            self._line(f"return {self._construct(declared, fields)}, offset + {run.size}")
        else:
            value = self._emit(declared)
            self._close_run()
            if self._has_slices:
                self._line("if offset > len(data):")
                self._line("    " + _CUT)
            self._line(f"return {value}, offset")
        self._lines += [
            "    except FAULTS as fault:",
            "        raise failure(fault, offset) from None",
        ]
        code = compile("\n".join(self._lines), "<bsatn decode>", "exec")
        exec(code, self._names)  # noqa: S102 - source made above from types, never from input
        decode: Decode = self._names["decode"]  # type: ignore[assignment]
        return decode

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    def _fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count}"

    def _bind(self, prefix: str, value: object) -> str:
        name = self._fresh(prefix)
        self._names[name] = value
        return name

    def _fixed(self, character: str) -> str:
        target = self._fresh("field")
        self._format += character
        self._targets.append(target)
        return target

    def _close_run(self) -> None:
        if not self._format:
            return
        run = Struct("<" + self._format)
        unpack = self._bind("unpack", run.unpack_from)
        self._line(f"{', '.join(self._targets)}, = {unpack}(data, offset)")
        self._line(f"offset += {run.size}")
        self._format, self._targets = "", []

    def _emit(self, declared: AlgebraicType) -> str:
        """Write what reads a value; returns the expression that makes it once all is read."""
        match declared:
            case Primitive(name):
                return self._emit_primitive(name)
            case ArrayType(element):
                return self._emit_array(element)
            case OptionType(some):
                return self._emit_option(some)
            case ProductType(elements):
                fields = [self._emit(element.type) for element in elements]
                return self._construct(declared, f"({''.join(field + ', ' for field in fields)})")
            case EnumType(variants):
                tags = range(len(variants))
                members = tags if declared.construct is None else map(declared.construct, tags)
                return f"{self._bind('members', tuple(members))}[{self._fixed('B')}]"
            case SumType() | ResultType():
                return self._emit_sum(declared)

    def _emit_primitive(self, name: str) -> str:
        if name in FORMATS:
            return self._fixed(FORMATS[name])
        if name == "Bool":
            return f"BOOLS[{self._fixed('B')}]"
        if name == "ScheduleAt":
            return f"SCHEDULES[{self._fixed('B')}]({self._fixed('q')})"
        if name == "String":
            return self._emit_slice(".decode()")
        size, is_signed = WIDE[name]
        signed = ", signed=True" if is_signed else ""
        number = f'integer({self._fixed(f"{size}s")}, "little"{signed})'
        match name:
            case "Identity" | "ConnectionId":
                return f"{name}({number})"
            case "Uuid":
                return f"UUID(int={number})"
            case _:
                return number

    def _emit_slice(self, convert: str) -> str:
        length = self._fixed("I")
        self._close_run()
        piece = self._fresh("piece")
        self._line(f"end = offset + {length}")
        self._line(f"{piece} = data[offset:end]{convert}")
        self._line("offset = end")
        self._has_slices = True
        return piece

    def _emit_array(self, element: AlgebraicType) -> str:
        if element == U8:
            return self._emit_slice("")
        count = self._fixed("I")
        self._close_run()
        items = self._fresh("items")
        # A count that cannot fit is refused before anything is made for it.
        self._line(f"if {count} * {size_bounds(element)[0]} > len(data) - offset:")
        self._line("    " + _CUT)
        characters = FORMATS.get(element.name) if isinstance(element, Primitive) else None
        if characters is not None:
            self._line(f'{items} = list(unpack_from(f"<{{{count}}}{characters}", data, offset))')
            self._line(f"offset += {count} * {calcsize('<' + characters)}")
            return items
        decode = self._bind("decode", self._decode_of(element))
        self._line(f"{items} = []")
        self._line(f"for _ in range({count}):")
        self._line(f"    item, offset = {decode}(data, offset)")
        self._line(f"    {items}.append(item)")
        return items

    def _emit_option(self, some: AlgebraicType) -> str:
        tag = self._fixed("B")
        self._close_run()
        result = self._fresh("option")
        self._line(f"if {tag} == 0:")
        self._depth += 1
        value = self._emit(some)
        self._close_run()
        self._line(f"{result} = {value}")
        self._depth -= 1
        self._line(f"elif {tag} == 1:")
        self._line(f"    {result} = None")
        self._line("else:")
        self._line("    raise IndexError")
        return result

    def _emit_sum(self, declared: SumType | ResultType) -> str:
        decoders = self._bind("decoders", tuple(self._decode_of(part) for part in parts(declared)))
        tag = self._fixed("B")
        self._close_run()
        payload = self._fresh("payload")
        self._line(f"{payload}, offset = {decoders}[{tag}](data, offset)")
        if isinstance(declared, SumType) and declared.classes is not None:
            return payload
        return f"Variant({tag}, {payload})"

    def _construct(self, declared: ProductType, fields: str) -> str:
        construct = declared.construct
        if construct is None:
            return fields
        owner = _named_tuple_of(construct)
        if owner is not None and len(getattr(owner, "_fields", ())) == len(declared.elements):
            return f"tuple_new({self._bind('owner', owner)}, {fields})"
        return f"{self._bind('construct', construct)}({fields})"


def _named_tuple_of(construct: object) -> type | None:
    """The class whose own generated ``_make`` this is: ``tuple.__new__`` and a count of fields.

    The count is known here, so decoding calls ``tuple.__new__`` itself, which takes half the time.
    """
    owner = getattr(construct, "__self__", None)
    function = getattr(construct, "__func__", None)
    if not isinstance(owner, type) or not issubclass(owner, tuple):
        return None
    module, name = getattr(function, "__module__", None), getattr(function, "__name__", None)
    return owner if (module, name) == ("collections", "_make") else None
