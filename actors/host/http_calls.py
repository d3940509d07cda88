"""HTTP calls: a module's functions, run for callers who wait for an answer and see nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from actors.errors import ReducerError
from actors.host.admission import Admission, admit_at
from actors.host.caller import Caller
from actors.host.procedures import Run
from actors.host.turns import Read, unavailable
from actors.module.functions import ProcedureDeclaration, ReducerDeclaration
from actors.module.routes import Route, ServerEvent

if TYPE_CHECKING:
    from actors.host.host import Host

__all__ = ["HttpCalls"]


class HttpCalls:
    """Runs the functions of routes. What a caller learns is durable when it learns it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def now(self) -> int:
        """The host's time, in microseconds since the Unix epoch."""
        return self._host.clock()

    async def call(
        self, route: Route, arguments: tuple[Any, ...], caller: Caller, admission: Admission | None
    ) -> object:
        """Run a route's function to its answer.

        Raises:
            ReducerError: the function refuses, the caller lacks a role or is over a rate, or
                ``state.actor_unavailable``: the store failed meanwhile.
        """
        restarts = self._host.rounds.restarts
        self._admit(route, caller, admission)
        try:
            answer = await self._run(route.function, arguments, caller, admission)
        except ReducerError:
            await self._see(restarts)  # what it refuses for may be as new as an answer
            raise
        await self._see(restarts)
        return answer

    async def stream(
        self, route: Route, arguments: tuple[Any, ...], caller: Caller, admission: Admission | None
    ) -> AsyncGenerator[ServerEvent, None]:
        """Run a route's generator; raises as ``call`` does, at any event. To be closed."""
        restarts = self._host.rounds.restarts
        self._admit(route, caller, admission)
        events = route.function(Run(self._host, caller, admission), *arguments)
        async with aclosing(events):
            try:
                async for event in events:
                    await self._see(restarts)
                    yield event
            except ReducerError:
                await self._see(restarts)
                raise

    async def _run(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        caller: Caller,
        admission: Admission | None,
    ) -> object:
        declaration = getattr(function, "__declaration__", None)
        if isinstance(declaration, ReducerDeclaration):
            # Its rate has been taken already.
            return await Run(self._host, caller).call(function, *arguments)
        run = Run(self._host, caller, admission)
        if isinstance(declaration, ProcedureDeclaration):
            return await self._run_procedure(declaration, arguments, caller, run)
        return await function(run, *arguments)

    def _admit(self, route: Route, caller: Caller, admission: Admission | None) -> None:
        declaration = getattr(route.function, "__declaration__", None)
        rates = {route.rate, None if declaration is None else declaration.rate} - {None}
        for rate in rates:
            admit_at(admission, caller.claims, self._host.clock(), rate)

    async def _run_procedure(
        self,
        declaration: ProcedureDeclaration,
        arguments: tuple[Any, ...],
        caller: Caller,
        run: Run,
    ) -> object:
        host = self._host
        endpoint = host.catalogue.procedures[declaration.name].endpoint
        endpoint.authorize(caller, host.clock())
        if declaration.is_async:
            return await endpoint.function(run, *arguments)
        reply = host.future_reply()
        host.tell(
            endpoint.route(caller, arguments),
            Read(lambda view: endpoint.function(view, *arguments), caller, reply),
        )
        return await reply

    async def _see(self, restarts: int) -> None:
        """Wait until all that was read is durable; what a failed store took back is not told."""
        host = self._host
        if not await host.durable() or host.rounds.restarts != restarts:
            raise unavailable()
