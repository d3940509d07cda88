"""Redis URL: which servers, which key prefix, and how patient and careful the store is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from persistence.errors import StoreAddressError
from persistence.limits import (
    REDIS_NAME_BYTES_MAX,
    REDIS_OUTAGE_SECONDS_DEFAULT,
    REDIS_REPLY_SECONDS_DEFAULT,
)

__all__ = ["REDIS_SCHEMES", "RedisAddress", "hide_password", "parse_redis_url"]

_T = TypeVar("_T")

REDIS_SCHEMES = ("redis", "rediss")

_PORT = 6379
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_SECRET = re.compile(r"//.*@")


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """What a URL says. ``str()`` is a URL again, without user and password.

    Attributes:
        nodes: host and port, tried one after the other: one server, a primary and its replicas, or
            any nodes of a cluster, which tell where the keys are.
        name: prefix and hash tag of all keys; stores of different names know nothing of each other.
        outage_seconds: how long writes wait for a server that went away before they fail.
        reply_seconds: how long one reply may take before the connection counts as lost.
        sync: how many disks, here (0 or 1) and of replicas, must have a write (WAITAOF).
    """

    nodes: tuple[tuple[str, int], ...]
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    is_tls: bool = False
    ca_file: str | None = None
    name: str = "genarrative"
    outage_seconds: float = REDIS_OUTAGE_SECONDS_DEFAULT
    reply_seconds: float = REDIS_REPLY_SECONDS_DEFAULT
    sync: tuple[int, int] | None = None

    def __str__(self) -> str:
        scheme = "rediss" if self.is_tls else "redis"
        hosts = ",".join(f"[{h}]:{p}" if ":" in h else f"{h}:{p}" for h, p in self.nodes)
        return f"{scheme}://{hosts}/{self.db}?name={self.name}"


def parse_redis_url(url: str, name: str, password: str | None = None) -> RedisAddress:
    """Read ``redis://[user:password@]host:port/db?name=...``.

    ``rediss`` is TLS. Several ``host:port`` stand with commas between them.
    Parameters: ``name``, ``outage_seconds``, ``reply_seconds``, ``ca`` (a file of certificates),
    ``waitaof`` (``disks here,disks of replicas``).

    Args:
        url: the URL.
        name: prefix of the keys, unless the URL says another.
        password: used when the URL has none.

    Raises:
        StoreAddressError: the URL cannot be understood; its text has no password.
    """
    parts = urlsplit(url)
    shown = hide_password(url)
    if parts.scheme not in REDIS_SCHEMES:
        raise StoreAddressError(shown, f"the scheme is none of {', '.join(REDIS_SCHEMES)}")
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, secret = credentials.partition(":")
    given = parse_qsl(parts.query, keep_blank_values=True)
    parameters = dict(given)
    if len(parameters) < len(given):
        raise StoreAddressError(shown, "a parameter is given twice")

    def take(key: str, read: Callable[[str], _T], default: _T) -> _T:
        if key not in parameters:
            return default
        try:
            return read(parameters.pop(key))
        except ValueError as error:
            raise StoreAddressError(shown, f"{key}: {error}") from None

    try:
        nodes = tuple(_node(host) for host in hosts.split(","))
        db = int(parts.path.strip("/") or 0)
    except ValueError as error:
        raise StoreAddressError(shown, str(error)) from None
    address = RedisAddress(
        nodes=nodes,
        db=db,
        username=unquote(user) or None,
        password=unquote(secret) or password or None,
        is_tls=parts.scheme == "rediss",
        ca_file=take("ca", str, None),
        name=take("name", str, name),
        outage_seconds=take("outage_seconds", _seconds, REDIS_OUTAGE_SECONDS_DEFAULT),
        reply_seconds=take("reply_seconds", _seconds, REDIS_REPLY_SECONDS_DEFAULT),
        sync=take("waitaof", _sync, None),
    )
    _check(address, shown)
    if parameters:
        raise StoreAddressError(shown, f"unknown parameter {next(iter(parameters))}")
    return address


def hide_password(url: str) -> str:
    """The URL without user and password, for people and logs; rather too much hidden than little.

    A password with a slash in it must be percent-encoded, and when it is not, it ends up in the
    path.
    """
    return _SECRET.sub("//***@", url)


def _check(address: RedisAddress, shown: str) -> None:
    if not _NAME.fullmatch(address.name) or len(address.name) > REDIS_NAME_BYTES_MAX:
        raise StoreAddressError(shown, "a name is letters, digits, dots, dashes and underscores")
    if address.db < 0:
        raise StoreAddressError(shown, "there is no such database")
    if address.ca_file is not None and not address.is_tls:
        raise StoreAddressError(shown, "ca needs rediss://")


def _node(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("a host is missing")
    return parts.hostname, parts.port or _PORT


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:
        raise ValueError("must be above 0 and at most 3600")
    return seconds


def _sync(text: str) -> tuple[int, int]:
    here, _, replicas = text.partition(",")
    sync = int(here), int(replicas or 0)
    if sync[0] not in (0, 1) or sync[1] < 0 or sync == (0, 0):
        raise ValueError("is 1, or 0 or 1 and a number of replicas, as in 1,1")
    return sync
