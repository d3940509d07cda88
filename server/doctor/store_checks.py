"""Checks of the store: that it can be reached, is ours, and keeps what it acknowledges."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from persistence.errors import StoreError
from persistence.locator import open_store
from persistence.redis_survey import RedisSurvey, survey_redis
from persistence.redis_url import RedisAddress, parse_redis_url
from persistence.sqlite_survey import survey_sqlite
from server.doctor.findings import Finding, error, fine, warning
from server.doctor.mounts import filesystem_of
from server.limits import DOCTOR_CHECK_BYTES_MAX, DOCTOR_CLOCK_SECONDS_MAX
from server.settings import Settings

__all__ = ["check_store"]

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "afs", "ceph", "fuse.sshfs", "lustre"})
_MEMORY = frozenset({"tmpfs", "ramfs"})
_VERSION_MIN = (7, 0)
_WAITAOF_VERSION_MIN = (7, 2)


async def check_store(settings: Settings, clock: Callable[[], int]) -> list[Finding]:
    """Look at the store that the settings name; ``clock`` is in microseconds since 1970."""
    password = settings.redis_password.get_secret_value() or None
    try:
        store = open_store(
            settings.store, settings.data_dir, name=settings.database, redis_password=password
        )
    except StoreError as fault:
        return [error("store", str(fault), "correct the setting `store` (docs/stores.md)")]
    if settings.store == "memory:":
        advice = "name another store before anybody depends on it"
        return [warning("store", "memory forgets everything when the server stops", advice)]
    if isinstance(store, SqliteStore):
        return list(_check_sqlite(store.path))
    address = parse_redis_url(settings.store, settings.database, password)
    try:
        survey = await survey_redis(address, clock)
    except StoreError as fault:
        advice = "start Redis, or correct `store` and `redis_password`"
        return [error("store", f"{address}: {fault}", advice)]
    return list(_judge_redis(address, survey))
