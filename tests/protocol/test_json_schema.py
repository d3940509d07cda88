from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import jsonschema_rs
import pytest
from algebraic_strategies import typed_values
from hypothesis import given
from sample_schema import SAMPLE

from protocol.json_schema import definitions, to_json_schema
from protocol.sats_json import compile_json
from protocol.schema import FunctionSchema, ModuleSchema, TableSchema
from protocol.types import (
    BOOL,
    BYTES,
    F64,
    I8,
    I256,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    U64,
    U128,
    UUID,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    ProductType,
    ResultType,
    SumType,
)

HUE = EnumType(("Red", "Green"), name="Hue")
FORM = SumType((Field("Dot", U64), Field("Colour", HUE)), name="Form")


def validator(schema: ModuleSchema, name: str) -> jsonschema_rs.Validator:
    document = to_json_schema(schema, "test")
    return jsonschema_rs.validator_for({**document, "$ref": f"#/$defs/{name}"})


def of_argument(type_) -> jsonschema_rs.Validator:
    params = ProductType((Field("value", type_),))
    return validator(ModuleSchema(reducers=(FunctionSchema("f", params),)), "reducers.f")


def test_it_is_a_document_of_the_draft_that_it_names():
    document = to_json_schema(SAMPLE, "sample")
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(document)
    assert json.loads(json.dumps(document)) == document


def named_apart(type_, numbers: Iterator[int]):
    """The same type with a name of its own for each compound in it."""
    match type_:
        case ArrayType(element):
            return ArrayType(named_apart(element, numbers))
        case OptionType(some):
            return OptionType(named_apart(some, numbers))
        case ResultType(ok, err):
            return ResultType(named_apart(ok, numbers), named_apart(err, numbers))
        case ProductType(elements) if elements:
            named = tuple(Field(one.name, named_apart(one.type, numbers)) for one in elements)
            return replace(type_, elements=named, name=f"Type{next(numbers)}")
        case SumType(variants):
            named = tuple(Field(one.name, named_apart(one.type, numbers)) for one in variants)
            return replace(type_, variants=named, name=f"Type{next(numbers)}")
        case EnumType():
            return replace(type_, name=f"Type{next(numbers)}")
        case ProductType():
            return replace(type_, name=None)
        case _:
            return type_


@given(typed_values)
def test_what_is_written_is_valid(typed):
    type_, value = typed
    apart = named_apart(type_, count())
    structure = {"value": compile_json(type_).to_typed(value)}
    assert of_argument(apart).is_valid(structure)


@pytest.mark.parametrize(
    ("type_", "structure"),
    [
        (BOOL, 1),
        (I8, 128),
        (I8, -129),
        (U64, -1),
        (U64, 2**64),
        (U64, 1.5),
        (U128, 2**128),
        (I256, "2a"),
        (I256, 42),
        (F64, "1"),
        (STRING, None),
        (BYTES, "0"),
        (BYTES, "zz"),
        (IDENTITY, "0x2a"),
        (IDENTITY, {"__identity__": 42}),
        (UUID, {"__uuid__": -1}),
        (SCHEDULE_AT, {"Time": 1}),
        (HUE, "Red"),
        (HUE, {"Blue": []}),
        (HUE, {"Red": [1]}),
        (FORM, {"Dot": 1, "Colour": {"Red": []}}),
        (OptionType(STRING), {"some": None}),
        (ProductType((Field("x", U64),), name="Point"), {"x": 1, "y": 2}),
        (ProductType((Field("x", U64),), name="Point"), {}),
    ],
)
def test_what_no_codec_reads_is_not_valid(type_, structure):
    assert not of_argument(type_).is_valid({"value": structure})


def test_arguments_come_by_name_or_in_order():
    wanted = validator(SAMPLE, "reducers.add_item")
    for good in ({"name": "axe", "how_many": 3}, ["axe", 3]):
        assert wanted.is_valid(good)
    for bad in ({"name": "axe"}, ["axe"], ["axe", 3, 4], [3, "axe"], {"name": 1, "how_many": 1}):
        assert not wanted.is_valid(bad)
    nothing = validator(SAMPLE, "reducers.noop")
    assert nothing.is_valid([])
    assert nothing.is_valid({})
    assert not nothing.is_valid([1])


def test_what_clients_may_use_has_a_definition_and_nothing_else():
    names = set(definitions(SAMPLE))
    assert names >= {
        *("tables.player", "tables.boom", "views.my_items", "reducers.move_to"),
        *("procedures.add_two", "procedures.add_two.returns", "Point", "Mood", "Player"),
    }
    assert not names & {
        *("tables.secret", "Secret", "reducers.tick", "reducers.on_connect"),
    }


def test_references_begin_as_asked():
    wanted = definitions(SAMPLE, "#/components/schemas/")
    assert wanted["tables.item"] == {"$ref": "#/components/schemas/Item"}


def test_a_row_type_without_a_name_is_named_by_its_table():
    row = ProductType((Field("id", U64),))
    schema = ModuleSchema(tables=(TableSchema("big_thing", row),))
    assert validator(schema, "tables.big_thing").is_valid({"id": 1})
    assert "BigThing" in definitions(schema)
