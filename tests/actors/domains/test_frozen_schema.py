"""Domain 1.1: names, columns, their order and their types are the wire, and frozen.

``frozen_schema.txt`` says what clients rely on: a line for each table that they may read, each
view, each function with its input and answer, and each type. What is new may stay out of it until
clients rely on it; what is in it changes only with a new version of the schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from user_bench import MODULE

from protocol.types import (
    BOOL,
    I32,
    I64,
    IDENTITY,
    STRING,
    TIMESTAMP,
    U32,
    U64,
    UNIT,
    AlgebraicType,
    ArrayType,
    EnumType,
    OptionType,
    ProductType,
    SumType,
)

FROZEN = Path(__file__).with_name("frozen_schema.txt")
SCHEMA = MODULE.schema
SECRETS = ("seed", "rng", "settled_user_ids", "document_json", "password", "token")

_SCALARS = (
    (BOOL, "bool"),
    (STRING, "string"),
    (U32, "u32"),
    (U64, "u64"),
    (I32, "i32"),
    (I64, "i64"),
    (TIMESTAMP, "ts"),
    (IDENTITY, "Identity"),
    (UNIT, "unit"),
)


def _spell(kind: AlgebraicType) -> str:
    for scalar, name in _SCALARS:
        if kind == scalar:
            return name
    if isinstance(kind, OptionType):
        return f"opt<{_spell(kind.some)}>"
    if isinstance(kind, ArrayType):
        return f"list<{_spell(kind.element)}>"
    assert isinstance(kind, EnumType | ProductType | SumType)
    assert kind.name
    return kind.name


def _fields(kind: ProductType) -> str:
    return ", ".join(f"{element.name} {_spell(element.type)}" for element in kind.elements)


def _lines() -> Iterator[str]:
    for table in SCHEMA.tables:
        if table.is_public:
            key = (
                "" if table.primary_key is None else table.row_type.elements[table.primary_key].name
            )
            unique = " ".join(name for names in table.unique for name in names if name != key)
            indexes = sorted(
                name
                for index in table.indexes
                for name in index.columns
                if index.columns not in table.unique
            )
            yield (
                f"table {table.name} key={key} unique={unique} index={' '.join(indexes)}: "
                f"{_fields(table.row_type)}"
            )
    for view in SCHEMA.views:
        yield f"view {view.name}: {_fields(view.row_type)}"
    for reducer in SCHEMA.reducers:
        yield f"reducer {reducer.name}({_fields(reducer.params)})"
    for procedure in SCHEMA.procedures:
        assert isinstance(procedure.returns, ProductType)
        value = procedure.returns.elements[1].type
        yield f"procedure {procedure.name}({_fields(procedure.params)}): {_spell(value)}"
    for name, kind in _named_types().items():
        if isinstance(kind, EnumType):
            yield f"enum {name}: {', '.join(kind.variants)}"
        elif isinstance(kind, SumType):
            yield f"sum {name}: {', '.join(variant.name for variant in kind.variants)}"
        elif isinstance(kind, ProductType):
            yield f"struct {name}: {_fields(kind)}"


def _named_types() -> dict[str, AlgebraicType]:
    """Every type that a client meets beyond scalars, by name."""
    found: dict[str, AlgebraicType] = {}
    rows = (table.row_type for table in SCHEMA.tables if table.is_public)
    params = (function.params for function in (*SCHEMA.reducers, *SCHEMA.procedures))
    for fields in (*rows, *params):
        for element in fields.elements:
            _collect(element.type, found)
    for view in SCHEMA.views:
        _collect(view.row_type, found)
    for procedure in SCHEMA.procedures:
        assert isinstance(procedure.returns, ProductType)
        _collect(procedure.returns.elements[1].type, found)
    return found


def _collect(kind: AlgebraicType, found: dict[str, AlgebraicType]) -> None:
    if any(kind == scalar for scalar, _ in _SCALARS) or _is_named(kind, found):
        return
    if isinstance(kind, OptionType):
        _collect(kind.some, found)
    elif isinstance(kind, ArrayType):
        _collect(kind.element, found)
    else:
        assert isinstance(kind, EnumType | ProductType | SumType)
        assert kind.name
        found[kind.name] = kind
        if isinstance(kind, ProductType):
            for element in kind.elements:
                _collect(element.type, found)
        elif isinstance(kind, SumType):
            for variant in kind.variants:
                _collect(variant.type, found)


def _is_named(kind: AlgebraicType, found: dict[str, AlgebraicType]) -> bool:
    name = getattr(kind, "name", None)
    if name in found:
        assert found[name] == kind, f"two types are named {name}"
        return True
    return False


def test_what_clients_rely_on_stays_as_it_is() -> None:
    frozen = FROZEN.read_text(encoding="utf-8").splitlines()
    assert len(frozen) > 100
    assert sorted(set(frozen) - set(_lines())) == []


def test_nothing_that_is_secret_has_a_place_in_what_clients_get() -> None:
    names = {
        element.name
        for kind in _named_types().values()
        if isinstance(kind, ProductType)
        for element in kind.elements
    }
    names.update(
        element.name
        for table in SCHEMA.tables
        if table.is_public
        for element in table.row_type.elements
    )
    assert {"hp", "level", "request_id"} <= names
    secret = {name for name in names if any(one in name for one in SECRETS)}
    assert secret == {"draft_document_json", "seed_text"}, "what authors send of their worlds"


def test_rows_of_private_tables_are_no_part_of_any_answer() -> None:
    private = {table.row_type.name for table in SCHEMA.tables if not table.is_public}
    assert len(private) > 10
    assert private.isdisjoint(_named_types())
