from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_schema import SAMPLE
from test_sql_parser import WORDS

from protocol.errors import SqlError
from protocol.limits import WINDOW_ROWS_MAX
from protocol.sql import (
    ALWAYS,
    SENDER,
    OneOf,
    SchemaCatalog,
    Selection,
    SemiJoin,
    compile_pair_predicate,
    compile_predicate,
    demand_of,
    query_error,
    resolve_query,
    uses_sender,
)
from protocol.sql.order import OrderColumn, Window
from protocol.sql.predicate import Column
from protocol.types import BOOL, F64, IDENTITY, STRING
from protocol.values import Identity

CATALOG = SchemaCatalog(SAMPLE)
HEX_IDENTITY = "c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"
ROW = {
    "id": 3,
    "display_name": "O'Neil",
    "owner": Identity(int(HEX_IDENTITY, 16)),
    "conn": 0xFF,
    "hp": 10,
    "alive": True,
    "score": -1.5,
    "seen": 1_739_788_245_123_456,
}


def resolve(text: str, *, subscription: bool = True):
    (query,) = resolve_query(text, CATALOG, subscription=subscription)
    return query


def passes(text: str, **changes: object) -> bool:
    query = resolve(text)
    test = compile_predicate(query.predicate)
    return test is None or test(tuple({**ROW, **changes}.values()), Identity(7))


def error_of(text: str, *, subscription: bool = True) -> str:
    with pytest.raises(SqlError) as caught:
        resolve_query(text, CATALOG, subscription=subscription)
    return str(caught.value)


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("\"player\".\"display_name\" = 'O''Neil'", {}, {"display_name": "ONeil"}),
        ('("player"."hp" >= 10) AND ("player"."hp" < 50)', {}, {"hp": 50}),
        ('"player"."alive" = TRUE', {}, {"alive": False}),
        (f'"player"."owner" = 0x{HEX_IDENTITY}', {}, {"owner": Identity(1)}),
        ('"player"."seen" > \'2025-02-17T10:30:45.123456Z\'', {"seen": 2 * 10**15}, {}),
        ('"player"."conn" <> 0x000000000000000000000000000000ff', {"conn": 1}, {}),
        ('"player"."score" <= -1.5', {}, {"score": 0.0}),
        (
            '("player"."hp" = 1) AND ("player"."alive" = TRUE) AND ("player"."id" <> 3)',
            {"hp": 1, "id": 4},
            {"hp": 1},
        ),
        ('NOT ("player"."hp" = 1)', {}, {"hp": 1}),
    ],
)
def test_what_the_query_builder_emits(condition, yes, no):
    text = f'SELECT * FROM "player" WHERE {condition}'
    assert passes(text, **yes)
    assert not passes(text, **no)


@pytest.mark.parametrize(
    "text",
    [
        'SELECT * FROM "player"',
        "SELECT * FROM player",
        'SELECT * FROM "player" WHERE TRUE = TRUE',
        'SELECT * FROM "player" WHERE "player"."hp" = "player"."hp"',
    ],
)
def test_whole_tables(text):
    assert resolve(text) == Selection("player", ALWAYS)


def test_joins_of_the_query_builder():
    on = 'ON "player"."id" = "item"."player_id"'
    assert resolve(f'SELECT "item".* FROM "player" JOIN "item" {on}') == SemiJoin(
        "item", 1, "player", 0
    )
    with pytest.raises(SqlError):
        resolve(f'SELECT "player".* FROM "item" JOIN "monster" {on}')
    assert resolve(f'SELECT "player".* FROM "item" JOIN "player" {on}') == SemiJoin(
        "player", 0, "item", 1
    )
    where = """WHERE ("player"."alive" = TRUE) AND ("item"."kind" = 'bow')"""
    query = resolve(f'SELECT "item".* FROM "player" JOIN "item" {on} {where}')
    assert isinstance(query, SemiJoin)
    assert demand_of(query.predicate) == OneOf(Column(2, STRING), ("bow",))
    assert demand_of(query.other_predicate) == OneOf(Column(5, BOOL), (True,))
    assert query.pair_predicate == ALWAYS


def test_conditions_over_both_sides_of_a_join():
    query = resolve(
        "SELECT i.* FROM item i JOIN player p ON i.player_id = p.id "
        "WHERE (i.kind = p.display_name OR p.hp = 1) AND p.alive AND i.weight > 2"
    )
    assert isinstance(query, SemiJoin)
    pair = compile_pair_predicate(query.pair_predicate)
    own = compile_predicate(query.predicate)
    other = compile_predicate(query.other_predicate)
    assert pair is not None
    assert own is not None
    assert other is not None
    bow = (1, 3, "bow", [], 2.5, 0, 0)
    player = tuple(ROW.values())
    assert not pair(bow, player, Identity(1))
    assert pair((1, 3, "O'Neil", [], 2.5, 0, 0), player, Identity(1))
    assert own(bow, Identity(1))
    assert other(player, Identity(1))


