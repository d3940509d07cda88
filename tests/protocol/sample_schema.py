"""A module definition with every kind of table, function, view and type."""

from __future__ import annotations

from protocol.schema import (
    FunctionSchema,
    IndexSchema,
    Lifecycle,
    ModuleSchema,
    ScheduleSchema,
    TableSchema,
    ViewSchema,
    index_name,
)
from protocol.types import (
    BOOL,
    BYTES,
    CONNECTION_ID,
    F32,
    F64,
    I32,
    I64,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    U32,
    U64,
    U128,
    UNIT,
    UUID,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    ProductType,
    SumType,
)

POINT = ProductType((Field("x", F32), Field("y_axis", F32)), name="Point")
MOOD = EnumType(("Calm", "Angry"), name="Mood")
SHAPE = SumType((Field("Circle", F32), Field("Spot", POINT), Field("Empty", UNIT)), name="Shape")

PLAYER = ProductType(
    (
        Field("id", U32),
        Field("display_name", STRING),
        Field("owner", IDENTITY),
        Field("conn", CONNECTION_ID),
        Field("hp", I32),
        Field("alive", BOOL),
        Field("score", F64),
        Field("seen", TIMESTAMP),
        Field("token", UUID),
        Field("blob", BYTES),
        Field("place", OptionType(POINT)),
        Field("mood", MOOD),
        Field("tags", ArrayType(STRING)),
        Field("took", TIME_DURATION),
    ),
    name="Player",
)
ITEM = ProductType(
    (
        Field("id", U64),
        Field("player_id", U32),
        Field("kind", STRING),
        Field("shapes", ArrayType(SHAPE)),
        Field("weight", F32),
        Field("huge", U128),
        Field("class", U8),
    ),
    name="Item",
)
BOOM = ProductType((Field("id", U32), Field("text", STRING)), name="Boom")
TIMER = ProductType(
    (Field("scheduled_id", U64), Field("scheduled_at", SCHEDULE_AT), Field("note", STRING)),
    name="Timer",
)
SECRET = ProductType((Field("key", STRING), Field("value", I64)), name="Secret")


def _index(table: str, *columns: str, accessor: str | None = None) -> IndexSchema:
    return IndexSchema(index_name(table, columns), columns, accessor)


SAMPLE = ModuleSchema(
    tables=(
        TableSchema(
            "player",
            PLAYER,
            primary_key=0,
            unique=(("id",), ("owner",)),
            indexes=(_index("player", "id"), _index("player", "owner")),
        ),
        TableSchema(
            "item",
            ITEM,
            primary_key=0,
            unique=(("id",), ("player_id", "kind")),
            indexes=(
                _index("item", "id"),
                _index("item", "player_id"),
                _index("item", "player_id", "kind", accessor="by_kind"),
            ),
            sequences=("id",),
        ),
        TableSchema("boom", BOOM, is_event=True),
        TableSchema(
            "tick_timer",
            TIMER,
            primary_key=0,
            unique=(("scheduled_id",),),
            indexes=(_index("tick_timer", "scheduled_id"),),
            sequences=("scheduled_id",),
            schedule=ScheduleSchema("tick", "scheduled_at"),
        ),
        TableSchema("secret", SECRET, is_public=False),
    ),
    reducers=(
        FunctionSchema("add_item", ProductType((Field("name", STRING), Field("how_many", I32)))),
        FunctionSchema("move_to", ProductType((Field("where", POINT), Field("mood", MOOD)))),
        FunctionSchema("noop"),
        FunctionSchema("tick", ProductType((Field("timer", TIMER),)), is_private=True),
        FunctionSchema("on_connect", lifecycle=Lifecycle.ON_CONNECT),
    ),
    procedures=(
        FunctionSchema("add_two", ProductType((Field("a", U64), Field("b", U64))), returns=U64),
        FunctionSchema("where_am_i", returns=OptionType(POINT)),
    ),
    views=(
        ViewSchema("my_items", ITEM, primary_key="id"),
        ViewSchema("top_players", PLAYER, is_anonymous=True),
    ),
)
