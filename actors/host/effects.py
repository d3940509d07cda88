"""Effects: requests for things outside, handed to workers once they are durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, KeysView
from typing import Any

from actors.host.mail import EFFECT
from actors.host.tallies import EffectTally
from actors.keys import ActorKey
from actors.limits import EFFECT_SECONDS_MAX
from actors.module.system import OutboxMessage

__all__ = ["Effect", "Effects"]

log = logging.getLogger("actors.effects")

Effect = Callable[[ActorKey, OutboxMessage], Awaitable[None]]
"""An effect worker: gets the requesting actor and the request, after it is durable. When it
returns, the request is done; when it raises or outlasts its lease, the request comes again."""


class Effects:
    """Workers by kind, and the requests that they are at.

    Args:
        acknowledge: called with (requester, worker's key, number) when a request is done.
        refuse: called likewise when a worker raised; the request comes again, later.
        spawn: runs a coroutine beside the rest.

    Attributes:
        tallies: by kind, what became of requests.
    """

    def __init__(
        self,
        acknowledge: Callable[[ActorKey, ActorKey, int], None],
        refuse: Callable[[ActorKey, ActorKey, int], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._acknowledge = acknowledge
        self._refuse = refuse
        self._spawn = spawn
        self._workers: dict[str, Effect] = {}
        self._running: set[str] = set()
        self.tallies: dict[str, EffectTally] = {}

    def register(self, kind: str, worker: Effect) -> None:
        """Let a worker serve the requests of a kind."""
        self._workers[kind] = worker
        self.tallies[kind] = EffectTally()

    @property
    def served(self) -> KeysView[str]:
        """The kinds that have workers, whenever one looks."""
        return self._workers.keys()

    def request(self, source: ActorKey, message: OutboxMessage) -> None:
        """Run a durable request, unless it runs; without a worker it waits in its outbox."""
        worker = self._workers.get(message.dst_actor.removeprefix(EFFECT))
        if worker is not None and message.message_key not in self._running:
            self._running.add(message.message_key)
            self._spawn(self._run(worker, source, message))

    async def _run(self, worker: Effect, source: ActorKey, message: OutboxMessage) -> None:
        by = ActorKey(message.dst_actor)
        tally = self.tallies[message.dst_actor.removeprefix(EFFECT)]
        tally.running += 1
        try:
            async with asyncio.timeout(EFFECT_SECONDS_MAX):
                await worker(source, message)
        except Exception:
            tally.failed += 1
            log.exception(
                "effect %s failed", message.message_key, extra={"actor": source, "call": by}
            )
            self._running.discard(message.message_key)
            self._refuse(source, by, message.dst_seq)
        else:
            tally.done += 1
            self._running.discard(message.message_key)
            self._acknowledge(source, by, message.dst_seq)
        finally:
            tally.running -= 1
