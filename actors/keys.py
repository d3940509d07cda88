"""Keys: which actor, of which kind, a message is for.

An actor's key is ``kind/name``. A kind says how a call finds its actor and whose queries read it;
nothing else in the system knows about users, sessions or shards (domain 1.2, 1.6).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import NewType, TypeAlias

from protocol.values import Identity

__all__ = ["DATABASE", "ActorKey", "ActorKind", "Audience", "Kinds", "kinds_of", "user_id_of"]

ActorKey = NewType("ActorKey", str)
"""``kind/name``, for example ``user/u_0123``; ASCII, at most 200 characters."""


class Audience(Enum):
    """Whose subscriptions read the actors of a kind."""

    EVERYONE = "everyone"
    """Every caller's queries read all actors of the kind: a fixed number of shards."""
    CALLER = "caller"
    """A caller's queries read the one actor that is named by the caller's own user id."""
    ATTACHED = "attached"
    """A caller's queries read the actors that the caller's own actor has attached."""


@dataclass(frozen=True, slots=True)
class ActorKind:
    """A family of actors that own the same tables and serve the same reducers.

    Attributes:
        name: first part of the key, a lower-case word.
        audience: whose queries read these actors.
        key_fields: fields of a call's input that may name the actor; the first one that the input
            has does. For CALLER it may name another user than the caller, which only privileged
            callers may do. For CALLER and ATTACHED the value is cut at its first dot, so that the
            id of a row routes as well (domain 1.3).
        shards: how many actors of an EVERYONE kind there are.
        names: how the names of its actors begin; by that a call finds its actor when its function
            runs in actors of several kinds.
    """

    name: str
    audience: Audience = Audience.EVERYONE
    key_fields: tuple[str, ...] = ()
    shards: int = 1
    names: tuple[str, ...] = ()

    def key(self, name: str) -> ActorKey:
        """The key of one actor of this kind."""
        return ActorKey(f"{self.name}/{name}")

    def shard_key(self, routing_key: str) -> ActorKey:
        """The shard that owns a routing key (domain 1.2): SHA-256, first 4 bytes, big-endian."""
        digest = hashlib.sha256(routing_key.encode()).digest()
        return self.key(str(int.from_bytes(digest[:4], "big") % self.shards))

    def shard_keys(self) -> tuple[ActorKey, ...]:
        """Every shard of an EVERYONE kind, in order."""
        return tuple(self.key(str(shard)) for shard in range(self.shards))


DATABASE = ActorKind("database")
"""The one actor of a module that declares no kinds of its own."""

Kinds: TypeAlias = ActorKind | tuple[ActorKind, ...]
"""Where a declaration belongs: to actors of one kind, or of several."""


def kinds_of(actor: Kinds) -> tuple[ActorKind, ...]:
    """One kind or several, as several."""
    return actor if isinstance(actor, tuple) else (actor,)


def user_id_of(identity: Identity) -> str:
    """``u_`` and the first 32 hex digits of the identity's hash part (domain 1.8)."""
    return f"u_{str(identity)[12:44]}"
