"""Module definition as the schema JSON of the official tools, versions 9 and 10 (wire spec 13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from protocol.schema import (
    FunctionSchema,
    ModuleSchema,
    NamedType,
    TableSchema,
    ViewSchema,
    constraint_name,
    named_types,
    row_type_name,
    sequence_name,
)
from protocol.types import (
    CONNECTION_ID,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    UNIT,
    UUID,
    AlgebraicType,
    ArrayType,
    EnumType,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
)

__all__ = ["Json", "product_json", "to_v9_json", "to_v10_json", "type_json"]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool"
"""What the schema is made of; any JSON library can dump it."""

_NONE: Json = {"none": []}

_SPECIAL_PRODUCTS: Mapping[AlgebraicType, tuple[str, str]] = {
    IDENTITY: ("__identity__", "U256"),
    CONNECTION_ID: ("__connection_id__", "U128"),
    TIMESTAMP: ("__timestamp_micros_since_unix_epoch__", "I64"),
    TIME_DURATION: ("__time_duration_micros__", "I64"),
    UUID: ("__uuid__", "U128"),
}


def _some(value: Json) -> Json:
    return {"some": value}


def _elements(fields: Iterable[tuple[str, Json]]) -> list[Json]:
    return [{"name": _some(name), "algebraic_type": type_} for name, type_ in fields]


def _product(fields: Iterable[tuple[str, Json]]) -> Json:
    return {"Product": {"elements": _elements(fields)}}


def _sum(variants: Iterable[tuple[str, Json]]) -> Json:
    return {"Sum": {"variants": _elements(variants)}}


class _Printer:
    """Prints types; a named type is a reference into the typespace."""

    def __init__(self, names: Iterable[str]) -> None:
        self.refs = {name: position for position, name in enumerate(names)}

    def use(self, type_: AlgebraicType) -> Json:
        """Print a type where it is used."""
        if isinstance(type_, Primitive):
            return self._primitive(type_)
        if isinstance(type_, ArrayType):
            return {"Array": self.use(type_.element)}
        if isinstance(type_, OptionType):
            return _sum((("some", self.use(type_.some)), ("none", _product(()))))
        if isinstance(type_, ResultType):
            return _sum((("ok", self.use(type_.ok)), ("err", self.use(type_.err))))
        if type_.name is not None and type_.name in self.refs:
            return {"Ref": self.refs[type_.name]}
        return self.definition(type_)

    def definition(self, type_: NamedType) -> Json:
        """Print a compound type's structure, one level deep."""
        if isinstance(type_, ProductType):
            return _product((field.name, self.use(field.type)) for field in type_.elements)
        if isinstance(type_, EnumType):
            return _sum((variant, _product(())) for variant in type_.variants)
        return _sum((variant.name, self.use(variant.type)) for variant in type_.variants)

    def params(self, function: FunctionSchema) -> Json:
        fields = ((field.name, self.use(field.type)) for field in function.params.elements)
        return {"elements": _elements(fields)}

    def _primitive(self, type_: Primitive) -> Json:
        if type_ == SCHEDULE_AT:
            return _sum((("Interval", self.use(TIME_DURATION)), ("Time", self.use(TIMESTAMP))))
        special = _SPECIAL_PRODUCTS.get(type_)
        if special is None:
            return {type_.name: []}
        return _product(((special[0], {special[1]: []}),))


def type_json(type_: AlgebraicType) -> Json:
    """Print a type on its own, compound types inline."""
    return _Printer(()).use(type_)


def product_json(type_: ProductType) -> Json:
    """Print a product's elements, compound types inline: the schema of an HTTP query's answer."""
    printer = _Printer(())
    fields = ((field.name, printer.use(field.type)) for field in type_.elements)
    return {"elements": _elements(fields)}


def _columns(table: TableSchema, names: Iterable[str]) -> Json:
    return [table.position(name) for name in names]


def _primary_key(table: TableSchema) -> Json:
    return [] if table.primary_key is None else [table.primary_key]


def _table_parts(table: TableSchema, name_key: str) -> dict[str, Json]:
    """Indexes, constraints and sequences; both versions differ in the key of their names only."""
    indexes: list[Json] = [
        {
            name_key: _some(index.name),
            "accessor_name": _some(index.accessor or "_".join(index.columns)),
            "algorithm": {"BTree": _columns(table, index.columns)},
        }
        for index in table.indexes
    ]
    constraints: list[Json] = [
        {
            name_key: _some(constraint_name(table.name, columns)),
            "data": {"Unique": {"columns": _columns(table, columns)}},
        }
        for columns in table.unique
    ]
    sequences: list[Json] = [
        {
            name_key: _some(sequence_name(table.name, column)),
            "column": table.position(column),
            "start": _NONE,
            "min_value": _NONE,
            "max_value": _NONE,
            "increment": 1,
        }
        for column in table.sequences
    ]
    return {"indexes": indexes, "constraints": constraints, "sequences": sequences}


def _access(table: TableSchema) -> Json:
    return {"Public": []} if table.is_public else {"Private": []}


def _table_v9(table: TableSchema, printer: _Printer) -> Json:
    schedule: Json = _NONE
    if table.schedule is not None:
        schedule = _some(
            {
                "name": _NONE,
                "reducer_name": table.schedule.function,
                "scheduled_at_column": table.position(table.schedule.column),
            }
        )
    return {
        "name": table.name,
        "product_type_ref": printer.refs[row_type_name(table)],
        "primary_key": _primary_key(table),
        **_table_parts(table, "name"),
        "schedule": schedule,
        "table_type": {"User": []},
        "table_access": _access(table),
    }


