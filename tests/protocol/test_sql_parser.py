from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import SqlError
from protocol.limits import (
    SQL_BYTES_MAX,
    SQL_NESTING_MAX,
    SQL_ORDER_TERMS_MAX,
    SQL_TERMS_MAX,
    SQL_TOKENS_MAX,
)
from protocol.sql.parser import parse_query
from protocol.sql.syntax import (
    AllOf,
    AnyOf,
    ColumnName,
    Comparison,
    Join,
    Literal,
    LiteralKind,
    Negation,
    OrderTerm,
    Select,
    SelectEverything,
    Sender,
    TableName,
    Truth,
)

PLAYER = TableName("player", "player")
HP = ColumnName("player", "hp")
ONE = Literal(LiteralKind.NUMBER, "1")
COLUMN_LIST = (
    "Column projections are not supported in subscriptions; Subscriptions must return a table type"
)


def where(text: str) -> object:
    statement = parse_query(f"SELECT * FROM player WHERE {text}")
    assert isinstance(statement, Select)
    return statement.where


def test_plain_select():
    assert parse_query('SELECT * FROM "player"') == Select(None, PLAYER, None, None)
    assert parse_query("select player.* from player;") == Select("player", PLAYER, None, None)
    assert parse_query("SELECT p.* FROM player AS p").table == TableName("player", "p")
    assert parse_query("SELECT p.* FROM player p").table == TableName("player", "p")


def test_everything():
    assert parse_query("select * from *") == SelectEverything()


def test_comments_and_semicolons_are_fine():
    text = "-- first\nSELECT /* all\nof it */ * FROM player ;; -- end"
    assert parse_query(text) == Select(None, PLAYER, None, None)


def test_names_are_case_sensitive_and_may_be_quoted_or_dotted():
    assert parse_query('SELECT * FROM "Pla""yer"').table.name == 'Pla"yer'
    assert parse_query("SELECT * FROM Player").table.name == "Player"
    assert parse_query('SELECT * FROM lib."thing"').table.name == "lib.thing"
    assert where('"select" = 1') == Comparison("=", ColumnName(None, "select"), ONE)
    assert where("lib.thing.a = 1") == Comparison("=", ColumnName("lib.thing", "a"), ONE)


def test_comparisons():
    assert where("player.hp = 1") == Comparison("=", HP, ONE)
    assert where("player.hp != 1") == Comparison("<>", HP, ONE)
    assert where("1 <= player.hp") == Comparison("<=", ONE, HP)
    assert where("player.hp > -1.5e3") == Comparison(">", HP, Literal(LiteralKind.NUMBER, "-1.5e3"))
    assert where("player.hp = + 1") == Comparison("=", HP, ONE)
    assert where("owner = :sender") == Comparison("=", ColumnName(None, "owner"), Sender())
    assert where("b = X'0aFF'") == Comparison(
        "=", ColumnName(None, "b"), Literal(LiteralKind.HEX, "0aFF")
    )
    assert where("b = 0x0a") == Comparison(
        "=", ColumnName(None, "b"), Literal(LiteralKind.HEX, "0a")
    )
    assert where("n = 'O''Neil'") == Comparison(
        "=", ColumnName(None, "n"), Literal(LiteralKind.STRING, "O'Neil")
    )
    assert where("true") == Truth(Literal(LiteralKind.BOOL, "TRUE"))


def test_and_binds_closer_than_or_and_not_closest():
    a, b, c = (Comparison("=", ColumnName(None, name), ONE) for name in "abc")
    assert where("a = 1 OR b = 1 AND c = 1") == AnyOf((a, AllOf((b, c))))
    assert where("(a = 1 or b = 1) and c = 1") == AllOf((AnyOf((a, b)), c))
    assert where("NOT a = 1 AND NOT (b = 1)") == AllOf((Negation(a), Negation(b)))
    assert where("NOT NOT a = 1") == a


def test_join():
    text = "SELECT i.* FROM player INNER JOIN item AS i ON player.id = i.player_id WHERE i.id = 1"
    assert parse_query(text) == Select(
        "i",
        PLAYER,
        Join(TableName("item", "i"), ColumnName("player", "id"), ColumnName("i", "player_id")),
        Comparison("=", ColumnName("i", "id"), ONE),
    )


