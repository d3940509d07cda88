from __future__ import annotations

import json
from typing import Any

import orjson
from sample_schema import MOOD, POINT, SAMPLE, SHAPE

from protocol.schema import (
    FunctionSchema,
    IndexSchema,
    Lifecycle,
    ModuleSchema,
    TableSchema,
    ViewSchema,
)
from protocol.schema_json import to_v9_json, to_v10_json, type_json
from protocol.types import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    U64,
    UNIT,
    UUID,
    Field,
    OptionType,
    ProductType,
    ResultType,
)

ITEM = ProductType(
    (Field("id", U64), Field("item_name", STRING), Field("owner", IDENTITY)), name="Item"
)
WORKED = ModuleSchema(
    tables=(
        TableSchema(
            "item",
            ITEM,
            primary_key=0,
            unique=(("id",),),
            indexes=(IndexSchema("item_id_idx_btree", ("id",)),),
            sequences=("id",),
        ),
    ),
    reducers=(
        FunctionSchema("add_item", ProductType((Field("name", STRING),))),
        FunctionSchema("on_connect", lifecycle=Lifecycle.ON_CONNECT),
    ),
    procedures=(FunctionSchema("add_two", returns=U64),),
    views=(ViewSchema("my_item", ITEM),),
)
EXAMPLE = """
{"typespace":{"types":[{"Product":{"elements":[
   {"name":{"some":"id"},"algebraic_type":{"U64":[]}},
   {"name":{"some":"item_name"},"algebraic_type":{"String":[]}},
   {"name":{"some":"owner"},"algebraic_type":{"Product":{"elements":[
     {"name":{"some":"__identity__"},"algebraic_type":{"U256":[]}}]}}}]}}]},
 "tables":[{"name":"item","product_type_ref":0,"primary_key":[0],
   "indexes":[{"name":{"some":"item_id_idx_btree"},"accessor_name":{"some":"id"},
     "algorithm":{"BTree":[0]}}],
   "constraints":[{"name":{"some":"item_id_key"},"data":{"Unique":{"columns":[0]}}}],
   "sequences":[{"name":{"some":"item_id_seq"},"column":0,"start":{"none":[]},
     "min_value":{"none":[]},"max_value":{"none":[]},"increment":1}],
   "schedule":{"none":[]},"table_type":{"User":[]},"table_access":{"Public":[]}}],
 "reducers":[{"name":"add_item","params":{"elements":[
     {"name":{"some":"name"},"algebraic_type":{"String":[]}}]},"lifecycle":{"none":[]}},
   {"name":"on_connect","params":{"elements":[]},"lifecycle":{"some":{"OnConnect":[]}}}],
 "types":[{"name":{"scope":[],"name":"Item"},"ty":0,"custom_ordering":true}],
 "misc_exports":[{"Procedure":{"name":"add_two","params":{"elements":[]},
     "return_type":{"U64":[]}}},
   {"View":{"name":"my_item","index":0,"is_public":true,"is_anonymous":false,
     "params":{"elements":[]},"return_type":{"Array":{"Ref":0}}}}],
 "row_level_security":[]}
"""


def sections(schema: ModuleSchema) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for section in json.loads(orjson.dumps(to_v10_json(schema)))["sections"]:
        ((name, content),) = section.items()
        assert name not in found
        found[name] = content
    return found


def test_v9_is_the_worked_example():
    assert to_v9_json(WORKED) == json.loads(EXAMPLE)


def test_v9_schedules_and_refs():
    v9 = json.loads(orjson.dumps(to_v9_json(SAMPLE)))
    names = [one["name"]["name"] for one in v9["types"]]
    assert [one["ty"] for one in v9["types"]] == list(range(len(names)))
    timer = next(table for table in v9["tables"] if table["name"] == "tick_timer")
    assert timer["schedule"] == {
        "some": {"name": {"none": []}, "reducer_name": "tick", "scheduled_at_column": 1}
    }
    assert names[timer["product_type_ref"]] == "Timer"
    player = v9["typespace"]["types"][names.index("Player")]["Product"]["elements"]
    assert player[11]["algebraic_type"] == {"Ref": names.index("Mood")}
    secret = next(table for table in v9["tables"] if table["name"] == "secret")
    assert secret["table_access"] == {"Private": []}


