"""Codecs compiled from declared types: a value to its BSATN and back (wire spec 3)."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.bsatn.decoder import Decode, DecoderSource
from protocol.bsatn.encoder import Encode, EncoderSource
from protocol.bsatn.layout import size_bounds
from protocol.errors import DecodeError, EncodeError
from protocol.type_cache import TypeCache
from protocol.type_rules import type_name
from protocol.types import AlgebraicType, ProductType

__all__ = ["Codec", "compile_codec"]


@dataclass(frozen=True, slots=True, eq=False)
class Codec:
    """Encodes and decodes the values of one type. Holds no state; any thread may use it.

    A NaN in an F32 keeps its payload but becomes quiet, because Python holds it as an F64.

    Attributes:
        type: the declared type.
        encode: value to BSATN; raises EncodeError for a wrong class, shape or range. A tuple or a
            list stands for an array, an int for a float, a bool for an int; nothing else is
            converted.
        decode: ``(data, offset)`` to ``(value, end offset)``. ``data`` is bytes, the offset is not
            negative; raises DecodeError, and nothing else, for bytes that are no such value.
            Memory taken is proportional to ``len(data)``, whatever counts the bytes declare.
        fixed_size: bytes of every value, None when values differ in size.
    """

    type: AlgebraicType
    encode: Encode = field(repr=False)
    decode: Decode = field(repr=False)
    fixed_size: int | None

    def decode_all(self, data: bytes) -> object:
        """The value at the start of ``data``; bytes behind it are ignored, as the host does."""
        return self.decode(data, 0)[0]

    def decode_exact(self, data: bytes) -> object:
        """The value that ``data`` is; raises DecodeError when bytes are left over."""
        value, end = self.decode(data, 0)
        if end != len(data):
            raise DecodeError(f"{len(data) - end} bytes behind the value", end)
        return value


def compile_codec(declared: AlgebraicType) -> Codec:
    """The codec of a type: compiled at the first call, the same object afterwards.

    Types that are equal but give values of other Python classes have codecs of their own. Takes
    about a millisecond for a new type: call it at start-up and keep the result.

    Raises:
        SchemaError: the type cannot be served (see ``type_rules.check_type``).
    """
    return _codecs.find(declared)


def _compile(declared: AlgebraicType) -> Codec:
    name = type_name(declared)

    def decode_failure(fault: Exception, offset: int) -> DecodeError:
        return DecodeError(f"{name}: {_decode_fault(fault)}", offset)

    def encode_failure(value: object, fault: Exception) -> EncodeError:
        return _explain(declared, value, fault)

    encode_source = EncoderSource(lambda part: _codecs.find_part(part).encode, encode_failure)
    decode_source = DecoderSource(lambda part: _codecs.find_part(part).decode, decode_failure)
    least, greatest = size_bounds(declared)
    return Codec(
        type=declared,
        encode=encode_source.function(declared),
        decode=decode_source.function(declared),
        fixed_size=least if least == greatest else None,
    )


def _decode_fault(fault: Exception) -> str:
    match fault:
        case UnicodeDecodeError():
            return "a string is not valid UTF-8"
        case IndexError():
            return "unknown variant or boolean"
        case _:
            return "the data ends too early"


def _explain(declared: AlgebraicType, value: object, fault: Exception) -> EncodeError:
    """Name the field that does not encode: only here, so that encoding itself stays fast."""
    name = type_name(declared)
    if isinstance(declared, ProductType) and isinstance(value, tuple):
        if len(value) != len(declared.elements):
            return EncodeError(f"{name} has {len(declared.elements)} fields, not {len(value)}")
        for element, part in zip(declared.elements, value, strict=True):
            try:
                _codecs.find_part(element.type).encode(part)
            except EncodeError as error:
                return EncodeError(f"{name}.{element.name}: {error.message}")
    return EncodeError(f"a value of class {type(value).__name__} is no {name}: {fault}")


_codecs = TypeCache(_compile)
