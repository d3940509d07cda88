"""Turn context: what a log that is made inside a turn is about."""

from __future__ import annotations

import threading

from actors.host import Host
from server.logs import Context

__all__ = ["turn_context"]


def turn_context(host: Host) -> Context:
    """Name the actor, its journal's last turn, the call and the caller; nothing beside turns.

    To be called in the thread of the host's loop. Turns pay for none of this.
    """
    thread = threading.get_ident()

    def context() -> dict[str, object]:
        running = host.running
        if running is None or threading.get_ident() != thread:
            return {}
        core = running.core
        _, name, caller, _ = running.turn.note()
        fields: dict[str, object] = {"actor": core.key, "call": name, "seq": core.seq}
        if caller is not None:
            fields.update(caller.log_fields())
        return fields

    return context
