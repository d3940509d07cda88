from __future__ import annotations

from contextlib import closing

import pytest
from store_words import append, keeping, one, opened, put

from persistence import SqliteStore
from persistence.group_commit import FoldJob
from persistence.schema import READ_ENDS, READ_FOLDS, WRITE_FOLDS, open_writer
from persistence.sqlite_checkpoint import SqliteCheckpoints
from persistence.sqlite_owner import SqliteOwner

NOTHING = keeping(0)


class Watched:
    """A connection that notes the statements it ran."""

    def __init__(self, connection):
        self.connection = connection
        self.statements = []

    def execute(self, statement, parameters=()):
        self.statements.append(statement)
        return self.connection.execute(statement, parameters)


class Disk:
    def __init__(self, path):
        self.path = path

    def store(self):
        return SqliteStore(self.path)


def ignore(_):
    pass


def rows(count):
    return [put(1, number.to_bytes(2), b"value") for number in range(count)]


@pytest.fixture
async def path(tmp_path):
    path = tmp_path / "journal.sqlite3"
    async with opened(Disk(path)) as store:
        assert await append(store, *[one(name, 1, *rows(300)) for name in "abcd"]) is None
    return path


@pytest.fixture
def watched(path):
    connection, epoch = open_writer(path, None)
    with closing(connection):
        watched = Watched(connection)
        yield watched, SqliteCheckpoints(SqliteOwner(watched, epoch), NOTHING.bounds_by(int))


@pytest.mark.parametrize("count", [0, 1, 300])
def test_given_changes_take_two_statements_whatever_their_number(watched, count):
    connection, checkpoints = watched
    jobs = [FoldJob(name, 1, ignore, None, rows(count), 10) for name in "abc"]
    assert checkpoints.settle(jobs) == [(ignore, None)] * 3
    assert connection.statements == [READ_ENDS, WRITE_FOLDS]
    stored = connection.execute("SELECT count(*), count(DISTINCT actor_id) FROM row").fetchone()
    assert stored == (3 * count, 3 if count else 0)


def test_only_checkpoints_without_changes_read_records(watched):
    connection, checkpoints = watched
    jobs = [FoldJob("a", 1, ignore, None, rows(2), 10), FoldJob("b", 1, ignore, None)]
    assert checkpoints.settle(jobs) == [(ignore, None)] * 2
    assert connection.statements == [READ_ENDS, READ_FOLDS, WRITE_FOLDS]
    counts = "SELECT name, count(*) FROM row JOIN actor ON id = actor_id GROUP BY name"
    assert connection.execute(counts).fetchall() == [("a", 2), ("b", 300)]


def test_what_is_done_already_writes_nothing(watched):
    connection, checkpoints = watched
    checkpoints.settle([FoldJob("a", 1, ignore, None, rows(2), 10)])
    connection.statements.clear()
    assert checkpoints.settle([FoldJob("a", 1, ignore, None, rows(5), 10)]) == [(ignore, None)]
    assert connection.statements == [READ_ENDS]
