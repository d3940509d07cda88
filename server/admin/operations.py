"""Operations: the server's own calls to the actors that keep what operators do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from actors import ActorKey, ViewContext
from actors.host import Host
from actors.host.caller import service_caller
from actors.host.procedures import Run
from actors.operations.kinds import OPERATIONS, OPERATIONS_ROLE

__all__ = ["OPERATIONS_KEY", "Operations"]

OPERATIONS_KEY = OPERATIONS.key("0")

Answer = TypeVar("Answer")


class Operations:
    """Calls functions of ``actors.operations``, which nobody else can."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._caller = service_caller("operations", OPERATIONS_ROLE)

    async def call(self, reducer: Callable[..., Answer], *args: object) -> Answer:
        """Call a reducer; its answer is durable. Raises ReducerError when it refuses."""
        return await Run(self._host, self._caller).call(reducer, *args)

    async def read(
        self, query: Callable[[ViewContext], Answer], actor: ActorKey = OPERATIONS_KEY
    ) -> Answer:
        """Run a reading function inside one actor, between its turns."""
        return await Run(self._host, self._caller).read(actor, query)

    async def until(
        self, actor: ActorKey, query: Callable[[ViewContext], Answer | None], seconds: float
    ) -> Answer | None:
        """Wait until a reading function answers something; None after the deadline."""
        return await Run(self._host, self._caller).until(actor, query, seconds)
