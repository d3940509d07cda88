"""Values beside the actors can be read by who does not own the store, and disturb nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis_server import redis_server

from persistence import SqliteStore, StoreReadError
from persistence.errors import StoreFormatError
from persistence.locator import find_place, open_store
from persistence.meta_survey import survey_meta

KEYS = ("schema", "tables")


@pytest.fixture(params=["sqlite", "redis"])
def url(request, tmp_path):
    if request.param == "sqlite":
        yield "sqlite"
        return
    with redis_server(tmp_path / "redis") as redis:
        yield redis.url


async def test_what_the_owner_wrote_is_read_beside_it(url, tmp_path):
    place = find_place(url, tmp_path, name="x")
    assert await survey_meta(place, KEYS) == dict.fromkeys(KEYS)
    store = open_store(url, tmp_path, name="x")
    await store.open()
    await store.write_meta("schema", b"\0one")
    assert await survey_meta(place, KEYS) == {"schema": b"\0one", "tables": None}
    # The owner is the owner still.
    await store.write_meta("schema", b"two")
    await store.close()
    assert (await survey_meta(place, KEYS))["schema"] == b"two"


async def test_a_store_that_forgets_has_nothing():
    assert await survey_meta(None, KEYS) == dict.fromkeys(KEYS)


async def test_what_is_no_store_is_not_read(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("no database, " * 400)
    with pytest.raises(StoreFormatError):
        await survey_meta(other, KEYS)
    nobody = find_place("redis://127.0.0.1:1/0?reply_seconds=1", Path())
    with pytest.raises(StoreReadError):
        await survey_meta(nobody, KEYS)


async def test_a_file_that_is_there_is_not_made_nor_changed(tmp_path):
    path = tmp_path / "journal.sqlite3"
    await survey_meta(path, KEYS)
    assert not path.exists()
    store = SqliteStore(path)
    await store.open()
    await store.close()
    before = path.read_bytes()
    await survey_meta(path, KEYS)
    assert path.read_bytes() == before
