"""Validation of a module definition before anything is built from it (wire spec 13.3)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from protocol.errors import SchemaError
from protocol.schema import (
    FunctionSchema,
    Lifecycle,
    ModuleSchema,
    TableSchema,
    ViewSchema,
    constraint_name,
    named_types,
    sequence_name,
)
from protocol.types import (
    I8,
    I16,
    I32,
    I64,
    I128,
    I256,
    SCHEDULE_AT,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    ProductType,
    SumType,
)

__all__ = ["RESERVED_NAMES", "check_name", "check_schema"]

RESERVED_NAMES = frozenset(
    (
        *("SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "AS", "ON", "JOIN", "INNER", "TRUE"),
        *("FALSE", "NULL", "LIMIT", "ORDER", "GROUP", "BY", "UNION", "CROSS", "LEFT", "RIGHT"),
        *("FULL", "OUTER", "HAVING", "DISTINCT", "INSERT", "UPDATE", "DELETE", "SET", "SHOW"),
    )
)
"""Words that no table or view may have as its name; compared in upper case.

Clients subscribe to all tables by unquoted names, so a table of this name could not be read.
Columns may: queries can quote them, and the SDK always does.
"""

_INTEGERS = frozenset((I8, I16, I32, I64, I128, I256, U8, U16, U32, U64, U128, U256))


def check_name(name: str) -> None:
    """Accept an NFC identifier.

    Raises:
        SchemaError: otherwise.
    """
    if not name.isidentifier() or unicodedata.normalize("NFC", name) != name:
        raise SchemaError(f"{name!r} is not an identifier in normal form C")


def _check_source_name(name: str) -> None:
    check_name(name)
    if name.upper() in RESERVED_NAMES:
        raise SchemaError(f"{name!r} is a reserved word")


def _check_distinct(names: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SchemaError(f"{where}: {name} is there twice")
        seen.add(name)


def _check_fields(product: ProductType, where: str) -> None:
    for field in product.elements:
        check_name(field.name)
    _check_distinct((field.name for field in product.elements), where)


def _check_keys(table: TableSchema) -> None:
    columns = table.row_type.elements
    if table.primary_key is not None:
        if not 0 <= table.primary_key < len(columns):
            raise SchemaError(f"table {table.name} has no column {table.primary_key}")
        if (columns[table.primary_key].name,) not in table.unique:
            raise SchemaError(f"table {table.name}: its primary key is not unique")
    _check_indexes(table)
    for column in table.sequences:
        if columns[table.position(column)].type not in _INTEGERS:
            raise SchemaError(f"table {table.name}: auto-increment {column} is not an integer")


def _check_indexes(table: TableSchema) -> None:
    indexed = {frozenset(index.columns) for index in table.indexes}
    for columns_of_key in (*table.unique, *(index.columns for index in table.indexes)):
        if not columns_of_key:
            raise SchemaError(f"table {table.name}: a constraint or index without columns")
        _check_distinct(columns_of_key, f"table {table.name}, one constraint or index")
        for column in columns_of_key:
            table.position(column)
    for key in table.unique:
        if frozenset(key) not in indexed:
            names = ", ".join(key)
            raise SchemaError(f"table {table.name}: unique ({names}) has no index over it")


def _check_schedule(table: TableSchema, functions: dict[str, FunctionSchema]) -> None:
    schedule = table.schedule
    if schedule is None:
        return
    columns = table.row_type.elements
    if table.primary_key is None or columns[table.primary_key].type != U64:
        raise SchemaError(f"scheduled table {table.name} needs a u64 primary key")
    if columns[table.position(schedule.column)].type != SCHEDULE_AT:
        raise SchemaError(f"table {table.name}: {schedule.column} is not a ScheduleAt")
    function = functions.get(schedule.function)
    if function is None:
        raise SchemaError(f"table {table.name}: no function {schedule.function} to schedule")
    if len(function.params.elements) != 1 or function.params.elements[0].type != table.row_type:
        raise SchemaError(f"{function.name} is scheduled by {table.name} but does not take its row")


def _check_table(table: TableSchema, functions: dict[str, FunctionSchema]) -> None:
    _check_source_name(table.name)
    if not table.row_type.elements:
        raise SchemaError(f"table {table.name} has no columns")
    _check_fields(table.row_type, f"table {table.name}")
    _check_keys(table)
    _check_schedule(table, functions)


def _check_view(view: ViewSchema) -> None:
    _check_source_name(view.name)
    if not view.row_type.elements:
        raise SchemaError(f"view {view.name} has no columns")
    _check_fields(view.row_type, f"view {view.name}")
    if view.primary_key is not None and all(
        field.name != view.primary_key for field in view.row_type.elements
    ):
        raise SchemaError(f"view {view.name} has no column {view.primary_key}")


def _check_functions(schema: ModuleSchema) -> dict[str, FunctionSchema]:
    for function in (*schema.reducers, *schema.procedures):
        check_name(function.name)
        _check_fields(function.params, f"function {function.name}")
    for reducer in schema.reducers:
        if reducer.returns is not None:
            raise SchemaError(f"reducer {reducer.name} returns a value")
        if reducer.lifecycle is not None and reducer.params.elements:
            raise SchemaError(f"lifecycle reducer {reducer.name} takes arguments")
    for procedure in schema.procedures:
        if procedure.returns is None:
            raise SchemaError(f"procedure {procedure.name} has no return type")
        if procedure.lifecycle is not None:
            raise SchemaError(f"procedure {procedure.name} cannot be a lifecycle function")
    hooks = [reducer.lifecycle for reducer in schema.reducers if reducer.lifecycle]
    _check_distinct((Lifecycle(hook).value for hook in hooks), "lifecycle")
    functions = {function.name: function for function in (*schema.reducers, *schema.procedures)}
    names = [function.name for function in (*schema.reducers, *schema.procedures)]
    _check_distinct((*names, *(view.name for view in schema.views)), "functions")
    return functions


def check_schema(schema: ModuleSchema) -> None:
    """Check a module definition as a whole.

    Raises:
        SchemaError: the first rule of wire spec 13.3 that it breaks, with the name concerned.
    """
    functions = _check_functions(schema)
    for table in schema.tables:
        _check_table(table, functions)
    for view in schema.views:
        _check_view(view)
    tables = [table.name for table in schema.tables]
    views = [view.name for view in schema.views]
    indexes = [index.name for table in schema.tables for index in table.indexes]
    constraints = [
        constraint_name(table.name, key) for table in schema.tables for key in table.unique
    ]
    sequences = [
        sequence_name(table.name, column) for table in schema.tables for column in table.sequences
    ]
    _check_distinct(
        (*tables, *views, *indexes, *constraints, *sequences),
        "tables and indexes",
    )
    for name, type_ in named_types(schema).items():
        check_name(name)
        if isinstance(type_, ProductType):
            _check_fields(type_, f"type {name}")
        elif isinstance(type_, SumType):
            _check_distinct((variant.name for variant in type_.variants), f"type {name}")
        else:
            _check_distinct(type_.variants, f"type {name}")
