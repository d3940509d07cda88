from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sample_schema import ITEM, SAMPLE

from actors.module.module import Module
from protocol.errors import SchemaError
from protocol.schema import ModuleSchema, ViewSchema, named_types
from protocol.schema_json import product_json, to_v10_json
from protocol.schema_reading import read_product_json, read_v10_json
from protocol.types import (
    CONNECTION_ID,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    UNIT,
    UUID,
    ArrayType,
    Field,
    OptionType,
    ProductType,
    ResultType,
    SumType,
)


def spelled(schema: ModuleSchema) -> object:
    return json.loads(json.dumps(to_v10_json(schema)))


def test_what_was_printed_is_read_back():
    found = read_v10_json(spelled(SAMPLE))
    assert replace(found, types=()) == SAMPLE
    assert named_types(found) == named_types(SAMPLE)
    assert found.tables[0].row_type.name == "Player"


@pytest.mark.parametrize("name", ["examples.chat", "examples.bank", "actors.domains.entry"])
def test_a_module_reads_back_as_it_is(name):
    schema = Module.load(name).schema
    assert spelled(read_v10_json(spelled(schema))) == spelled(schema)


def test_default_values():
    player = replace(SAMPLE.tables[0], defaults=(("display_name", b"\x00" * 4), ("hp", b"\x01")))
    schema = replace(SAMPLE, tables=(player, *SAMPLE.tables[1:]))
    tables = next(one["Tables"] for one in spelled(schema)["sections"] if "Tables" in one)
    assert tables[0]["default_values"] == [
        {"col_id": 1, "value": "00000000"},
        {"col_id": 4, "value": "01"},
    ]
    assert read_v10_json(spelled(schema)).tables[0].defaults == player.defaults


def test_sections_that_are_missing_or_new_do_not_matter():
    small = ModuleSchema(views=(ViewSchema("items", ITEM),))
    definition = spelled(small)
    kept = [one for one in definition["sections"] if not {"Schedules", "Procedures"} & one.keys()]
    found = read_v10_json({"sections": [*kept, {"Submodules": [{"no": "idea"}]}]})
    assert found.views == small.views


@pytest.mark.parametrize(
    "type_",
    [
        *(IDENTITY, CONNECTION_ID, TIMESTAMP, TIME_DURATION, UUID, SCHEDULE_AT, UNIT),
        ArrayType(U8),
        OptionType(ArrayType(STRING)),
        ResultType(U8, OptionType(STRING)),
        SumType((Field("a", U8), Field("b", UNIT))),
    ],
)
def test_types_on_their_own(type_):
    product = ProductType((Field("value", type_),))
    assert read_product_json(json.loads(json.dumps(product_json(product)))) == product


def test_a_sum_of_the_module_that_looks_like_an_option_stays_one():
    named = SumType((Field("some", U8), Field("none", UNIT)), name="Maybe")
    row = ProductType((Field("value", named),), name="Row")
    found = read_v10_json(spelled(ModuleSchema(types=(row,))))
    assert named_types(found)["Maybe"] == named


@pytest.mark.parametrize(
    "definition",
    [
        *(None, 7, [], {}, {"sections": {}}, {"sections": [{"Tables": []}]}),
        {"sections": [{"Typespace": {"types": []}}, {"Tables": [{}]}]},
        {
            "sections": [
                {"Typespace": {"types": [{"Array": {"Ref": 0}}]}},
                {"Types": [{"source_name": {"source_name": "Loop"}, "ty": 0}]},
            ]
        },
    ],
)
def test_what_is_no_definition(definition):
    with pytest.raises(SchemaError):
        read_v10_json(definition)


def test_what_is_no_product():
    with pytest.raises(SchemaError):
        read_product_json({"elements": [{"name": {"none": []}, "algebraic_type": {"U8": []}}]})