def test_a_table_may_be_joined_with_itself():
    query = resolve("SELECT a.* FROM item a JOIN item b ON b.id = a.id WHERE b.kind = 'x'")
    assert query == SemiJoin("item", 0, "item", 0, other_predicate=query.other_predicate)
    assert demand_of(query.other_predicate) == OneOf(Column(2, STRING), ("x",))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("player.hp = 1 AND alive = TRUE", "(alive) and (hp = 1.0)"),
        ("hp = 1 OR hp = 2", "(NOT (hp <> 2 AND NOT hp = 1))"),
        ("10 < hp", "hp > 10"),
        ("NOT (hp < 5)", "hp >= 5"),
        (f"owner = '{HEX_IDENTITY}'", f"0x{HEX_IDENTITY} = player.owner"),
        ("hp = 1 AND hp = 1", "hp = 1"),
    ],
)
def test_simple_respellings_are_one_query(one, other):
    head = "SELECT * FROM player WHERE "
    assert resolve(head + one) == resolve(head + other)
    assert hash(resolve(head + one)) == hash(resolve(head + other))


def test_sender():
    query = resolve("SELECT * FROM player WHERE owner = :sender")
    assert uses_sender(query.predicate)
    assert demand_of(query.predicate) == OneOf(Column(2, IDENTITY), (SENDER,))
    blob = resolve("SELECT * FROM player WHERE blob = :sender")
    test = compile_predicate(blob.predicate)
    assert test is not None
    assert test((0,) * 9 + (Identity(258).to_bytes(32, "little"),), Identity(258))


def test_everything_is_every_readable_table_without_events():
    names = [query.table for query in resolve_query("select * from *", CATALOG)]
    assert names == ["item", "my_items", "player", "tick_timer", "top_players"]
    quiet = SchemaCatalog(SAMPLE, unlisted=names[:1])
    assert [query.table for query in resolve_query("SELECT * FROM *", quiet)] == names[1:]
    assert quiet.table(names[0]) is not None
    mine = SchemaCatalog(SAMPLE, owner=True)
    assert "secret" in [query.table for query in resolve_query("SELECT * FROM *", mine)]
    assert error_of("SELECT * FROM *", subscription=False).startswith("Unsupported SELECT")


def test_views_and_events_are_selected_like_tables():
    assert resolve("SELECT * FROM my_items WHERE id = 3").table == "my_items"
    assert resolve("SELECT * FROM boom") == Selection("boom", ALWAYS)


JOIN = "FROM player JOIN item ON player.id = item.player_id"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "SELECT * FROM secret",
            "no such table: `secret`. If the table exists, it may be marked private.",
        ),
        (
            "SELECT * FROM Player",
            "no such table: `Player`. If the table exists, it may be marked private.",
        ),
        ("SELECT * FROM player WHERE nope = 1", "`nope` is not in scope"),
        ("SELECT * FROM player WHERE item.id = 1", "`item` is not in scope"),
        ("SELECT * FROM player p WHERE player.id = 1", "`player` is not in scope"),
        ("SELECT item.* FROM player", "`item` is not in scope"),
        (f"SELECT * {JOIN}", "SELECT * is not supported for joins"),
        (f"SELECT boom.* {JOIN}", "`boom` is not in scope"),
        (f"SELECT item.* {JOIN} WHERE hp = 1", "Names must be qualified when using joins"),
        (
            "SELECT * FROM player WHERE hp = 'x'",
            "The literal expression `x` cannot be parsed as type `I32`",
        ),
        (
            "SELECT * FROM player WHERE hp = TRUE",
            "Unexpected type: (expected) Bool != I32 (inferred)",
        ),
        (
            "SELECT * FROM player WHERE hp = display_name",
            "Unexpected type: (expected) I32 != String (inferred)",
        ),
        (
            "SELECT * FROM player WHERE hp = :sender",
            "Unexpected type: (expected) Identity != I32 (inferred)",
        ),
        ("SELECT * FROM player WHERE hp", "Unexpected type: (expected) I32 != Bool (inferred)"),
        (
            "SELECT * FROM player WHERE took > 5",
            "Invalid binary operator `>` for type `TimeDuration`",
        ),
        (
            "SELECT * FROM player WHERE mood = 'Calm'",
            "Invalid binary operator `=` for type `(Calm: () | Angry: ())`",
        ),
        (
            "SELECT * FROM player WHERE 'a' = tags",
            "Invalid binary operator `=` for type `Array<String>`",
        ),
        (
            "SELECT item.* FROM player JOIN item ON player.hp = item.player_id",
            "Unexpected type: (expected) I32 != U32 (inferred)",
        ),
        (
            "SELECT item.* FROM player JOIN item ON player.display_name = item.kind",
            "Subscriptions require indexes on join columns",
        ),
        (
            "SELECT item.* FROM player JOIN item ON player.id = player.hp",
            "Unsupported expression: ON has to compare columns of both tables",
        ),
        ("SELECT a.* FROM item a JOIN item a ON a.id = a.id", "Duplicate name: `a`"),
        (
            "SELECT * FROM player WHERE 1 = 1",
            "Cannot resolve type for literal expression",
        ),
        (
            "SELECT * FROM player WHERE :sender = :sender",
            "Unsupported expression: at least one side has to be a column",
        ),
        (
            "SELECT * FROM player ORDER BY score",
            "Unsupported SELECT: ORDER BY without LIMIT in a subscription",
        ),
        (
            "SELECT * FROM player LIMIT 5",
            "Unsupported SELECT: LIMIT without ORDER BY in a subscription",
        ),
        (
            f"SELECT * FROM player ORDER BY score LIMIT {WINDOW_ROWS_MAX + 1}",
            f"Unsupported SELECT: LIMIT beyond {WINDOW_ROWS_MAX} in a subscription",
        ),
        (
            "SELECT * FROM boom ORDER BY id LIMIT 1",
            "Unsupported SELECT: ORDER BY over the event table `boom`",
        ),
        (
            f"SELECT item.* {JOIN} ORDER BY item.id LIMIT 1",
            "Unsupported SELECT: ORDER BY and LIMIT with joins",
        ),
        ("SELECT * FROM player ORDER BY nope LIMIT 1", "`nope` is not in scope"),
        (
            "SELECT * FROM player ORDER BY tags LIMIT 1",
            "Unsupported ORDER BY: columns of type `Array<String>`",
        ),
        (
            "SELECT * FROM player WHERE 5",
            "Unsupported expression: a condition has to be a comparison",
        ),
    ],
)
def test_errors(text, error):
    assert error_of(text) == error


