"""Redis survey: how a server is set up, seen by somebody who neither owns nor changes the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, RedisError

from persistence.errors import StoreReadError
from persistence.redis_faults import reason_of
from persistence.redis_url import RedisAddress

__all__ = ["RedisSurvey", "survey_redis"]

_MICROS = 1_000_000


class RedisSurvey(NamedTuple):
    """One Redis server.

    Attributes:
        version: its numbers, as in ``(7, 2)``.
        role: ``master`` or ``slave``.
        settings: those of append-only file and memory; empty when the server does not tell.
        ahead_seconds: how far its clock is before ours, as well as that can be known.
    """

    version: tuple[int, ...]
    role: str
    settings: Mapping[str, str]
    ahead_seconds: float


async def survey_redis(address: RedisAddress, clock: Callable[[], int]) -> RedisSurvey:
    """Ask the first of the nodes that answers; ``clock`` is in microseconds since 1970.

    Raises StoreReadError when none does.
    """
    reason = "there is no node"
    for host, port in address.nodes:
        try:
            return await _ask(address, host, port, clock)
        except (RedisError, OSError) as error:
            reason = f"{host}:{port}: {reason_of(error)}"
    raise StoreReadError(reason)


async def _ask(
    address: RedisAddress, host: str, port: int, clock: Callable[[], int]
) -> RedisSurvey:
    client: Any = Redis(
        host=host,
        port=port,
        db=address.db,
        username=address.username,
        password=address.password,
        ssl=address.is_tls,
        ssl_ca_certs=address.ca_file,
        socket_timeout=address.reply_seconds,
        socket_connect_timeout=address.reply_seconds,
        decode_responses=True,
        retry=Retry(NoBackoff(), 0),
    )
    async with client:
        server = await client.info("server")
        replication = await client.info("replication")
        try:
            settings = await client.config_get("append*", "maxmemory*")
        except NoPermissionError:
            settings = {}
        asked_at = clock()
        seconds, micros = await client.time()
        answered_at = clock()
    version = tuple(int(part) for part in server["redis_version"].split(".") if part.isdigit())
    ahead = seconds * _MICROS + micros - (asked_at + answered_at) / 2
    return RedisSurvey(version, replication["role"], settings, ahead / _MICROS)