def test_order_and_limit():
    text = "SELECT * FROM player WHERE player.hp = 1 ORDER BY player.hp DESC, id ASC, asc LIMIT 10"
    order = (
        OrderTerm(HP, is_falling=True),
        OrderTerm(ColumnName(None, "id"), is_falling=False),
        OrderTerm(ColumnName(None, "asc"), is_falling=False),
    )
    where = Comparison("=", HP, ONE)
    assert parse_query(text) == Select(None, PLAYER, None, where, order, 10)
    assert parse_query("select * from player limit 0;") == Select(None, PLAYER, None, None, (), 0)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "Empty SQL query"),
        (" ; -- nothing", "Empty SQL query"),
        ("SELECT * FROM a; SELECT * FROM b", "Multiple SQL statements are not supported"),
        ("INSERT INTO a VALUES (1)", "Unsupported: Non-SELECT queries"),
        ("SELECT id FROM a", COLUMN_LIST),
        ("SELECT a.id FROM a", COLUMN_LIST),
        ("SELECT *, id FROM a", COLUMN_LIST),
        ("SELECT COUNT(*) AS n FROM a", COLUMN_LIST),
        ("SELECT 1 FROM a", COLUMN_LIST),
        ("SELECT DISTINCT * FROM a", "Unsupported SELECT: DISTINCT"),
        ("SELECT * FROM a, b", "Unsupported SELECT: implicit joins"),
        ("SELECT * FROM (SELECT * FROM a)", "Unsupported SELECT: subquery in FROM"),
        ("SELECT * FROM a ORDER id", "sql parser error: expected BY, found id"),
        ("SELECT * FROM a ORDER BY 1", "Unsupported ORDER BY: 1"),
        ("SELECT * FROM a ORDER BY", "Unsupported ORDER BY: end of query"),
        ("SELECT * FROM a ORDER BY b,", "Unsupported ORDER BY: end of query"),
        ("SELECT * FROM a ORDER BY f(b)", "Unsupported expression: function f"),
        (
            "SELECT * FROM a ORDER BY b NULLS FIRST",
            "sql parser error: expected the end of the query, found NULLS",
        ),
        ("SELECT * FROM a LIMIT", "Unsupported LIMIT: end of query"),
        ("SELECT * FROM a LIMIT -1", "Unsupported LIMIT: -"),
        ("SELECT * FROM a LIMIT 1.5", "Unsupported LIMIT: 1.5"),
        ("SELECT * FROM a LIMIT b", "Unsupported LIMIT: b"),
        (f"SELECT * FROM a LIMIT {'9' * 5000}", f"Unsupported LIMIT: {'9' * 5000}"),
        ("SELECT * FROM a LIMIT 1 OFFSET 2", "Unsupported SELECT: OFFSET"),
        ("SELECT * FROM a LIMIT 1 ORDER BY b", "Unsupported SELECT: ORDER"),
        ("SELECT * FROM * ORDER BY b LIMIT 1", "Unsupported SELECT: ORDER"),
        ("SELECT * FROM a WHERE b = 1 GROUP BY b", "Unsupported SELECT: GROUP"),
        ("SELECT * FROM a UNION SELECT * FROM b", "Unsupported SELECT: UNION"),
        ("SELECT a.* FROM a LEFT JOIN b ON a.x = b.x", "Non-inner joins are not supported"),
        ("SELECT a.* FROM a CROSS JOIN b", "Non-inner joins are not supported"),
        ("SELECT a.* FROM a JOIN b", "Non-inner joins are not supported"),
        ("SELECT a.* FROM a JOIN b ON a.x > b.x", "Unsupported expression: > in ON"),
        ("SELECT a.* FROM a JOIN b ON a.x = 1", "Unsupported expression: 1 in ON"),
        (
            "SELECT a.* FROM a JOIN b ON a.x = b.x AND a.y = b.y",
            "Unsupported expression: AND in ON",
        ),
        (
            "SELECT a.* FROM a JOIN b ON a.x = b.x JOIN c ON a.x = c.x",
            "Unsupported SELECT: more than two tables",
        ),
        ("SELECT * FROM a WHERE b IS NULL", "Unsupported expression: IS"),
        ("SELECT * FROM a WHERE b = NULL", "Unsupported expression: NULL"),
        ("SELECT * FROM a WHERE b LIKE 'x'", "Unsupported expression: LIKE"),
        ("SELECT * FROM a WHERE b IN (1, 2)", "Unsupported expression: IN"),
        ("SELECT * FROM a WHERE b NOT IN (1)", "Unsupported expression: NOT"),
        ("SELECT * FROM a WHERE b BETWEEN 1 AND 2", "Unsupported expression: BETWEEN"),
        ("SELECT * FROM a WHERE b + 1 = 2", "Unsupported expression: +"),
        ("SELECT * FROM a WHERE b = 1 + 2", "Unsupported expression: +"),
        ("SELECT * FROM a WHERE b = c = d", "Unsupported expression: ="),
        ("SELECT * FROM a WHERE f(b) = 1", "Unsupported expression: function f"),
        ("SELECT * FROM a WHERE b = :other", "Unsupported expression: :other"),
        ("SELECT * FROM a WHERE b = (SELECT 1)", "Unsupported expression: nested expression"),
        ("SELECT * FROM a WHERE (SELECT 1)", "Unsupported expression: subquery"),
        ("SELECT * FROM a WHERE b = 'x", 'sql parser error: unexpected "\'" at 26'),
        ("SELECT * FROM a /* b", "sql parser error: unexpected '/' at 16"),
        ("SELECT * FROM a WHERE", "Unsupported expression: end of query"),
        ("SELECT * FROM", "sql parser error: expected a name, found end of query"),
        ("SELECT", "sql parser error: expected a select list, found end of query"),
        ("(", "sql parser error: expected a SELECT, found ("),
    ],
)
def test_what_is_not_in_the_grammar(text, error):
    with pytest.raises(SqlError) as caught:
        parse_query(text)
    assert str(caught.value) == error


