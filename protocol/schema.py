"""Module definition as plain frozen data: what clients may read, subscribe to and call.

A ``ModuleSchema`` is built once from declarations at start-up; ``protocol.schema_rules`` checks it,
``protocol.schema_json`` and ``protocol.typescript`` print it. All names are wire names and are
used verbatim; the order of columns and parameters is the wire order. Source: wire spec 11 and 13.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from protocol.errors import SchemaError
from protocol.types import (
    UNIT,
    AlgebraicType,
    ArrayType,
    EnumType,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
    SumType,
)

__all__ = [
    "FunctionSchema",
    "IndexSchema",
    "Lifecycle",
    "ModuleSchema",
    "NamedType",
    "ScheduleSchema",
    "TableSchema",
    "ViewSchema",
    "constraint_name",
    "index_name",
    "named_types",
    "pascal_case",
    "row_type_name",
    "sequence_name",
    "visible_part",
]

NamedType: TypeAlias = ProductType | EnumType | SumType
"""What a schema can name: the compound types."""


class Lifecycle(StrEnum):
    """When the host itself calls a reducer (wire spec 11); clients may not call these."""

    INIT = "Init"
    ON_CONNECT = "OnConnect"
    ON_DISCONNECT = "OnDisconnect"


class IndexSchema(NamedTuple):
    """An ordered index.

    ``name`` is unique in the module. Bindings offer the index as ``accessor``, which is the columns
    joined by ``_`` when it is None.
    """

    name: str
    columns: tuple[str, ...]
    accessor: str | None = None


class ScheduleSchema(NamedTuple):
    """Rows are timers: ``function`` is called with the row when ``column`` (ScheduleAt) is due."""

    function: str
    column: str


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table.

    Attributes:
        name: wire name.
        row_type: its elements are the columns.
        primary_key: position of the primary key's column; None for a keyless table.
        unique: column names of every unique constraint, the primary key's included.
        indexes: at least one per unique constraint, over the same columns.
        sequences: names of the auto-increment columns.
        is_public: whether others than the owner may read it at all.
        is_event: rows live only inside their transaction and are sent as events.
        schedule: set when rows are timers.
        defaults: columns that were added with a value for the rows of before, and its BSATN.
    """

    name: str
    row_type: ProductType
    primary_key: int | None = None
    unique: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[IndexSchema, ...] = ()
    sequences: tuple[str, ...] = ()
    is_public: bool = True
    is_event: bool = False
    schedule: ScheduleSchema | None = None
    defaults: tuple[tuple[str, bytes], ...] = ()

    def position(self, column: str) -> int:
        """Return the position of a column; raises SchemaError for an unknown name."""
        for position, field in enumerate(self.row_type.elements):
            if field.name == column:
                return position
        raise SchemaError(f"table {self.name} has no column {column}")


@dataclass(frozen=True, slots=True)
class FunctionSchema:
    """A reducer or a procedure.

    Attributes:
        name: wire name; reducers, procedures and views share one name space.
        params: product of the arguments, as they are encoded.
        returns: of a procedure; None for reducers, which return nothing.
        lifecycle: of a reducer that the host calls; None otherwise.
        is_private: unknown to everyone but the owner and the scheduler.
    """

    name: str
    params: ProductType = UNIT
    returns: AlgebraicType | None = None
    lifecycle: Lifecycle | None = None
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class ViewSchema:
    """A read-only query by function, subscribed to by name like a table.

    Attributes:
        name: wire name, unique among tables too.
        row_type: its elements are the columns that are sent.
        is_anonymous: the rows do not depend on the caller.
        primary_key: name of the column that identifies a row to clients, None when there is none.
    """

    name: str
    row_type: ProductType
    is_anonymous: bool = False
    primary_key: str | None = None


@dataclass(frozen=True, slots=True)
class ModuleSchema:
    """Everything that one database publishes; ``types`` are named types that nothing else uses."""

    tables: tuple[TableSchema, ...] = ()
    reducers: tuple[FunctionSchema, ...] = ()
    procedures: tuple[FunctionSchema, ...] = ()
    views: tuple[ViewSchema, ...] = ()
    types: tuple[NamedType, ...] = ()


def visible_part(schema: ModuleSchema) -> ModuleSchema:
    """Return what clients may see of a module.

    Private tables are left out, and functions that are private or that only the host calls.
    """
    scheduled = {table.schedule.function for table in schema.tables if table.schedule is not None}

    def may_be_called(function: FunctionSchema) -> bool:
        is_internal = function.lifecycle is not None or function.name in scheduled
        return not function.is_private and not is_internal

    return ModuleSchema(
        tables=tuple(table for table in schema.tables if table.is_public),
        reducers=tuple(filter(may_be_called, schema.reducers)),
        procedures=tuple(filter(may_be_called, schema.procedures)),
        views=schema.views,
        types=schema.types,
    )


def index_name(table: str, columns: Iterable[str]) -> str:
    """Default name of an index (wire spec 13.3)."""
    return f"{table}_{'_'.join(columns)}_idx_btree"


def constraint_name(table: str, columns: Iterable[str]) -> str:
    """Default name of a unique constraint (wire spec 13.3)."""
    return f"{table}_{'_'.join(columns)}_key"


def sequence_name(table: str, column: str) -> str:
    """Default name of an auto-increment column's sequence (wire spec 13.3)."""
    return f"{table}_{column}_seq"


def pascal_case(name: str) -> str:
    """Spell a snake-case name as a type's name: ``battle_state`` gives ``BattleState``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def row_type_name(source: TableSchema | ViewSchema) -> str:
    """Name of a row type: its own, else one made from the table's."""
    return source.row_type.name or pascal_case(source.name)


class _Names:
    """Named types in the order in which a reader can define them: dependencies first."""

    def __init__(self) -> None:
        self.types: dict[str, NamedType] = {}

    def add(self, name: str, type_: NamedType) -> None:
        known = self.types.get(name)
        if known is not None:
            if known != type_:
                raise SchemaError(f"two different types are named {name}")
            return
        if not isinstance(type_, EnumType):
            elements = type_.elements if isinstance(type_, ProductType) else type_.variants
            for element in elements:
                self.visit(element.type, f"{name}.{element.name}")
        self.types[name] = type_

    def visit(self, type_: AlgebraicType, where: str) -> None:
        if isinstance(type_, Primitive):
            return
        if isinstance(type_, ArrayType):
            self.visit(type_.element, where)
        elif isinstance(type_, OptionType):
            self.visit(type_.some, where)
        elif isinstance(type_, ResultType):
            self.visit(type_.ok, where)
            self.visit(type_.err, where)
        elif type_.name is not None:
            self.add(type_.name, type_)
        elif not (isinstance(type_, ProductType) and not type_.elements):
            raise SchemaError(f"{where}: a compound type needs a name")


def named_types(schema: ModuleSchema) -> dict[str, NamedType]:
    """Collect every named type of a module: row types, types of columns, of functions, extra ones.

    Returns:
        Types by name; a type comes after the types that it mentions.

    Raises:
        SchemaError: one name for two types that differ on the wire, or a compound type without a
            name inside another type (wire spec 13.3).
    """
    names = _Names()
    for table in schema.tables:
        names.add(row_type_name(table), table.row_type)
    for view in schema.views:
        names.add(row_type_name(view), view.row_type)
    for function in (*schema.reducers, *schema.procedures):
        for field in function.params.elements:
            names.visit(field.type, f"{function.name}({field.name})")
        if function.returns is not None:
            names.visit(function.returns, f"{function.name} returns")
    for type_ in schema.types:
        names.visit(type_, "types")
    return names.types
