"""Upgrade request: which subprotocol is spoken and what the query parameters ask for.

Source: wire spec 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import parse_qsl

from protocol.errors import DecodeError
from protocol.values import ConnectionId

__all__ = [
    "SUPPORTED",
    "Compression",
    "Subprotocol",
    "UpgradeOptions",
    "choose_subprotocol",
    "parse_upgrade_query",
]


class Subprotocol(StrEnum):
    """Names of the wire's versions, in the server's order of preference."""

    V3_BSATN = "v3.bsatn.spacetimedb"
    V2_BSATN = "v2.bsatn.spacetimedb"
    V1_BSATN = "v1.bsatn.spacetimedb"
    V1_JSON = "v1.json.spacetimedb"

    @property
    def confirmed_by_default(self) -> bool:
        """Whether data waits for durability when the client does not say (wire spec 8.4)."""
        return self in (Subprotocol.V3_BSATN, Subprotocol.V2_BSATN)


SUPPORTED = tuple(Subprotocol)
"""Subprotocols that are chosen when they are offered: all that there are."""


class Compression(StrEnum):
    """The most that the client can inflate: a ceiling, we always send uncompressed bodies."""

    NONE = "None"
    BROTLI = "Brotli"
    GZIP = "Gzip"


class UpgradeOptions(NamedTuple):
    """Query parameters of an upgrade, defaults filled in.

    ``token`` is None when absent or empty; an ``Authorization`` header wins over it.
    ``connection_id`` is None when the server has to draw one. ``light`` matters to v1 only.
    """

    compression: Compression
    light: bool
    confirmed: bool
    token: str | None
    connection_id: ConnectionId | None


_CONNECTION_ID = re.compile(r"[0-9a-fA-F]{32}")
_NAMES = frozenset(("token", "compression", "light", "confirmed", "connection_id"))


def choose_subprotocol(
    offered: Iterable[str], supported: Iterable[Subprotocol] = SUPPORTED
) -> Subprotocol | None:
    """Pick the first of the server's own order that the client listed; None: answer 400.

    Args:
        offered: values of ``Sec-WebSocket-Protocol``, each one name or a comma-separated list.
        supported: what the server speaks, best first.
    """
    names = {name.strip() for value in offered for name in value.split(",")}
    return next((candidate for candidate in supported if candidate.value in names), None)


def _parse_bool(name: str, text: str | None, *, default: bool) -> bool:
    if text is None:
        return default
    if text in ("true", "false"):
        return text == "true"
    raise DecodeError(f"{name} is true or false")


def _parse_compression(text: str | None) -> Compression:
    if text is None:
        return Compression.BROTLI
    try:
        return Compression(text)
    except ValueError:
        raise DecodeError("compression is None, Brotli or Gzip") from None


def _parse_connection_id(text: str | None) -> ConnectionId | None:
    if text is None:
        return None
    if not _CONNECTION_ID.fullmatch(text):
        raise DecodeError("connection_id has 32 hex digits")
    value = ConnectionId.from_hex(text)
    if value == 0:
        raise DecodeError("connection_id of all zeros means none and cannot be chosen")
    return value


def parse_upgrade_query(query: str, subprotocol: Subprotocol) -> UpgradeOptions:
    """Read the query string of an upgrade request (without the question mark).

    Unknown parameters are ignored. Values are case-sensitive.

    Raises:
        DecodeError: a known parameter has a value that is not allowed, or comes twice; the
            request is answered 400 with this text.
    """
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in values:
            raise DecodeError(f"{name} is given twice")
        if name in _NAMES:
            values[name] = value
    return UpgradeOptions(
        compression=_parse_compression(values.get("compression")),
        light=_parse_bool("light", values.get("light"), default=False),
        confirmed=_parse_bool(
            "confirmed", values.get("confirmed"), default=subprotocol.confirmed_by_default
        ),
        token=values.get("token") or None,
        connection_id=_parse_connection_id(values.get("connection_id")),
    )
