"""Effect runs: a module's effects as workers, with the calls and looks that they may make."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from actors.host.caller import service_caller
from actors.host.effects import Effect
from actors.host.procedures import Run
from actors.keys import ActorKey, user_id_of
from actors.module.context import ViewContext
from actors.module.effects import EffectDeclaration
from actors.module.system import OutboxMessage
from actors.module.types import product_type
from protocol.bsatn import compile_codec
from protocol.values import Identity

if TYPE_CHECKING:
    from actors.host.host import Host

__all__ = ["EffectRun", "declared_worker"]


class EffectRun(Run):
    """One run of an effect; implements ``module.EffectContext``."""

    __slots__ = ("_on_behalf_of", "source")

    def __init__(self, host: Host, source: ActorKey, on_behalf_of: Identity) -> None:
        super().__init__(host, service_caller("effects"))
        self.source = source
        self._on_behalf_of = on_behalf_of

    @property
    def for_user(self) -> str:
        """The user on whose behalf the actor asked."""
        return user_id_of(self._on_behalf_of)

    @asynccontextmanager
    async def unless(
        self, actor: ActorKey, query: Callable[[ViewContext], object | None]
    ) -> AsyncIterator[None]:
        """Run a body, and cut it short as soon as a reading function answers something."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as body:

                async def watch() -> None:
                    while await self.until(actor, query) is None:
                        pass
                    body.reschedule(loop.time())

                watcher = loop.create_task(watch())
                try:
                    yield
                finally:
                    watcher.cancel()
                    await asyncio.gather(watcher, return_exceptions=True)
        except TimeoutError:
            if not body.expired():
                raise


def declared_worker(host: Host, effect: EffectDeclaration) -> Effect:
    """The worker that runs a declared effect, with what the server provides if it wants that."""
    provided = () if effect.port is None else (host.providers[effect.port],)
    decode = compile_codec(product_type(effect.payload)).decode_all

    async def work(source: ActorKey, message: OutboxMessage) -> None:
        run = EffectRun(host, source, message.on_behalf_of)
        await effect.function(run, *provided, decode(message.payload))

    return work
