"""Types as calls of the SDK's type builders, and the fields of rows, arguments and objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from protocol.schema import NamedType
from protocol.types import (
    BYTES,
    F32,
    F64,
    SCHEDULE_AT,
    AlgebraicType,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
)
from protocol.typescript.names import camel_case, check_distinct, identifier, quote

__all__ = ["builder", "definition", "fields", "is_unique_capable", "mentioned_types"]

_BUILDERS = {
    "Bool": "bool",
    "String": "string",
    "Identity": "identity",
    "ConnectionId": "connectionId",
    "Timestamp": "timestamp",
    "TimeDuration": "timeDuration",
    "Uuid": "uuid",
    "ScheduleAt": "scheduleAt",
}


def mentioned_types(types: Iterable[AlgebraicType]) -> list[str]:
    """Names of the named types that these types refer to directly, sorted."""
    names: set[str] = set()
    pending = list(types)
    while pending:
        type_ = pending.pop()
        if isinstance(type_, ArrayType):
            pending.append(type_.element)
        elif isinstance(type_, OptionType):
            pending.append(type_.some)
        elif isinstance(type_, ResultType):
            pending += (type_.ok, type_.err)
        elif not isinstance(type_, Primitive) and type_.name is not None:
            names.add(identifier(type_.name))
    return sorted(names)


def builder(type_: AlgebraicType) -> str:
    """Spell the builder of a type; named types by reference."""
    if isinstance(type_, Primitive):
        return f"__t.{_BUILDERS.get(type_.name, type_.name.lower())}()"
    if type_ == BYTES:
        return "__t.byteArray()"
    if isinstance(type_, ArrayType):
        return f"__t.array({builder(type_.element)})"
    if isinstance(type_, OptionType):
        return f"__t.option({builder(type_.some)})"
    if isinstance(type_, ResultType):
        return f"__t.result({builder(type_.ok)}, {builder(type_.err)})"
    return "__t.unit()" if type_.name is None else identifier(type_.name)


def is_unique_capable(type_: AlgebraicType) -> bool:
    """Whether the builder of this type has ``.unique()``."""
    return isinstance(type_, Primitive) and type_ not in (F32, F64, SCHEDULE_AT)


def _field(name: str, type_: AlgebraicType, suffix: str) -> list[str]:
    """One property; a getter when a named type may not have been declared yet."""
    value = builder(type_) + suffix
    if mentioned_types((type_,)):
        return [f"  get {name}() {{", f"    return {value};", "  },"]
    return [f"  {name}: {value},"]


def fields(
    elements: Sequence[Field],
    *,
    primary_key: int | None = None,
    unique: Iterable[str] = (),
    wire_names: bool = False,
) -> list[str]:
    """Lines of an object literal's properties, in wire order.

    Args:
        elements: fields with their wire names.
        primary_key: position of the primary key's column.
        unique: wire names of single columns with a unique constraint.
        wire_names: whether queries need the columns' real names.

    Raises:
        SchemaError: two names become one in camel case.
    """
    names = [camel_case(element.name) for element in elements]
    check_distinct(names, "fields")
    unique = frozenset(unique)
    lines: list[str] = []
    for position, (name, element) in enumerate(zip(names, elements, strict=True)):
        suffix = ""
        if position == primary_key:
            suffix = ".primaryKey()"
        elif element.name in unique and is_unique_capable(element.type):
            suffix = ".unique()"
        if wire_names and name != element.name:
            suffix += f".name({quote(element.name)})"
        lines += _field(name, element.type, suffix)
    return lines


def definition(name: str, type_: NamedType) -> list[str]:
    """Lines that declare a named type, as a constant and as a type."""
    constant = identifier(name)
    if isinstance(type_, ProductType):
        body = fields(type_.elements)
        head = f"export const {constant} = __t.object({quote(name)}, {{"
    else:
        body = []
        variants = (
            [Field(variant, ProductType(())) for variant in type_.variants]
            if isinstance(type_, EnumType)
            else type_.variants
        )
        for variant in variants:
            body += _field(variant.name, variant.type, "")
        head = f"export const {constant} = __t.enum({quote(name)}, {{"
    return [head, *body, "});", f"export type {constant} = __Infer<typeof {constant}>;"]
