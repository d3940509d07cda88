from __future__ import annotations

from dataclasses import replace

import pytest
from sample_schema import BOOM, MOOD, POINT, SAMPLE

from protocol.errors import SchemaError
from protocol.schema import (
    FunctionSchema,
    ModuleSchema,
    TableSchema,
    ViewSchema,
    constraint_name,
    index_name,
    named_types,
    pascal_case,
    row_type_name,
    sequence_name,
    visible_part,
)
from protocol.types import (
    U8,
    U32,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    ProductType,
    ResultType,
)


def test_default_names():
    assert index_name("item", ("a", "b")) == "item_a_b_idx_btree"
    assert constraint_name("item", ("a", "b")) == "item_a_b_key"
    assert sequence_name("item", "a") == "item_a_seq"
    assert pascal_case("battle_state") == "BattleState"


def test_positions_of_columns():
    table = SAMPLE.tables[0]
    assert table.position("owner") == 2
    with pytest.raises(SchemaError, match="no column nope"):
        table.position("nope")


def test_row_types_are_named_by_their_table_when_they_have_no_name():
    row = ProductType((Field("id", U32),))
    assert row_type_name(TableSchema("battle_state", row)) == "BattleState"
    assert row_type_name(TableSchema("x", BOOM)) == "Boom"
    assert list(named_types(ModuleSchema(views=(ViewSchema("my_view", row),)))) == ["MyView"]


def test_named_types_come_after_what_they_mention():
    names = list(named_types(SAMPLE))
    assert names.index("Point") < names.index("Player")
    assert names.index("Shape") < names.index("Item")
    assert set(names) == {
        *("Point", "Mood", "Shape", "Player", "Item", "Boom", "Timer", "Secret"),
    }


def test_types_are_found_in_functions_and_extras():
    deep = OptionType(ArrayType(ResultType(POINT, MOOD)))
    reducer = FunctionSchema("r", ProductType((Field("a", deep),)))
    assert list(named_types(ModuleSchema(reducers=(reducer,)))) == ["Point", "Mood"]
    procedure = FunctionSchema("p", returns=deep)
    assert list(named_types(ModuleSchema(procedures=(procedure,)))) == ["Point", "Mood"]
    assert list(named_types(ModuleSchema(types=(MOOD,)))) == ["Mood"]


def test_one_name_cannot_have_two_meanings():
    other = EnumType(("Sad",), name="Mood")
    with pytest.raises(SchemaError, match="named Mood"):
        named_types(ModuleSchema(types=(MOOD, other)))
    same = EnumType(("Calm", "Angry"), name="Mood")
    assert list(named_types(ModuleSchema(types=(MOOD, same)))) == ["Mood"]


def test_compound_types_inside_others_need_a_name():
    nameless = ProductType((Field("x", U8),))
    table = TableSchema("t", ProductType((Field("inner", OptionType(nameless)),)))
    with pytest.raises(SchemaError, match=r"T\.inner"):
        named_types(ModuleSchema(tables=(table,)))


def test_clients_see_no_function_that_a_table_schedules():
    tick = next(one for one in SAMPLE.reducers if one.name == "tick")
    open_tick = replace(tick, is_private=False)
    others = tuple(one for one in SAMPLE.reducers if one is not tick)
    seen = visible_part(replace(SAMPLE, reducers=(*others, open_tick)))
    assert [one.name for one in seen.reducers] == ["add_item", "move_to", "noop"]
    assert "secret" not in {table.name for table in seen.tables}
    without_table = replace(SAMPLE, tables=(), reducers=(open_tick,))
    assert visible_part(without_table).reducers == (open_tick,)