def test_one_off_queries_need_no_index():
    text = "SELECT item.* FROM player JOIN item ON player.display_name = item.kind"
    assert resolve(text, subscription=False) == SemiJoin("item", 2, "player", 1)


def test_views_are_joined_like_tables():
    text = "SELECT my_items.* FROM my_items JOIN player ON my_items.player_id = player.id"
    assert resolve(text) == SemiJoin("my_items", 1, "player", 0)
    text = "SELECT player.* FROM my_items JOIN player ON my_items.player_id = player.id"
    assert resolve(text) == SemiJoin("player", 0, "my_items", 1)


def test_windows():
    name, score = Column(1, STRING), Column(6, F64)
    text = "SELECT * FROM player WHERE alive ORDER BY score DESC, display_name LIMIT 3;"
    window = Window((OrderColumn(score, True), OrderColumn(name, False)), 3)
    assert resolve(text) == Selection("player", resolve(text).predicate, window)
    assert resolve(
        "select p.* from player p order by p.score desc, p.display_name asc limit 3"
    ) == (Selection("player", ALWAYS, window))
    order = "SELECT * FROM player ORDER BY score DESC, display_name"
    assert resolve(order, subscription=False).window == Window(window.order, None)
    assert resolve("SELECT * FROM boom LIMIT 2", subscription=False).window == Window((), 2)


def test_events_cannot_be_looked_up():
    text = "FROM boom JOIN player ON boom.id = player.id"
    assert resolve(f"SELECT boom.* {text}", subscription=False).table == "boom"
    assert "event table `boom`" in error_of(f"SELECT player.* {text}", subscription=False)


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        ("TRUE", True),
        ("FALSE", False),
        ("TRUE <> TRUE", False),
        ("FALSE < TRUE", True),
        ("TRUE < TRUE", False),
        ("TRUE <= FALSE", False),
        ("TRUE >= FALSE", True),
        ("FALSE > TRUE", False),
    ],
)
def test_constant_conditions(condition, result):
    assert passes(f"SELECT * FROM player WHERE {condition}") is result


def test_errors_inside_a_subscribe_name_the_query():
    assert query_error(SqlError("Empty SQL query"), " ") == "Empty SQL query, executing: ` `"


COLUMNS = (*WORDS, "player", "hp", "owner", "alive", "score", "blob", "mood", "item", "player_id")


@given(st.lists(st.sampled_from(COLUMNS), max_size=16).map(" ".join))
def test_random_conditions_raise_sql_errors_only(text):
    for query in (
        f"SELECT * FROM player WHERE {text}",
        f"SELECT item.* {JOIN} WHERE {text}",
        f"SELECT item.* FROM player JOIN item ON {text}",
    ):
        try:
            resolved = resolve_query(query, CATALOG)
        except SqlError:
            continue
        assert len(resolved) == 1
