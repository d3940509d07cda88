"""Letters: messages that broke their handler too often, kept aside so that they hold up nobody."""

from __future__ import annotations

import logging
from typing import NamedTuple

from actors.host.core import ActorCore, failure_text
from actors.keys import ActorKey
from actors.module.system import DeadLetter
from protocol.values import Identity, Timestamp

__all__ = ["Broken", "park"]

log = logging.getLogger("actors.letters")


class Broken(NamedTuple):
    """A message that its handler could not take; ``source`` is the actor itself for timers."""

    message_key: str
    source: ActorKey
    kind: str
    payload: bytes
    on_behalf_of: Identity


def park(core: ActorCore, now: Timestamp, broken: Broken, error: Exception) -> None:
    """Keep a message as a dead letter, inside the running transaction (domain 12.1)."""
    core.database[DeadLetter].upsert(
        DeadLetter(
            message_key=broken.message_key,
            src_actor=broken.source,
            dst_actor=core.key,
            kind=broken.kind,
            error=failure_text(error),
            payload=broken.payload,
            on_behalf_of=broken.on_behalf_of,
            parked_at=now,
        )
    )
    core.outlet.letter_parked(core.key)
    log.error("%s is parked as a dead letter of %s", broken.message_key, core.key)
