from __future__ import annotations

from dataclasses import replace

import pytest
from sample_schema import BOOM, ITEM, MOOD, SAMPLE, TIMER

from protocol.errors import SchemaError
from protocol.schema import (
    FunctionSchema,
    IndexSchema,
    Lifecycle,
    ModuleSchema,
    ScheduleSchema,
    TableSchema,
    ViewSchema,
)
from protocol.schema_rules import check_name, check_schema
from protocol.types import SCHEDULE_AT, STRING, U8, U32, U64, EnumType, Field, ProductType, SumType

ROW = ProductType((Field("id", U64), Field("name", STRING)), name="Row")
GOOD = TableSchema(
    "row",
    ROW,
    primary_key=0,
    unique=(("id",),),
    indexes=(IndexSchema("row_id_idx_btree", ("id",)),),
    sequences=("id",),
)
TICK = FunctionSchema("tick", ProductType((Field("timer", TIMER),)))
TIMERS = TableSchema(
    "timers",
    TIMER,
    primary_key=0,
    unique=(("scheduled_id",),),
    indexes=(IndexSchema("timers_idx", ("scheduled_id",)),),
    schedule=ScheduleSchema("tick", "scheduled_at"),
)


def with_table(**changes: object) -> ModuleSchema:
    return ModuleSchema(tables=(replace(GOOD, **changes),))


def test_good_schemas_pass():
    check_schema(SAMPLE)
    check_schema(ModuleSchema())
    check_schema(with_table())
    check_schema(ModuleSchema(tables=(TIMERS,), reducers=(TICK,)))
    check_schema(
        with_table(
            unique=(("id",), ("name", "id")),
            indexes=(*GOOD.indexes, IndexSchema("both", ("id", "name"))),
        )
    )


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "e\u0301", "a.b"])
def test_names_have_to_be_identifiers(name):
    with pytest.raises(SchemaError, match="identifier"):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "_a", "\u00e9", "名前", "a1"])
def test_good_names(name):
    check_name(name)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (with_table(name="Select"), "reserved"),
        (with_table(row_type=ProductType(())), "no columns"),
        (with_table(row_type=ProductType((Field("a", U8), Field("a", U8)))), "a is there twice"),
        (with_table(row_type=ProductType((Field("a-b", U8),))), "identifier"),
        (with_table(primary_key=2), "no column 2"),
        (with_table(unique=()), "primary key is not unique"),
        (with_table(indexes=()), "has no index"),
        (with_table(unique=(("id",), ("name",))), r"unique \(name\) has no index"),
        (with_table(unique=(("id",), ())), "without columns"),
        (with_table(unique=(("id",), ("id", "id"))), "id is there twice"),
        (with_table(unique=(("id",), ("nope",))), "no column nope"),
        (with_table(indexes=(*GOOD.indexes, IndexSchema("x", ("nope",)))), "no column nope"),
        (with_table(indexes=(*GOOD.indexes, *GOOD.indexes)), "row_id_idx_btree is there twice"),
        (with_table(indexes=(IndexSchema("row", ("id",)),)), "row is there twice"),
        (with_table(sequences=("name",)), "not an integer"),
        (ModuleSchema(tables=(GOOD, GOOD)), "twice"),
        (ModuleSchema(tables=(GOOD,), views=(ViewSchema("row", ITEM),)), "row is there twice"),
        (ModuleSchema(views=(ViewSchema("v", ProductType(())),)), "no columns"),
        (ModuleSchema(views=(ViewSchema("v", BOOM, primary_key="nope"),)), "no column nope"),
        (ModuleSchema(views=(ViewSchema("from", BOOM),)), "reserved"),
        (
            ModuleSchema(
                reducers=(FunctionSchema("f"),), procedures=(FunctionSchema("f", returns=U8),)
            ),
            "f is there twice",
        ),
        (
            ModuleSchema(reducers=(FunctionSchema("f"),), views=(ViewSchema("f", BOOM),)),
            "f is there twice",
        ),
        (ModuleSchema(reducers=(FunctionSchema("f", returns=U8),)), "returns a value"),
        (ModuleSchema(procedures=(FunctionSchema("f"),)), "no return type"),
        (
            ModuleSchema(procedures=(FunctionSchema("f", returns=U8, lifecycle=Lifecycle.INIT),)),
            "lifecycle",
        ),
        (
            ModuleSchema(reducers=(replace(TICK, lifecycle=Lifecycle.INIT),)),
            "takes arguments",
        ),
        (
            ModuleSchema(
                reducers=(
                    FunctionSchema("a", lifecycle=Lifecycle.INIT),
                    FunctionSchema("b", lifecycle=Lifecycle.INIT),
                )
            ),
            "Init is there twice",
        ),
        (
            ModuleSchema(
                reducers=(FunctionSchema("f", ProductType((Field("a", U8), Field("a", U8)))),)
            ),
            "a is there twice",
        ),
        (ModuleSchema(tables=(TIMERS,)), "no function tick"),
        (
            ModuleSchema(tables=(TIMERS,), reducers=(FunctionSchema("tick"),)),
            "does not take its row",
        ),
        (
            ModuleSchema(
                tables=(replace(TIMERS, schedule=ScheduleSchema("tick", "note")),),
                reducers=(TICK,),
            ),
            "not a ScheduleAt",
        ),
        (
            ModuleSchema(
                tables=(replace(TIMERS, primary_key=None),),
                reducers=(TICK,),
            ),
            "u64 primary key",
        ),
        (
            ModuleSchema(
                tables=(
                    replace(
                        TIMERS,
                        row_type=ProductType(
                            (Field("scheduled_id", U32), Field("scheduled_at", SCHEDULE_AT))
                        ),
                    ),
                ),
                reducers=(TICK,),
            ),
            "u64 primary key",
        ),
        (ModuleSchema(types=(EnumType(("A", "A"), name="Twice"),)), "A is there twice"),
        (
            ModuleSchema(types=(SumType((Field("A", U8), Field("A", MOOD)), name="Twice"),)),
            "A is there twice",
        ),
        (ModuleSchema(types=(EnumType(("A",), name="no-name"),)), "identifier"),
    ],
)
def test_broken_rules(schema, message):
    with pytest.raises(SchemaError, match=message):
        check_schema(schema)
