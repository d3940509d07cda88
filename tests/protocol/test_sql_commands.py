from __future__ import annotations

import sqlite3
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_schema import SAMPLE
from test_sql_parser import WORDS

from protocol.errors import SqlError
from protocol.limits import SQL_TABLES_MAX
from protocol.sql import SchemaCatalog
from protocol.sql.commands import parse_command
from protocol.sql.report import report_rows, resolve_report
from protocol.sql.syntax import Delete, Insert, Report, Update
from protocol.sql.writes import ResolvedDelete, ResolvedInsert, ResolvedUpdate, resolve_write
from protocol.types import STRING, U32, U64, Field, ProductType
from protocol.values import Identity

CATALOG = SchemaCatalog(SAMPLE)
OWNERS = SchemaCatalog(SAMPLE, owner=True)
ME = Identity(7)


def resolved(text: str, catalog: SchemaCatalog = CATALOG) -> object:
    command = parse_command(text)
    if isinstance(command, Report):
        return resolve_report(command, catalog)
    return resolve_write(command, catalog, ME)


def error_of(text: str) -> str:
    with pytest.raises(SqlError) as caught:
        resolved(text, OWNERS)
    return str(caught.value)


def test_what_a_report_is_called():
    report = resolved("SELECT id, p.display_name AS name, hp points FROM player p")
    assert [field.name for field in report.schema.elements] == ["id", "name", "points"]
    assert report.schema.elements[1].type == STRING
    assert resolved("SELECT * FROM item").schema == CATALOG.table("item").row_type
    join = "FROM player p CROSS JOIN item i"
    assert resolved(f"SELECT i.* {join}").schema == CATALOG.table("item").row_type
    assert resolved(f"SELECT COUNT(*) AS n {join}").schema == ProductType((Field("n", U64),))
    assert resolved(f"select count(*) n {join}").schema == ProductType((Field("n", U64),))
    assert resolved("SELECT key FROM secret", OWNERS).schema.elements[0].type == STRING