def test_v10_sections():
    v10 = sections(SAMPLE)
    assert v10["CaseConversionPolicy"] == {"None": []}
    assert v10["Typespace"] == to_v9_json(SAMPLE)["typespace"]
    assert [table["is_event"] for table in v10["Tables"]] == [False, False, True, False, False]
    visibility = {one["source_name"]: one["visibility"] for one in v10["Reducers"]}
    assert visibility["add_item"] == {"ClientCallable": []}
    assert visibility["tick"] == visibility["on_connect"] == {"Private": []}
    assert v10["Reducers"][0]["ok_return_type"] == {"Product": {"elements": []}}
    assert v10["Reducers"][0]["err_return_type"] == {"String": []}
    assert v10["LifeCycleReducers"] == [
        {"lifecycle_spec": {"OnConnect": []}, "function_name": "on_connect"}
    ]
    assert v10["Schedules"] == [
        {
            "source_name": {"none": []},
            "table_name": "tick_timer",
            "schedule_at_col": 1,
            "function_name": "tick",
        }
    ]
    assert v10["ViewPrimaryKeys"] == [{"view_source_name": "my_items", "columns": ["id"]}]


def test_v10_table_has_all_its_fields():
    assert set(sections(WORKED)["Tables"][0]) == {
        *("source_name", "product_type_ref", "primary_key", "indexes", "constraints"),
        *("sequences", "table_type", "table_access", "default_values", "is_event"),
    }


def test_anonymous_views_are_numbered_on_their_own():
    views = {one["source_name"]: one for one in sections(SAMPLE)["Views"]}
    assert (views["my_items"]["index"], views["my_items"]["is_anonymous"]) == (0, False)
    assert (views["top_players"]["index"], views["top_players"]["is_anonymous"]) == (0, True)


def _product(*fields: tuple[str, Any]) -> dict[str, Any]:
    elements = [{"name": {"some": name}, "algebraic_type": type_} for name, type_ in fields]
    return {"Product": {"elements": elements}}


def _sum(*variants: tuple[str, Any]) -> dict[str, Any]:
    elements = [{"name": {"some": name}, "algebraic_type": type_} for name, type_ in variants]
    return {"Sum": {"variants": elements}}


def test_types_on_their_own():
    micros = _product(("__time_duration_micros__", {"I64": []}))
    moment = _product(("__timestamp_micros_since_unix_epoch__", {"I64": []}))
    assert type_json(U8) == {"U8": []}
    assert type_json(BYTES) == {"Array": {"U8": []}}
    assert type_json(UNIT) == _product()
    assert type_json(CONNECTION_ID) == _product(("__connection_id__", {"U128": []}))
    assert type_json(UUID) == _product(("__uuid__", {"U128": []}))
    assert type_json(TIMESTAMP) == moment
    assert type_json(TIME_DURATION) == micros
    assert type_json(SCHEDULE_AT) == _sum(("Interval", micros), ("Time", moment))
    assert type_json(OptionType(U8)) == _sum(("some", {"U8": []}), ("none", _product()))
    assert type_json(ResultType(U8, STRING)) == _sum(("ok", {"U8": []}), ("err", {"String": []}))
    assert type_json(MOOD) == _sum(("Calm", _product()), ("Angry", _product()))
    point = _product(("x", {"F32": []}), ("y_axis", {"F32": []}))
    assert type_json(POINT) == point
    assert type_json(SHAPE) == _sum(("Circle", {"F32": []}), ("Spot", point), ("Empty", _product()))
