from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from redis_server import RedisServer, redis_server

from persistence.locator import open_store
from persistence.schema import APPLICATION_ID, FORMAT_VERSION
from server.doctor import store_checks
from server.doctor.findings import Finding, Level
from server.doctor.mounts import parse_mounts, read_mounts
from server.doctor.store_checks import check_filesystem, check_store
from server.settings import Settings


def now_micros() -> int:
    return time.time_ns() // 1_000


async def found_in(folder: Path, **settings: str) -> list[Finding]:
    return await check_store(Settings(data_dir=folder, **settings), now_micros)


def faults(findings: list[Finding]) -> dict[str, Level]:
    """What is wrong, by the text; who says that something is wrong says what to do."""
    wrong = [finding for finding in findings if finding.level is not Level.OK]
    assert all(finding.advice for finding in wrong)
    return {finding.text: finding.level for finding in wrong}


async def written(folder: Path) -> Path:
    """A store's file as a server leaves it."""
    store = open_store("sqlite", folder)
    await store.open()
    await store.write_meta("key", bytes(100_000))
    await store.close()
    return folder / "journal.sqlite3"


# SQLite


async def test_a_file_that_is_not_made_yet(tmp_path):
    assert "is made" in (await found_in(tmp_path / "nowhere"))[0].text
    assert not (tmp_path / "nowhere").exists()


async def test_a_file_of_ours_while_it_is_used_and_after(tmp_path):
    store = open_store("sqlite", tmp_path)
    await store.open()
    assert (await found_in(tmp_path))[0].level is Level.OK
    await store.write_meta("key", b"value")
    await store.close()
    found = (await found_in(tmp_path))[0]
    assert found.level is Level.OK
    assert "WAL" in found.text


async def test_a_file_that_is_no_store(tmp_path):
    (tmp_path / "journal.sqlite3").write_bytes(b"not a database at all, but text" * 200)
    (text,) = faults(await found_in(tmp_path))
    assert "not a SQLite file" in text


@pytest.mark.parametrize(
    ("application", "version", "words"),
    [
        (0, FORMAT_VERSION, "another program"),
        (APPLICATION_ID, FORMAT_VERSION + 1, f"format {FORMAT_VERSION + 1}"),
    ],
)
async def test_a_file_of_another_program(tmp_path, application, version, words):
    with closing(sqlite3.connect(tmp_path / "journal.sqlite3")) as connection:
        connection.execute("CREATE TABLE other(a)")
        connection.execute(f"PRAGMA application_id = {application:d}")
        connection.execute(f"PRAGMA user_version = {version:d}")
    ((text, level),) = faults(await found_in(tmp_path)).items()
    assert words in text
    assert level is Level.ERROR


async def test_a_file_that_is_damaged(tmp_path, monkeypatch):
    file = await written(tmp_path)
    data = bytearray(file.read_bytes())
    data[4_096:] = bytes(len(data) - 4_096)
    file.write_bytes(data)
    ((_, level),) = faults(await found_in(tmp_path)).items()
    assert level is Level.ERROR
    monkeypatch.setattr(store_checks, "DOCTOR_CHECK_BYTES_MAX", 0)
    assert faults(await found_in(tmp_path)) == {}


async def test_a_file_whose_log_somebody_switched_off(tmp_path):
    file = await written(tmp_path)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    ((text, level),) = faults(await found_in(tmp_path)).items()
    assert "journal_mode=delete" in text
    assert level is Level.WARNING


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("nfs4", Level.ERROR),
        ("cifs", Level.ERROR),
        ("tmpfs", Level.WARNING),
        ("overlay", Level.WARNING),
        ("ext4", None),
    ],
)
def test_a_file_system_that_does_not_keep(kind, level):
    mounts = parse_mounts(
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        f"23 22 0:40 / /srv/my\\040data rw - {kind} server:/x rw\n"
        "24 22 0:41 / /srv/my\\040data/other rw - zfs pool rw\n"
        "nonsense\n"
    )
    levels = [f.level for f in check_filesystem(Path("/srv/my data/sub/file"), mounts)]
    assert levels == ([] if level is None else [level])
    assert list(check_filesystem(Path("/srv/file"), mounts)) == []
    assert list(check_filesystem(Path("/srv/file"), {})) == []


