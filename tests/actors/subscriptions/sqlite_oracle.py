"""What SQLite answers: the same rows, the same text of a query."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable

from arena_module import Gift, Item, Note, Player, Tag, Team
from arena_queries import ENCODERS, Rows, gifts, notes

from actors.module.types import Identity, product_type
from protocol.types import BOOL, IDENTITY

ROW_OF = {
    "player": Player,
    "my_players": Player,
    "item": Item,
    "tag": Tag,
    "note": Note,
    "gift": Gift,
    "teams": Team,
    "loot": Item,
}
VIEWS = (
    "CREATE VIEW my_players AS SELECT * FROM player WHERE owner = (SELECT id FROM me)",
    (
        "CREATE VIEW teams AS SELECT team AS name,"
        " NOT EXISTS (SELECT 1 FROM player WHERE id = 1) AS mood FROM player"
    ),
    "CREATE VIEW loot AS SELECT * FROM item WHERE EXISTS (SELECT 1 FROM player WHERE id = 1)",
)
BASES = (Player, Item, Tag, Note, Gift)


def named(row: type) -> str:
    return row.__name__.lower()


class Oracle:
    """The arena's rows as one caller sees them."""

    def __init__(self, rows: Rows, me: Identity) -> None:
        self._me = str(me)
        self._database = sqlite3.connect(":memory:")
        self._database.execute("CREATE TABLE me (id)")
        self._database.execute("INSERT INTO me VALUES (?)", (self._me,))
        seen = (rows.players, rows.items, rows.tags, notes(rows, me), gifts(rows, me))
        for kind, visible in zip(BASES, seen, strict=True):
            columns = [element.name for element in product_type(kind).elements]
            self._database.execute(f"CREATE TABLE {named(kind)} ({', '.join(columns)})")
            marks = ", ".join("?" * len(columns))
            stored = [[str(v) if isinstance(v, Identity) else v for v in row] for row in visible]
            self._database.executemany(f"INSERT INTO {named(kind)} VALUES ({marks})", stored)
        for view in VIEWS:
            self._database.execute(view)

    def close(self) -> None:
        self._database.close()

    def rows(self, text: str, table: str) -> list[bytes]:
        """The rows of a query in their order, as the wire has them."""
        row = ROW_OF[table]
        types = [element.type for element in product_type(row).elements]
        answer = self._database.execute(total(text, row), {"sender": self._me})
        made = [
            row(*(_value(value, type_) for value, type_ in zip(values, types, strict=True)))
            for values in answer
        ]
        return [ENCODERS[row](entry) for entry in made]


def total(text: str, row: type) -> str:
    """The query with the tie-break that it has without saying so, where it is the primary key."""
    if "id" in row._fields:  # type: ignore[attr-defined]
        return re.sub(r"( ORDER BY .*?)( LIMIT \d+)?$", r"\1, id\2", text)
    return text


def _value(value: object, type_: object) -> object:
    if type_ == IDENTITY:
        return Identity.from_hex(str(value))
    return bool(value) if type_ == BOOL else value


def returned(text: str) -> str:
    """The table that a query returns."""
    match = re.match(r"SELECT (\w+)\.\* FROM (\w+) (\w+) JOIN (\w+) (\w+)", text)
    if match is None:
        return re.match(r"SELECT \* FROM (\w+)", text)[1]  # type: ignore[index]
    alias, first, name, second, _ = match.groups()
    return first if alias == name else second


def bags(rows: Rows, me: Identity, sets: Iterable[tuple[str, ...]]) -> dict[str, Counter]:
    """What a client holds of query sets: every row, by table, with its reference count."""
    oracle = Oracle(rows, me)
    found: dict[str, Counter] = {}
    for texts in sets:
        for text in dict.fromkeys(texts):
            table = returned(text)
            found.setdefault(table, Counter()).update(oracle.rows(text, table))
    oracle.close()
    return {table: bag for table, bag in found.items() if bag}
