"""Writes the Python source of one type's encode function.

Neighbouring fixed-width fields, the length prefix of a string included, are packed by one
``struct`` call; the pieces are joined once. Checks that ``struct`` does not make are written out.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, pack
from struct import error as struct_error

from protocol.bsatn.layout import FORMATS, WIDE, plain_format
from protocol.type_rules import parts
from protocol.types import (
    U8,
    AlgebraicType,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
    SumType,
)
from protocol.values import ScheduleInterval, ScheduleTime, Variant

__all__ = ["Encode", "EncoderSource"]

Encode = Callable[[object], bytes]
"""A value to its BSATN; raises EncodeError."""

_FAULTS = (
    struct_error,
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
)


class _Pieces:
    """The pieces of bytes that one block of the function joins, in wire order."""

    def __init__(self, source: EncoderSource, depth: int) -> None:
        self.source = source
        self.depth = depth
        self._done: list[str] = []
        self._format = ""
        self._arguments: list[str] = []

    def line(self, text: str) -> None:
        self.source.lines.append("    " * self.depth + text)

    def fixed(self, characters: str, *arguments: str) -> None:
        self._format += characters
        self._arguments += arguments

    def piece(self, expression: str) -> None:
        self._close_run()
        self._done.append(expression)

    def expression(self) -> str:
        self._close_run()
        if len(self._done) in (1, 2):
            return " + ".join(self._done)
        return f"join(({', '.join(self._done)}))" if self._done else 'b""'

    def _close_run(self) -> None:
        if self._format:
            run = self.source.bind("pack", Struct("<" + self._format).pack)
            self._done.append(f"{run}({', '.join(self._arguments)})")
            self._format, self._arguments = "", []


class EncoderSource:
    """Builds ``encode(value)`` for one type.

    Args:
        encode_of: gives the encode function of an element or a payload, compiled on its own.
        failure: turns a fault and the value into the EncodeError to raise.
    """

    def __init__(
        self,
        encode_of: Callable[[AlgebraicType], Encode],
        failure: Callable[[object, Exception], Exception],
    ) -> None:
        self.lines: list[str] = []
        self.names: dict[str, object] = {
            "FAULTS": _FAULTS,
            "SCHEDULE_TAGS": {ScheduleInterval: 0, ScheduleTime: 1},
            "Variant": Variant,
            "failure": failure,
            "join": b"".join,
            "pack": pack,
            "to_utf8": str.encode,
        }
        self._encode_of = encode_of
        self._count = 0

    def function(self, declared: AlgebraicType) -> Encode:
        """Compile and return the encode function."""
        self.lines = ["def encode(value):", "    try:"]
        pieces = _Pieces(self, 2)
        characters = plain_format(declared)
        if isinstance(declared, ProductType) and characters is not None:
            self._check_class(pieces, "value", "tuple")
            pieces.fixed(characters, "*value")
        else:
            self._emit(declared, "value", pieces)
        pieces.line(f"return {pieces.expression()}")
        self.lines += [
            "    except FAULTS as fault:",
            "        raise failure(value, fault) from None",
        ]
        code = compile("\n".join(self.lines), "<bsatn encode>", "exec")
        exec(code, self.names)  # noqa: S102 - source made above from types, never from input
        encode: Encode = self.names["encode"]  # type: ignore[assignment]
        return encode

    def bind(self, prefix: str, value: object) -> str:
        """Make ``value`` known to the function under a new name, which is returned."""
        name = self._fresh(prefix)
        self.names[name] = value
        return name

    def _fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count}"

    def _emit(self, declared: AlgebraicType, value: str, pieces: _Pieces) -> None:
        match declared:
            case Primitive(name):
                self._emit_primitive(name, value, pieces)
            case ArrayType(element):
                self._emit_array(element, value, pieces)
            case OptionType(some):
                self._emit_option(some, value, pieces)
            case ProductType(elements):
                self._emit_product(elements, value, pieces)
            case EnumType(variants):
                pieces.line(f"if not 0 <= {value} < {len(variants)}:")
                pieces.line('    raise ValueError("unknown variant")')
                pieces.fixed("B", value)
            case SumType() | ResultType():
                self._emit_sum(declared, value, pieces)

    def _emit_product(self, elements: tuple[Field, ...], value: str, pieces: _Pieces) -> None:
        fields = [self._fresh("field") for _ in elements]
        self._check_class(pieces, value, "tuple")
        pieces.line(f"({''.join(field + ', ' for field in fields)}) = {value}")
        for field, element in zip(fields, elements, strict=True):
            self._emit(element.type, field, pieces)

    def _emit_primitive(self, name: str, value: str, pieces: _Pieces) -> None:
        if name in FORMATS:
            pieces.fixed(FORMATS[name], value)
        elif name in WIDE:
            size, is_signed = WIDE[name]
            number = f"{value}.int" if name == "Uuid" else value
            signed = ", signed=True" if is_signed else ""
            pieces.fixed(f"{size}s", f'{number}.to_bytes({size}, "little"{signed})')
        elif name == "Bool":
            pieces.line(f"if {value} is not True and {value} is not False:")
            pieces.line('    raise TypeError("expected True or False")')
            pieces.fixed("?", value)
        elif name == "ScheduleAt":
            pieces.fixed("Bq", f"SCHEDULE_TAGS[{value}.__class__]", f"{value}[0]")
        else:
            text = self._fresh("text")
            pieces.line(f"{text} = to_utf8({value})")
            pieces.fixed("I", f"len({text})")
            pieces.piece(text)

    def _emit_array(self, element: AlgebraicType, value: str, pieces: _Pieces) -> None:
        characters = FORMATS.get(element.name) if isinstance(element, Primitive) else None
        self._check_class(pieces, value, "bytes" if element == U8 else "(list, tuple)")
        pieces.fixed("I", f"len({value})")
        if element == U8:
            pieces.piece(value)
        elif characters is not None:
            pieces.piece(f'pack(f"<{{len({value})}}{characters}", *{value})')
        else:
            encode = self.bind("encode", self._encode_of(element))
            pieces.piece(f"join([{encode}(item) for item in {value}])")

    def _emit_option(self, some: AlgebraicType, value: str, pieces: _Pieces) -> None:
        present = _Pieces(self, pieces.depth + 1)
        result = self._fresh("option")
        pieces.line(f"if {value} is None:")
        present.line(f'{result} = b"\\x01"')
        pieces.line("else:")
        present.fixed("B", "0")
        self._emit(some, value, present)
        present.line(f"{result} = {present.expression()}")
        pieces.piece(result)

    def _emit_sum(self, declared: SumType | ResultType, value: str, pieces: _Pieces) -> None:
        encoders = tuple(self._encode_of(part) for part in parts(declared))
        classes = declared.classes if isinstance(declared, SumType) else None
        table = self.bind("encoders", encoders)
        tag = self._fresh("tag")
        if classes is not None:
            tags = self.bind("tags", {kind: number for number, kind in enumerate(classes)})
            pieces.line(f"{tag} = {tags}[{value}.__class__]")
            payload = value
        else:
            payload = self._fresh("payload")
            self._check_class(pieces, value, "Variant")
            pieces.line(f"{tag}, {payload} = {value}")
            pieces.line(f"if not 0 <= {tag} < {len(encoders)}:")
            pieces.line('    raise ValueError("unknown variant")')
        pieces.fixed("B", tag)
        pieces.piece(f"{table}[{tag}]({payload})")

    def _check_class(self, pieces: _Pieces, value: str, classes: str) -> None:
        pieces.line(f"if not isinstance({value}, {classes}):")
        pieces.line(f'    raise TypeError("expected {classes.strip("()")}")')