def _table_v10(table: TableSchema, printer: _Printer) -> Json:
    return {
        "source_name": table.name,
        "product_type_ref": printer.refs[row_type_name(table)],
        "primary_key": _primary_key(table),
        **_table_parts(table, "source_name"),
        "table_type": {"User": []},
        "table_access": _access(table),
        "default_values": [
            {"col_id": table.position(column), "value": value.hex()}
            for column, value in table.defaults
        ],
        "is_event": table.is_event,
    }


def _view(view: ViewSchema, index: int, printer: _Printer, name_key: str) -> dict[str, Json]:
    return {
        name_key: view.name,
        "index": index,
        "is_public": True,
        "is_anonymous": view.is_anonymous,
        "params": {"elements": []},
        "return_type": {"Array": {"Ref": printer.refs[row_type_name(view)]}},
    }


def _views(schema: ModuleSchema, printer: _Printer, name_key: str) -> list[dict[str, Json]]:
    """Print views; anonymous ones and the others are two lists, each numbered from 0."""
    counts = {True: 0, False: 0}
    views = []
    for view in schema.views:
        views.append(_view(view, counts[view.is_anonymous], printer, name_key))
        counts[view.is_anonymous] += 1
    return views


def to_v9_json(schema: ModuleSchema) -> dict[str, Json]:
    """Print a checked module definition as a bare V9 definition.

    V9 cannot tell event tables, private functions or primary keys of views: they are printed as
    their plain counterparts. The official code generator wants it wrapped: ``{"V9": ...}``.
    """
    types = named_types(schema)
    printer = _Printer(types)
    exports: list[Json] = [
        {
            "Procedure": {
                "name": procedure.name,
                "params": printer.params(procedure),
                "return_type": printer.use(procedure.returns or UNIT),
            }
        }
        for procedure in schema.procedures
    ]
    exports += [{"View": view} for view in _views(schema, printer, "name")]
    exports += [
        {
            "ColumnDefaultValue": {
                "table": table.name,
                "col_id": table.position(column),
                "value": value.hex(),
            }
        }
        for table in schema.tables
        for column, value in table.defaults
    ]
    return {
        "typespace": {"types": [printer.definition(type_) for type_ in types.values()]},
        "tables": [_table_v9(table, printer) for table in schema.tables],
        "reducers": [
            {
                "name": reducer.name,
                "params": printer.params(reducer),
                "lifecycle": _some({reducer.lifecycle.value: []}) if reducer.lifecycle else _NONE,
            }
            for reducer in schema.reducers
        ],
        "types": [
            {"name": {"scope": [], "name": name}, "ty": ref, "custom_ordering": True}
            for name, ref in printer.refs.items()
        ],
        "misc_exports": exports,
        "row_level_security": [],
    }


def _visibility(function: FunctionSchema) -> Json:
    hidden = function.is_private or function.lifecycle is not None
    return {"Private": []} if hidden else {"ClientCallable": []}


def _functions_v10(schema: ModuleSchema, printer: _Printer) -> list[Json]:
    reducers: list[Json] = [
        {
            "source_name": reducer.name,
            "params": printer.params(reducer),
            "visibility": _visibility(reducer),
            "ok_return_type": _product(()),
            "err_return_type": printer.use(STRING),
        }
        for reducer in schema.reducers
    ]
    procedures: list[Json] = [
        {
            "source_name": procedure.name,
            "params": printer.params(procedure),
            "return_type": printer.use(procedure.returns or UNIT),
            "visibility": _visibility(procedure),
        }
        for procedure in schema.procedures
    ]
    lifecycle: list[Json] = [
        {"lifecycle_spec": {reducer.lifecycle.value: []}, "function_name": reducer.name}
        for reducer in schema.reducers
        if reducer.lifecycle is not None
    ]
    return [{"Reducers": reducers}, {"Procedures": procedures}, {"LifeCycleReducers": lifecycle}]


def to_v10_json(schema: ModuleSchema) -> dict[str, Json]:
    """Print a checked module definition as a bare V10 definition.

    Names are not converted on the wire, so the case conversion policy is given as ``None``.
    """
    types = named_types(schema)
    printer = _Printer(types)
    schedules: list[Json] = [
        {
            "source_name": _NONE,
            "table_name": table.name,
            "schedule_at_col": table.position(table.schedule.column),
            "function_name": table.schedule.function,
        }
        for table in schema.tables
        if table.schedule is not None
    ]
    view_keys: list[Json] = [
        {"view_source_name": view.name, "columns": [view.primary_key]}
        for view in schema.views
        if view.primary_key is not None
    ]
    views: list[Json] = [*_views(schema, printer, "source_name")]
    sections: list[Json] = [
        {"Typespace": {"types": [printer.definition(type_) for type_ in types.values()]}},
        {
            "Types": [
                {
                    "source_name": {"scope": [], "source_name": name},
                    "ty": ref,
                    "custom_ordering": True,
                }
                for name, ref in printer.refs.items()
            ]
        },
        {"Tables": [_table_v10(table, printer) for table in schema.tables]},
        *_functions_v10(schema, printer),
        {"Views": views},
        {"ViewPrimaryKeys": view_keys},
        {"Schedules": schedules},
        {"CaseConversionPolicy": {"None": []}},
    ]
    return {"sections": sections}
