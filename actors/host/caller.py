"""Caller: who makes a call, over which connection."""

from __future__ import annotations

from actors.claims import Claims
from actors.keys import ActorKey, ActorKind, user_id_of
from protocol.identity import identity_from_claims
from protocol.values import ConnectionId, Identity

__all__ = ["Caller", "service_caller"]

_ISSUER = "genarrative"

_PRIVILEGED = frozenset({"service", "admin"})


class Caller:
    """A verified caller; one object for all calls of a connection.

    Attributes:
        identity_bytes: the identity as the journal keeps it, 32 bytes little-endian.
        protocol: the subprotocol of the connection; empty when no socket called.
        is_privileged: may name another user than itself (domain 1.8).
    """

    __slots__ = (
        "_keys",
        "claims",
        "connection_id",
        "identity",
        "identity_bytes",
        "is_privileged",
        "protocol",
        "user_id",
    )

    def __init__(self, claims: Claims, connection_id: ConnectionId, protocol: str = "") -> None:
        self.claims = claims
        self.connection_id = connection_id
        self.protocol = protocol
        self.identity: Identity = claims.identity
        self.identity_bytes = claims.identity.to_bytes(32, "little")
        self.user_id = user_id_of(claims.identity)
        self.is_privileged = not claims.roles.isdisjoint(_PRIVILEGED)
        self._keys: dict[str, ActorKey] = {}

    def key_in(self, kind: ActorKind) -> ActorKey:
        """The key of the caller's own actor of a kind.

        The same string for all calls, because the hash of a string that is there is known.
        """
        key = self._keys.get(kind.name)
        if key is None:
            key = self._keys[kind.name] = kind.key(self.user_id)
        return key

    def log_fields(self) -> dict[str, str]:
        """Who calls, for a log."""
        fields = {"user": self.user_id}
        if self.connection_id:
            fields["connection"] = str(self.connection_id)
        return fields


def service_caller(subject: str, *roles: str) -> Caller:
    """The server itself as a caller, in one of its parts; its role is ``service`` or these."""
    identity = identity_from_claims(_ISSUER, subject)
    has = frozenset(roles or ("service",))
    claims = Claims(_ISSUER, subject, (), identity, has, None, None, 0, None, "{}")
    return Caller(claims, ConnectionId(0))
