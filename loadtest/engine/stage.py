"""Stage: where a scenario plays: the server, the plan, the time, and the meter of one process."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.bot import Bot
from loadtest.connection import Address
from loadtest.engine.arrivals import Arrivals
from loadtest.engine.meter import Meter
from loadtest.engine.plan import Plan
from loadtest.engine.turns import ClosedTurns, OpenTurns, Turns
from loadtest.errors import LoadTestError
from loadtest.player import Player
from protocol.schema import ModuleSchema
from protocol.upgrade import Subprotocol

__all__ = ["Site", "Stage"]

_NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """A server under load, as the scenario's preparation and its last check see it.

    Attributes:
        address: of the database.
        plan: what is asked of the load.
        service_token: of the role ``service``; empty when there is none.
        admin_url: of the operators' channel; empty when it is not known.
        admin_token: of an operator; empty when there is none.
    """

    address: Address
    plan: Plan
    service_token: str = ""
    admin_url: str = ""
    admin_token: str = ""

    def need_service(self) -> str:
        """The service's token.

        Raises:
            LoadTestError: there is none.
        """
        if not self.service_token:
            raise LoadTestError("this scenario needs a service token: name the data folder")
        return self.service_token


class Stage:
    """One process's part of a load. Moments are nanoseconds of the monotonic clock.

    Args:
        site: the server.
        worker: number of this process.
        start: when the load begins.
        meter: counts for this process.
        schema: of the server's module.

    Attributes:
        zero: when the measured time begins.
        end: when it ends, and nothing new is begun.
        storm: when the storm breaks out.
        numbers: of the users of this process; together they are 0 to one less than all users.
        chance: draws of this process, the same in every run.
    """

    def __init__(
        self, site: Site, worker: int, start: int, meter: Meter, schema: ModuleSchema
    ) -> None:
        plan = site.plan
        self.site = site
        self.plan = plan
        self.meter = meter
        self.schema = schema
        self.worker = worker
        self.start = start
        self.zero = start + round(plan.warm_up * _NANOS)
        self.end = self.zero + round(plan.duration * _NANOS)
        self.storm = self.zero + round(plan.storm_after * _NANOS)
        self.numbers = range(worker, plan.users, plan.processes)
        self.chance = random.Random(worker)
        self._arrivals: Arrivals | None = None
        self._open: OpenTurns | None = None
        if plan.is_open:
            self.share_arrivals(worker, plan.processes)

    async def connect(self, token: str | None = None) -> Bot:
        """A user of the plan's version of the wire; its rows stay bytes where they can.

        Raises:
            ConnectionEndedError: the server refused, or went away.
        """
        version = self.plan.subprotocol
        schema = self.schema if version is Subprotocol.V1_JSON else None
        address = self.site.address
        return await Bot.connect(address, schema=schema, token=token, subprotocol=version)

    async def enter(self, token: str | None = None) -> Player:
        """A player of the game, likewise."""
        version = self.plan.subprotocol
        return await Player.enter(self.site.address, self.schema, token=token, subprotocol=version)

    def share_arrivals(self, first: int, step: int, batch: int = 1) -> Arrivals:
        """Take every ``step``-th arrival, and no other; ``batch`` calls fall due together."""
        plan = self.plan
        self._arrivals = Arrivals(plan.rate / batch, plan.ramp, first, step)
        self._batch = batch
        self._open = OpenTurns(self._arrivals, self.start, self.end)
        return self._arrivals

    def take_no_arrivals(self) -> None:
        """Leave all arrivals to other processes."""
        self._arrivals = self._open = None

    def arrived(self, after: int, before: int) -> int:
        """Calls that were due at this process between two moments."""
        if self._arrivals is None:
            return 0
        before = min(before, self.end)
        count = self._arrivals.before(before - self.start) - self._arrivals.before(
            after - self.start
        )
        return max(0, count) * self._batch

    def turns(self, number: int) -> Turns:
        """The turns of a user; those of an open loop are everybody's."""
        if self._open is not None:
            return self._open
        return ClosedTurns(self.comes_at(number), self.end, self.plan.think, self.chance.random)

    def comes_at(self, number: int) -> int:
        """When a user comes in: evenly over the ramp."""
        return self.start + round(self.plan.ramp * _NANOS * number / max(1, self.plan.users))

    def draw(self, kinds: Sequence[str]) -> str:
        """A kind of call, by the plan's weights."""
        weights = [self.plan.weights.get(kind, 0) for kind in kinds]
        return self.chance.choices(kinds, weights)[0]
