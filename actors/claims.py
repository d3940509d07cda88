"""Claims: what a verified token says of its bearer."""

from __future__ import annotations

from typing import NamedTuple

from protocol.values import Identity

__all__ = ["ROLES", "Claims"]

ROLES = frozenset({"player", "creator", "moderator", "service", "admin"})
"""Every role there is (domain 1.8)."""


class Claims(NamedTuple):
    """A caller's verified claims, attached to every call that it makes (domain 1.8).

    Times are microseconds since the Unix epoch. ``roles`` holds members of ``ROLES`` and was read
    from a trusted issuer, or is the default ``player`` and ``creator``.
    """

    issuer: str
    subject: str
    audience: tuple[str, ...]
    identity: Identity
    roles: frozenset[str]
    display_name: str | None
    locale: str | None
    issued_at: int
    expires_at: int | None
    raw_claims_json: str
