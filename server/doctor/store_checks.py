"""Checks of the store: that it can be reached, is ours, and keeps what it acknowledges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from persistence.errors import StoreError
from persistence.locator import find_place
from persistence.redis_survey import RedisSurvey, survey_redis
from persistence.redis_url import RedisAddress
from persistence.sqlite_survey import survey_sqlite
from server.doctor.findings import Finding, error, fine, warning
from server.doctor.mounts import read_mounts
from server.limits import DOCTOR_CHECK_BYTES_MAX, DOCTOR_CLOCK_SECONDS_MAX
from server.settings import Settings

__all__ = ["check_filesystem", "check_store", "judge_redis"]

_NETWORK = frozenset({"9p", "afs", "ceph", "cifs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3"})
_MEMORY = frozenset({"ramfs", "tmpfs"})
_VERSION_MIN = (7, 0)
_WAITAOF_VERSION_MIN = (7, 2)
_STORES = "docs/stores.md"


async def check_store(settings: Settings, clock: Callable[[], int]) -> list[Finding]:
    """Look at the store that the settings name; ``clock`` is in microseconds since 1970."""
    password = settings.redis_password.get_secret_value() or None
    try:
        place = find_place(
            settings.store, settings.data_dir, name=settings.database, redis_password=password
        )
        if place is None:
            advice = "name another store before anybody depends on it"
            return [warning("store", "memory forgets everything when the server stops", advice)]
        if isinstance(place, Path):
            return [*_check_sqlite(place), *check_filesystem(place, read_mounts())]
        survey = await survey_redis(place, clock)
    except StoreError as fault:
        return [error("store", str(fault), f"correct `store` or what it names ({_STORES})")]
    return list(judge_redis(place, survey))


def check_filesystem(file: Path, mounts: Mapping[Path, str]) -> Iterator[Finding]:
    """Whether a file is on a disk of this machine; ``mounts`` are kinds of file systems."""
    places = [place for place in file.absolute().parents if place in mounts]
    kind = mounts[places[0]] if places else ""
    if kind in _NETWORK:
        text = f"{file} is on a network ({kind}), where SQLite cannot be trusted"
        yield error("store", text, "move it to a disk of this machine, or use Redis")
    elif kind in _MEMORY:
        text = f"{file} is in memory ({kind}) and gone after a restart of the machine"
        yield warning("store", text, "move it to a disk")
    elif kind == "overlay":
        text = f"{file} is in a container's own layer and gone with the container"
        yield warning("store", text, "mount a volume there")


def _check_sqlite(file: Path) -> Iterator[Finding]:
    if not file.exists():
        yield fine("store", f"{file} is made at the first start")
        return
    try:
        survey = survey_sqlite(file, DOCTOR_CHECK_BYTES_MAX)
    except StoreError as fault:
        advice = f"restore it from a backup, or name another one in `store` ({_STORES})"
        yield error("store", str(fault), advice)
        return
    if survey.damage:
        yield error("store", f"{file} is damaged: {survey.damage}", "restore it from a backup")
    elif survey.journal_mode != "wal":
        text = f"{file} has journal_mode={survey.journal_mode}, not wal"
        yield warning("store", text, "whoever changed it should not; the next start puts it right")
    else:
        yield fine("store", f"{file}, WAL, {survey.size_bytes:,} bytes; commits are synced")


def judge_redis(address: RedisAddress, survey: RedisSurvey) -> Iterator[Finding]:
    """Say what can become of acknowledged writes with these settings."""
    version = ".".join(map(str, survey.version))
    if survey.version < _VERSION_MIN:
        yield error("store", f"this is Redis {version}", "install Redis 7.0 or newer")
    elif address.sync is not None and survey.version < _WAITAOF_VERSION_MIN:
        yield error("store", f"waitaof with Redis {version}", "install Redis 7.2 or newer")
    else:
        yield fine("store", f"{address}, Redis {version}")
    if survey.role != "master":
        yield error("store", "this is a replica, which takes no writes", "name its primary")
    if not survey.settings:
        text = "the server does not tell its settings, so nobody knows what it can lose"
        yield warning("store", text, "allow the user CONFIG GET")
    else:
        yield from _judge_durability(survey.settings, is_waited_for=address.sync is not None)
        yield from _judge_memory(survey.settings)
    text = f"Redis' clock is {survey.ahead_seconds:+.3f} s from ours"
    if abs(survey.ahead_seconds) > DOCTOR_CLOCK_SECONDS_MAX:
        yield warning("clock", text, "let both machines set their clocks by NTP")
    else:
        yield fine("clock", text)


def _judge_durability(settings: Mapping[str, str], *, is_waited_for: bool) -> Iterator[Finding]:
    keep = "and `CONFIG REWRITE`, to keep that"
    policy = settings["appendfsync"]
    if settings["appendonly"] != "yes":
        text = "appendonly is off: a restart of Redis loses all since its last snapshot"
        yield error("durability", text, f"`CONFIG SET appendonly yes` {keep}")
    elif is_waited_for:
        yield fine("durability", f"appendonly, waitaof (appendfsync={policy})")
    elif policy == "always":
        yield fine("durability", "appendonly, appendfsync=always")
    else:
        lost = "a second" if policy == "everysec" else "whatever its system has not written"
        text = f"appendfsync is {policy}: a crash of Redis' machine can lose {lost}"
        advice = f"`CONFIG SET appendfsync always` {keep}, or ?waitaof=1 in `store`"
        make = warning if policy == "everysec" else error
        yield make("durability", text, advice)


def _judge_memory(settings: Mapping[str, str]) -> Iterator[Finding]:
    policy = settings["maxmemory-policy"]
    if policy.startswith("allkeys"):
        text = f"maxmemory-policy is {policy}: Redis throws rows away when memory is short"
        advice = "`CONFIG SET maxmemory-policy noeviction` and `CONFIG REWRITE`"
        make = warning if settings["maxmemory"] == "0" else error
        yield make("durability", text, advice)
    else:
        yield fine("durability", f"maxmemory={settings['maxmemory']}, {policy}")
