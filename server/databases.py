"""Databases of this server by name and by identity; one today, behind the same look-up."""

from __future__ import annotations

from typing import NamedTuple

from blake3 import blake3

from protocol.identity import identity_from_claims
from protocol.values import Identity

__all__ = ["Database", "Databases", "database_identity"]


class Database(NamedTuple):
    """A hosted database: the name in addresses and the identity that stands for it."""

    name: str
    identity: Identity

    @property
    def owner(self) -> Identity:
        """Who owns it to clients that ask: the subject of the plain service token."""
        return identity_from_claims("localhost", "service")


def database_identity(name: str, secret: bytes) -> Identity:
    """Identity of a database: the same for a data folder's life, different between folders.

    Args:
        name: the database's name.
        secret: 32 bytes that belong to the data folder; not recoverable from the result.
    """
    subject = blake3(name.encode(), key=secret).hexdigest(length=16)
    return identity_from_claims("localhost", f"database:{subject}")


class Databases:
    """Look-up of the first path segment after ``/v1/database/`` (wire spec 1)."""

    def __init__(self, *databases: Database) -> None:
        self._by_name = {database.name: database for database in databases}
        self._by_identity = {database.identity: database for database in databases}

    def find(self, name_or_identity: str) -> Database | None:
        """Find by name, or by 64 hex digits (``0x`` allowed), which are never taken as a name."""
        try:
            identity = Identity.from_hex(name_or_identity)
        except ValueError:
            return self._by_name.get(name_or_identity)
        return self._by_identity.get(identity)

    def owned_by(self, identity: Identity) -> list[Database]:
        """The databases of an owner."""
        return [one for one in self._by_name.values() if one.owner == identity]