JOIN = "FROM player JOIN item ON player.id = item.player_id"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Empty SQL query"),
        ("SHOW x", "Unsupported: SHOW statements"),
        ("SET row_limit = 5", "Unsupported: SET statements"),
        ("DROP TABLE player", "Unsupported: DROP statements"),
        ("(", "sql parser error: expected a statement, found ("),
        ("SELECT", "sql parser error: expected a select list, found end of query"),
        ("SELECT id", "sql parser error: expected FROM, found end of query"),
        ("SELECT * FROM *", "Unsupported SELECT: `*` in FROM"),
        ("SELECT 1 FROM player", "sql parser error: expected a select list, found 1"),
        ("SELECT DISTINCT id FROM player", "Unsupported SELECT: DISTINCT"),
        ("SELECT *, id FROM player", "Unsupported projection: `*` and COUNT(*) stand alone"),
        (
            "SELECT id, COUNT(*) AS n FROM player",
            "Unsupported projection: `*` and COUNT(*) stand alone",
        ),
        ("SELECT COUNT(*) FROM player", "Unsupported projection: COUNT(*) without an alias"),
        ("SELECT COUNT(id) AS n FROM player", "Unsupported projection: function COUNT"),
        ("SELECT MAX(id) AS n FROM player", "Unsupported projection: function MAX"),
        ("SELECT id, id FROM player", "Duplicate name: `id`"),
        ("SELECT id, hp AS id FROM player", "Duplicate name: `id`"),
        ("SELECT nope FROM player", "`nope` is not in scope"),
        ("SELECT item.* FROM player", "`item` is not in scope"),
        (f"SELECT * {JOIN}", "SELECT * is not supported for joins"),
        (f"SELECT kind {JOIN}", "Names must be qualified when using joins"),
        (f"SELECT item.kind {JOIN} ORDER BY kind", "Names must be qualified when using joins"),
        (
            "SELECT COUNT(*) AS n FROM player ORDER BY id",
            "Unsupported SELECT: ORDER BY with COUNT(*)",
        ),
        ("SELECT id FROM player LEFT JOIN item ON 1 = 1", "Non-inner joins are not supported"),
        ("SELECT id FROM player JOIN item", "Non-inner joins are not supported"),
        ("SELECT id FROM player INNER item", "sql parser error: expected JOIN, found item"),
        ("SELECT id FROM player, item", "Unsupported SELECT: implicit joins"),
        ("SELECT player.id FROM player CROSS JOIN player", "Duplicate name: `player`"),
        (
            "SELECT player.id FROM player JOIN item ON player.id = player.hp",
            "Unsupported expression: ON has to compare columns of both tables",
        ),
        (
            f"SELECT player.id {JOIN} JOIN boom ON player.id = item.player_id",
            "Unsupported expression: ON has to compare columns of both tables",
        ),
        (
            "SELECT player.id FROM player JOIN boom ON later.id = boom.id CROSS JOIN item later",
            "`later` is not in scope",
        ),
        (
            "SELECT player.id FROM player JOIN item ON player.took = item.id",
            "Invalid binary operator `=` for type `TimeDuration`",
        ),
        (
            "SELECT player.id FROM player JOIN item ON player.hp = item.player_id",
            "Unexpected type: (expected) I32 != U32 (inferred)",
        ),
        (
            "SELECT * FROM nothing",
            "no such table: `nothing`. If the table exists, it may be marked private.",
        ),
        (
            "SELECT a.id FROM player a" + " CROSS JOIN player b" * SQL_TABLES_MAX,
            f"Unsupported SELECT: more than {SQL_TABLES_MAX} tables",
        ),
        (
            "SELECT id FROM player; SELECT id FROM player",
            "Multiple SQL statements are not supported",
        ),
        ("SELECT id FROM player GROUP BY id", "Unsupported SELECT: GROUP"),
        ("INSERT secret VALUES ('a', 1)", "sql parser error: expected INTO, found secret"),
        ("INSERT INTO secret ('a', 1)", "sql parser error: expected a name, found 'a'"),
        ("INSERT INTO secret", "sql parser error: expected VALUES, found end of query"),
        ("INSERT INTO secret VALUES 'a'", "sql parser error: expected `(`, found 'a'"),
        ("INSERT INTO secret VALUES ('a', 1", "sql parser error: expected `)`, found end of query"),
        ("INSERT INTO secret VALUES (key, 1)", "Unsupported expression: column `key` as a value"),
        (
            "INSERT INTO secret VALUES ('a')",
            "Inserting a row with 1 values into `secret` which has 2 columns",
        ),
        (
            "INSERT INTO secret (key) VALUES ('a')",
            "Inserting a row with 1 values into `secret` which has 2 columns",
        ),
        ("INSERT INTO secret (key, nope) VALUES ('a', 1)", "`nope` is not in scope"),
        (
            "INSERT INTO secret (key, key) VALUES ('a', 'b')",
            "Duplicate name among the columns of `secret`",
        ),
        (
            "INSERT INTO secret VALUES ('a', 'b')",
            "The literal expression `b` cannot be parsed as type `I64`",
        ),
        (
            "INSERT INTO secret VALUES (:sender, 1)",
            "Unexpected type: (expected) Identity != String (inferred)",
        ),
        ("UPDATE secret", "sql parser error: expected SET, found end of query"),
        ("UPDATE secret SET value > 1", "Unsupported expression: > in SET"),
        ("UPDATE secret SET value = value", "Unsupported expression: column `value` as a value"),
        ("UPDATE secret SET value = 1, value = 2", "Duplicate name: `value`"),
        ("UPDATE secret SET nope = 1", "`nope` is not in scope"),
        ("UPDATE secret SET value = 1 LIMIT 1", "Unsupported SELECT: LIMIT"),
        ("DELETE secret", "sql parser error: expected FROM, found secret"),
        ("DELETE FROM secret WHERE nope = 1", "`nope` is not in scope"),
    ],
)
def test_errors(text, error):
    assert error_of(text) == error


def test_private_tables_are_the_owners():
    with pytest.raises(SqlError, match="no such table: `secret`"):
        resolved("DELETE FROM secret")
    assert isinstance(resolved("DELETE FROM secret", OWNERS), ResolvedDelete)


def test_writes():
    assert parse_command("insert into a values (1);") == Insert(
        "a", (), parse_command("INSERT INTO a VALUES (1)").rows
    )
    assert isinstance(parse_command("UPDATE a SET b = 1"), Update)
    assert parse_command("DELETE FROM a;") == Delete("a", None)
    assert resolved("INSERT INTO secret VALUES ('a', 1), ('b', -2)", OWNERS) == ResolvedInsert(
        "secret", (("a", 1), ("b", -2))
    )
    assert resolved("INSERT INTO secret (value, key) VALUES (1, 'a')", OWNERS) == ResolvedInsert(
        "secret", (("a", 1),)
    )
    update = resolved("UPDATE player SET owner = :sender, blob = :sender WHERE hp = 1", OWNERS)
    assert isinstance(update, ResolvedUpdate)
    assert update.values == ((2, ME), (9, ME.to_bytes(32, "little")))


