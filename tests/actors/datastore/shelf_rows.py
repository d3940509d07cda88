"""Tables with every kind of key and index, and a database of them that keeps a journal."""

from __future__ import annotations

import sys

from actors import i32, table, u8, u16, u32
from actors.datastore import Commit, Database
from actors.host.kind import KindRuntime, reserve_numbers
from actors.keys import DATABASE
from actors.module.module import Module
from persistence.record import RowChange


@table(
    public=True,
    primary_key="id",
    unique=["code"],
    index=["owner", ("owner", "rank")],
    auto_increment="id",
)
class Item:
    id: u32
    code: str
    owner: str | None
    rank: u8
    tags: list[str]


@table(public=True, index=["who"])
class Mark:
    who: str
    size: i32


@table(public=True, event=True)
class Ping:
    who: str
    size: u16


MODULE = Module("shelf", [sys.modules[__name__]])
NUMBERS = {
    declared.name: number for number, declared in enumerate(MODULE.tables_of(DATABASE), start=1)
}
RUNTIME = KindRuntime.compile(MODULE, DATABASE, NUMBERS)
STORED = (Item, Mark)


def empty_database() -> Database:
    return Database(RUNTIME.layouts, reserve_numbers)


def recovered(journal: list[list[RowChange]]) -> Database:
    """A database that did nothing but read this journal."""
    database = empty_database()
    for changes in journal:
        for table_id, key, row in changes:
            stored = database[RUNTIME.layouts_by_id[table_id].row]
            if row is None:
                stored.unload(key)
            else:
                stored.load(row)
    return database


def commit(database: Database, journal: list[list[RowChange]]) -> Commit:
    """Commit, and keep what a journal would."""
    done = database.commit()
    if done.changes:
        journal.append(done.changes)
    return done
