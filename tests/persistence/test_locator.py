from __future__ import annotations

import pytest

from persistence import (
    MemoryStore,
    SqliteStore,
    StoreUnsupportedError,
    open_store,
)
from persistence.redis_store import RedisStore


async def test_sqlite_is_a_file_in_the_data_folder(tmp_path):
    store = open_store("sqlite", tmp_path)
    assert isinstance(store, SqliteStore)
    assert (await store.open()).location == str(tmp_path / "journal.sqlite3")
    await store.close()


async def test_a_sqlite_url_names_its_file(tmp_path):
    store = open_store(f"sqlite://{tmp_path}/other.db", tmp_path / "unused")
    assert (await store.open()).location == str(tmp_path / "other.db")
    await store.close()


def test_memory_forgets(tmp_path):
    assert isinstance(open_store("memory:", tmp_path), MemoryStore)


@pytest.mark.parametrize("scheme", ["redis", "rediss"])
def test_redis_has_two_schemes(tmp_path, scheme):
    assert isinstance(open_store(f"{scheme}://127.0.0.1", tmp_path), RedisStore)


@pytest.mark.parametrize("url", ["mongo://u:pw@h", "", "sqlite://", "sqlite:///", "sqlite:x"])
def test_another_url_is_refused_with_what_there_is(tmp_path, url):
    known = r"sqlite, sqlite:///path/to/file, redis://host:port/db, memory:"
    with pytest.raises(StoreUnsupportedError, match=known) as caught:
        open_store(url, tmp_path)
    assert "pw" not in str(caught.value)