# --- reports, with SQLite as the judge

ITEM = ("id", "player_id", "kind")
PEOPLE = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.integers(-1, 2)), max_size=6
)
THINGS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("ab")), max_size=6
)
REPORTS = [
    "SELECT id, hp AS points FROM player WHERE hp > 0",
    "SELECT p.hp, p.id FROM player p ORDER BY p.hp DESC, p.id LIMIT 3",
    "SELECT COUNT(*) AS n FROM player WHERE display_name = 'a' OR hp < 1",
    "SELECT COUNT(*) AS n FROM player p CROSS JOIN item i WHERE p.hp = 1",
    "SELECT COUNT(*) AS n FROM player LIMIT 0",
    "SELECT p.id, i.kind FROM player p CROSS JOIN item i WHERE p.display_name = i.kind",
    "SELECT i.id, p.id AS who FROM item i JOIN player p ON p.id = i.player_id",
    "SELECT i.id FROM item i JOIN player p ON i.player_id = p.id WHERE p.hp > 0 OR i.kind = 'a'",
    "SELECT a.id, b.id AS twin FROM item a JOIN item b ON a.kind = b.kind WHERE a.id < b.id",
    (
        "SELECT p.id, i.id AS item, q.id AS other FROM player p JOIN item i ON p.id = i.player_id"
        " JOIN player q ON q.display_name = i.kind WHERE NOT (q.hp = p.hp)"
    ),
    (
        "SELECT q.hp FROM player p CROSS JOIN item i JOIN player q ON q.id = p.id"
        " WHERE i.kind = q.display_name ORDER BY q.hp, q.id LIMIT 4"
    ),
]
NEEDED = {"player": ("id", "display_name", "hp"), "item": ITEM}


def table_rows(name: str, rows: list[tuple]) -> list[tuple]:
    """Rows of the sample's table that hold these values where they are named."""
    fields = [field.name for field in CATALOG.table(name).row_type.elements]
    return [tuple(dict(zip(NEEDED[name], row, strict=True)).get(f) for f in fields) for row in rows]


@pytest.mark.parametrize("text", REPORTS)
@given(people=PEOPLE, things=THINGS)
def test_reports_are_what_sqlite_answers(text, people, things):
    report = resolved(text)
    rows = {"player": table_rows("player", people), "item": table_rows("item", things)}
    found = report_rows(report, [rows[table.name] for table in report.tables], ME)
    database = sqlite3.connect(":memory:")
    for name, given_rows in (("player", people), ("item", things)):
        database.execute(f"CREATE TABLE {name} ({', '.join(NEEDED[name])})")
        database.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", given_rows)
    wanted = database.execute(text).fetchall()
    database.close()
    if "ORDER BY" in text:
        assert found == wanted
    else:
        assert Counter(found) == Counter(wanted)


def test_a_report_that_holds_too_many_rows(monkeypatch):
    monkeypatch.setattr("protocol.sql.report.SQL_PAIRS_MAX", 8)
    report = resolved("SELECT COUNT(*) AS n FROM player a CROSS JOIN player b")
    rows = table_rows("player", [(n, "a", 0) for n in range(3)])
    assert report_rows(resolved("SELECT id FROM player"), [rows], ME) == [(0,), (1,), (2,)]
    with pytest.raises(SqlError, match=r"Estimated cardinality \(9 rows\) exceeds limit \(8 rows"):
        report_rows(report, [rows, rows], ME)


def test_the_callers_identity_in_a_report():
    report = resolved("SELECT id FROM player WHERE owner = :sender")
    fields = [field.name for field in CATALOG.table("player").row_type.elements]
    rows = [tuple({"id": n, "owner": Identity(n)}.get(f) for f in fields) for n in (6, 7)]
    assert report_rows(report, [rows], ME) == [(7,)]
    assert report.schema.elements == (Field("id", U32),)


MORE = (
    *WORDS,
    "COUNT",
    "INSERT INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "DELETE",
    "CROSS",
    "player",
    "id",
)


@given(st.lists(st.sampled_from(MORE), max_size=24).map(" ".join))
def test_random_statements_raise_sql_errors_only(text):
    for whole in (
        text,
        f"SELECT {text} FROM player",
        f"SELECT id FROM player {text}",
        f"INSERT INTO secret VALUES {text}",
        f"UPDATE player SET {text}",
    ):
        try:
            resolved(whole, OWNERS)
        except SqlError:
            continue


@given(st.text(max_size=60))
def test_random_text_raises_sql_errors_only(text):
    with pytest.raises(SqlError):
        parse_command(f"{text} ?")