def test_the_kernel_says_what_is_mounted():
    assert Path("/") in read_mounts()


async def test_memory_is_no_place_to_keep_anything(tmp_path):
    ((_, level),) = faults(await found_in(tmp_path, store="memory:")).items()
    assert level is Level.WARNING


@pytest.mark.parametrize("store", ["mongo://x", "redis://h:0/x", "sqlite://relative"])
async def test_an_address_without_a_meaning(tmp_path, store):
    ((_, level),) = faults(await found_in(tmp_path, store=store)).items()
    assert level is Level.ERROR


# Redis


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis"), "--appendfsync", "always") as server:
        yield server


@pytest.fixture(autouse=True)
def _settings_as_they_were(request):
    yield
    if "redis" in request.fixturenames:
        server: RedisServer = request.getfixturevalue("redis")
        for words in (
            ("REPLICAOF", "NO", "ONE"),
            ("CONFIG", "SET", "appendonly", "yes", "appendfsync", "always"),
            ("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction"),
        ):
            server.command(*words)


async def test_a_redis_that_keeps_what_it_acknowledges(tmp_path, redis):
    findings = await found_in(tmp_path, store=redis.url)
    assert faults(findings) == {}
    assert any("appendfsync=always" in finding.text for finding in findings)


@pytest.mark.parametrize(
    ("words", "text", "level"),
    [
        (("appendonly", "no"), "appendonly is off", Level.ERROR),
        (("appendfsync", "everysec"), "can lose a second", Level.WARNING),
        (("appendfsync", "no"), "can lose whatever", Level.ERROR),
        (("maxmemory-policy", "allkeys-lru"), "throws rows away", Level.WARNING),
        (
            ("maxmemory", "100mb", "maxmemory-policy", "allkeys-random"),
            "throws rows away",
            Level.ERROR,
        ),
    ],
)
async def test_a_redis_that_may_lose_writes(tmp_path, redis, words, text, level):
    redis.command("CONFIG", "SET", *words)
    ((found, found_level),) = faults(await found_in(tmp_path, store=redis.url)).items()
    assert text in found
    assert found_level is level


async def test_waiting_for_disks_makes_up_for_lazy_ones(tmp_path, redis):
    redis.command("CONFIG", "SET", "appendfsync", "everysec")
    wrong = faults(await found_in(tmp_path, store=f"{redis.url}?waitaof=1"))
    assert [text for text in wrong if "appendfsync" in text] == []


async def test_a_redis_that_follows_another(tmp_path, redis):
    redis.command("REPLICAOF", "127.0.0.1", "1")
    ((text, level),) = faults(await found_in(tmp_path, store=redis.url)).items()
    assert "replica" in text
    assert level is Level.ERROR


async def test_a_redis_that_tells_nothing(tmp_path, redis):
    redis.command("ACL", "SETUSER", "shy", "on", ">pw", "~*", "+@all", "-config")
    url = redis.url.replace("//", "//shy:pw@")
    ((text, level),) = faults(await found_in(tmp_path, store=url)).items()
    assert "does not tell" in text
    assert level is Level.WARNING


async def test_a_redis_with_another_password(tmp_path, redis):
    redis.command("ACL", "SETUSER", "shy", "on", ">pw", "~*", "+@all", "-config")
    url = redis.url.replace("//", "//shy@")
    ((text, level),) = faults(await found_in(tmp_path, store=url, redis_password="hush")).items()
    assert level is Level.ERROR
    assert "hush" not in text


async def test_a_redis_with_another_clock(tmp_path, redis):
    settings = Settings(data_dir=tmp_path, store=redis.url)
    findings = await check_store(settings, lambda: now_micros() - 7_000_000)
    ((text, level),) = faults(findings).items()
    assert "+7.0" in text
    assert level is Level.WARNING


async def test_a_redis_that_is_not_there(tmp_path):
    ((_, level),) = faults(await found_in(tmp_path, store="redis://127.0.0.1:1/0")).items()
    assert level is Level.ERROR
