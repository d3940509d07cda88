"""What a declared type must satisfy before a codec is compiled from it, and its exact identity."""

from __future__ import annotations

from collections.abc import Hashable

from protocol.errors import SchemaError
from protocol.limits import NESTING_MAX, TYPE_NODES_MAX, VARIANTS_MAX
from protocol.types import (
    BOOL,
    CONNECTION_ID,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    I128,
    I256,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    UUID,
    AlgebraicType,
    ArrayType,
    EnumType,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
    SumType,
)

__all__ = ["PRIMITIVE_NAMES", "check_type", "exact_key", "parts", "type_name"]

PRIMITIVE_NAMES = frozenset(
    primitive.name
    for primitive in (
        BOOL,
        U8,
        U16,
        U32,
        U64,
        U128,
        U256,
        I8,
        I16,
        I32,
        I64,
        I128,
        I256,
        F32,
        F64,
        STRING,
        IDENTITY,
        CONNECTION_ID,
        TIMESTAMP,
        TIME_DURATION,
        UUID,
        SCHEDULE_AT,
    )
)
"""Every name that a ``Primitive`` may carry."""


def check_type(declared: AlgebraicType) -> None:
    """Refuse a type that no codec can serve.

    Raises:
        SchemaError: unknown primitive, an option of an option, an array of elements that take no
            bytes (its length could not be checked against the input), duplicate or too many
            names, classes that do not match their variants, too deep or too large.
    """
    if _check(declared, 1) > TYPE_NODES_MAX:
        raise SchemaError(f"a type holds more than {TYPE_NODES_MAX} types")


def _check(declared: AlgebraicType, depth: int) -> int:
    if depth > NESTING_MAX:
        raise SchemaError(f"types are nested deeper than {NESTING_MAX}")
    match declared:
        case Primitive(name) if name not in PRIMITIVE_NAMES:
            raise SchemaError(f"unknown primitive type {name}")
        case OptionType(OptionType()):
            raise SchemaError("an option of an option has no value of its own")
        case ArrayType(element) if _is_zero_size(element, depth):
            raise SchemaError("the elements of an array must take at least one byte")
        case EnumType(variants):
            _check_names(declared, variants, VARIANTS_MAX)
        case SumType(variants):
            _check_names(declared, [variant.name for variant in variants], VARIANTS_MAX)
            _check_classes(declared)
        case ProductType(elements):
            _check_names(declared, [element.name for element in elements], TYPE_NODES_MAX)
        case _:
            pass
    return 1 + sum(_check(part, depth + 1) for part in parts(declared))


def _check_names(declared: AlgebraicType, names: tuple[str, ...] | list[str], limit: int) -> None:
    if len(set(names)) != len(names):
        raise SchemaError(f"{type_name(declared)} has two parts of one name")
    if len(names) > limit:
        raise SchemaError(f"{type_name(declared)} has more than {limit} parts")


def _check_classes(declared: SumType) -> None:
    classes = declared.classes
    if classes is None:
        return
    if len(classes) != len(declared.variants) or len(set(classes)) != len(classes):
        raise SchemaError(f"{type_name(declared)} needs one class of its own for each variant")
    for variant in declared.variants:
        payload = variant.type
        if isinstance(payload, ProductType) and payload.construct is None:
            raise SchemaError(f"{type_name(declared)}.{variant.name} does not construct its class")


def _is_zero_size(declared: AlgebraicType, depth: int) -> bool:
    if depth > NESTING_MAX or not isinstance(declared, ProductType):
        return False
    return all(_is_zero_size(element.type, depth + 1) for element in declared.elements)


def parts(declared: AlgebraicType) -> tuple[AlgebraicType, ...]:
    """The types directly inside a type, in wire order."""
    match declared:
        case ArrayType(element):
            return (element,)
        case OptionType(some):
            return (some,)
        case ResultType(ok, err):
            return (ok, err)
        case ProductType(elements) | SumType(elements):
            return tuple(element.type for element in elements)
        case _:
            return ()


def type_name(declared: AlgebraicType) -> str:
    """A short name for messages: the declared one, else the kind."""
    if isinstance(declared, Primitive):
        return declared.name
    if isinstance(declared, (ProductType, EnumType, SumType)) and declared.name is not None:
        return declared.name
    return type(declared).__name__.removesuffix("Type")


def exact_key(declared: AlgebraicType) -> Hashable:
    """A key that differs where types differ on the wire, in names, or in their Python classes.

    Equality of types ignores ``construct`` and ``classes``; two codecs for such types must not be
    confused, because they give values of different classes.
    """
    match declared:
        case Primitive():
            return declared.name
        case EnumType():
            return ("enum", declared.variants, declared.name, declared.construct)
        case ProductType():
            names = tuple(element.name for element in declared.elements)
            own: Hashable = ("product", names, declared.name, declared.construct)
        case SumType():
            names = tuple(variant.name for variant in declared.variants)
            own = ("sum", names, declared.name, declared.classes)
        case _:
            own = type(declared).__name__
    return (own, *(exact_key(part) for part in parts(declared)))