def test_limits():
    fits = "(" * SQL_NESTING_MAX + "a = 1" + ")" * SQL_NESTING_MAX
    assert where(fits) == where("a = 1")
    with pytest.raises(SqlError, match="levels"):
        where("(" + fits + ")")
    assert len(where(" OR ".join(["a = 1"] * SQL_TERMS_MAX)).operands) == SQL_TERMS_MAX
    with pytest.raises(SqlError, match="comparisons"):
        where(" OR ".join(["a = 1"] * (SQL_TERMS_MAX + 1)))
    terms = ["b"] * SQL_ORDER_TERMS_MAX
    parse_query(f"SELECT * FROM a ORDER BY {', '.join(terms)}")
    with pytest.raises(SqlError, match="more than"):
        parse_query(f"SELECT * FROM a ORDER BY {', '.join([*terms, 'b'])}")
    parse_query("SELECT * FROM a".ljust(SQL_BYTES_MAX))
    with pytest.raises(SqlError, match="maximum allowed length"):
        parse_query("SELECT * FROM a".ljust(SQL_BYTES_MAX + 1))


def test_a_query_of_very_many_words_is_not_read_to_its_end():
    with pytest.raises(SqlError, match=f"more than {SQL_TOKENS_MAX} words"):
        parse_query("SELECT * FROM a WHERE " + "(" * SQL_TOKENS_MAX)


WORDS = (
    *("SELECT", "*", "FROM", "a", "b", ".", ",", "WHERE", "JOIN", "INNER", "ON", "AS", "=", "<>"),
    *("<", ">=", "AND", "OR", "NOT", "(", ")", "1", "-", "1e9", "'x'", '"y"', "0xff", "X'00'"),
    *(
        "ORDER",
        "BY",
        "DESC",
        ":sender",
        "TRUE",
        "NULL",
        ";",
        "LIMIT",
        "LEFT",
        "'",
        '"',
        "--",
        "/*",
        "é",
        "\ud800",
        "\x00",
    ),
)


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join))
def test_random_queries_raise_sql_errors_only(text):
    for query in (text, f"SELECT * FROM a WHERE {text}"):
        try:
            statement = parse_query(query)
        except SqlError:
            continue
        assert isinstance(statement, Select | SelectEverything)


@given(st.text(max_size=60))
def test_random_text_raises_sql_errors_only(text):
    with pytest.raises(SqlError):
        parse_query(f"{text} ?")
