"""Schema of a module: declarations as the data that clients, SQL and bindings are made from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from actors.errors import DeclarationError
from actors.module.functions import ProcedureDeclaration, ReducerDeclaration
from actors.module.tables import TableDeclaration
from protocol.bsatn import compile_codec
from protocol.errors import EncodeError
from protocol.schema import (
    FunctionSchema,
    IndexSchema,
    ModuleSchema,
    ScheduleSchema,
    TableSchema,
    ViewSchema,
    index_name,
    pascal_case,
)
from protocol.types import (
    BOOL,
    STRING,
    UNIT,
    AlgebraicType,
    Field,
    OptionType,
    ProductType,
)

if TYPE_CHECKING:
    from actors.module.module import Module

__all__ = [
    "AND_RETURN",
    "answer_types",
    "column_defaults",
    "envelope",
    "module_procedures",
    "module_schema",
]

AND_RETURN = "_and_return"
"""Ends the name of the procedure that wraps a reducer and answers what it answered (domain 1.4)."""


def module_schema(module: Module, *, internal: bool = False) -> ModuleSchema:
    """The public definition of a module: its tables, functions and views by wire name.

    With ``internal``, public tables of what is hosted beside it as well.
    """
    hidden = module.internal
    reducers = [
        FunctionSchema(reducer.name, reducer.parameters)
        for reducer in module.reducers.values()
        if reducer.name not in hidden
    ]
    hooks = [
        FunctionSchema(hook.name, ProductType(()), lifecycle=moment)
        for moment, hook in module.lifecycle.items()
    ]
    scheduled = [
        FunctionSchema(entry.reducer.name, entry.reducer.parameters, is_private=True)
        for entry in module.schedules.values()
        if entry.table.name not in hidden
    ]
    procedures = [
        FunctionSchema(name, function.parameters, answer_types(module)[name])
        for name, function in module_procedures(module).items()
    ]
    views = [
        ViewSchema(view.name, view.row_type, view.is_anonymous)
        for view in module.views.values()
        if view.is_public and view.name not in hidden
    ]
    return ModuleSchema(
        tables=tuple(
            _table(module, table)
            for table in module.tables.values()
            if table.name not in hidden or (internal and table.is_public)
        ),
        reducers=(*reducers, *hooks, *scheduled),
        procedures=tuple(procedures),
        views=tuple(views),
    )


def module_procedures(
    module: Module,
) -> dict[str, ProcedureDeclaration | ReducerDeclaration]:
    """Procedures by wire name: the declared ones, and those that wrap reducers with an answer."""
    procedures: dict[str, ProcedureDeclaration | ReducerDeclaration] = {}
    if module.enveloped:
        for reducer in module.reducers.values():
            if reducer.returns is not None and reducer.name not in module.internal:
                procedures[reducer.name + AND_RETURN] = reducer
    # A procedure that is declared under a wrapper's name takes its place.
    return {**procedures, **module.procedures}


@lru_cache(maxsize=1)
def answer_types(module: Module) -> Mapping[str, AlgebraicType]:
    """What procedures' callers get, by wire name: the function's own type, or its envelope.

    They are the same objects each time, which is how their codecs are found (``TypeCache``).
    """
    return {
        name: envelope(name, function.returns) if module.enveloped else (function.returns or UNIT)
        for name, function in module_procedures(module).items()
    }


def envelope(name: str, value: AlgebraicType | None) -> ProductType:
    """The product that a procedure of an enveloped module answers (domain 1.4)."""
    # An option of an option has no value in Python: an optional answer is not wrapped again.
    inner = value if isinstance(value, OptionType) else OptionType(value or BOOL)
    return ProductType(
        (
            Field("ok", BOOL),
            Field("value", inner),
            Field("error_code", OptionType(STRING)),
            Field("error_message", OptionType(STRING)),
            Field("error_details_json", OptionType(STRING)),
        ),
        pascal_case(name) + "Result",
    )


def column_defaults(table: TableDeclaration) -> tuple[tuple[str, bytes], ...]:
    """BSATN of the columns' values in rows that were written before there were these columns.

    Columns of keys have none: two rows would be one.

    Raises:
        DeclarationError: a default is no value of its column.
    """
    keyed = {table.primary_key, table.auto_increment, *table.unique}
    types = {element.name: element.type for element in table.row_type.elements}
    found = []
    for name, value in table.defaults.items():
        try:
            if name not in keyed:
                found.append((name, compile_codec(types[name]).encode(value)))
        except EncodeError as error:
            raise DeclarationError(f"default of {table.name}.{name}: {error}") from None
    return tuple(found)


def _table(module: Module, table: TableDeclaration) -> TableSchema:
    schedule = module.schedules.get(table.name)
    keyed = () if table.primary_key is None else (table.primary_key,)
    unique = tuple((column,) for column in dict.fromkeys((*keyed, *table.unique)))
    indexes = dict.fromkeys((*unique, *table.indexes))
    return TableSchema(
        name=table.name,
        row_type=table.row_type,
        primary_key=table.primary_key_position,
        unique=unique,
        indexes=tuple(IndexSchema(index_name(table.name, columns), columns) for columns in indexes),
        sequences=() if table.auto_increment is None else (table.auto_increment,),
        is_public=table.is_public,
        is_event=table.is_event,
        schedule=(
            None
            if schedule is None
            else ScheduleSchema(schedule.reducer.name, schedule.column_name)
        ),
        defaults=column_defaults(table),
    )
