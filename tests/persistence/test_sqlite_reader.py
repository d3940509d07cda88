from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from store_words import append, one, opened, put

from persistence import CorruptActorError, Snapshot, SqliteStore, StoreReadError
from persistence.schema import READ_ACTORS, open_reader
from persistence.sqlite_filing import Unfiled
from persistence.sqlite_reader import LoadJob, QueryJob, SqliteReader


class Disk:
    def __init__(self, path):
        self.path = path

    def store(self):
        return SqliteStore(self.path)


@pytest.fixture
async def path(tmp_path):
    path = tmp_path / "journal.sqlite3"
    async with opened(Disk(path)) as store:
        sizes = {"small": 1, "large": 40_000, "other": 2_000}
        batch = [one(name, 1, put(1, b"k", bytes(size))) for name, size in sizes.items()]
        assert await append(store, *batch) is None
    return path


def test_an_answer_too_large_is_read_by_halves(path):
    answers = []
    with closing(open_reader(path)) as connection:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 50_000)
        reader = SqliteReader(connection, Unfiled())
        reader.answer([LoadJob(["small", "large", "nobody", "other", "small"], answers.append)])
    (snapshots,) = answers
    kinds = [type(snapshot) for snapshot in snapshots]
    assert kinds == [Snapshot, CorruptActorError, Snapshot, Snapshot, Snapshot]
    assert [len(snapshots[at].tail) for at in (0, 2, 3)] == [1, 0, 1]


def test_queries_are_answered_before_loads_and_each_to_its_own(path):
    told = []
    with closing(open_reader(path)) as connection:
        SqliteReader(connection, Unfiled()).answer(
            [
                LoadJob(["small"], lambda answer: told.append(("first", answer))),
                LoadJob(["other"], lambda answer: told.append(("second", answer))),
                QueryJob(
                    READ_ACTORS, ("", "", None, None, 1), lambda row: told.append(("query", row))
                ),
            ]
        )
    assert [name for name, _ in told] == ["query", "first", "second"]
    assert told[0][1] == ('["large"]',)
    assert [answer[0].actor for _, answer in told[1:]] == ["small", "other"]


def test_what_the_medium_refuses_is_told_to_all(path):
    told = []
    with closing(open_reader(path)) as connection:
        reader = SqliteReader(connection, Unfiled())
    reader.answer([LoadJob(["a"], told.append), QueryJob(READ_ACTORS, ("",), told.append)])
    assert [type(answer) for answer in told] == [StoreReadError, StoreReadError]


def test_a_reader_cannot_write(path):
    with closing(open_reader(path)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM journal")
