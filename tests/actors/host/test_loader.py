"""Many activations at once: everybody else goes on, and the collector is not asked too much."""

from __future__ import annotations

import asyncio
import gc
from functools import partial

import pytest
from host_bench import Bench
from town import ACTORS, MODULE

from actors.host import Budget
from actors.host.caller import service_caller
from actors.host.turns import Read
from actors.keys import ActorKey
from actors.limits import (
    ACTIVATION_SECONDS_BUDGET,
    ACTIVATIONS_PER_COLLECTION,
    RESIDENT_SECONDS_MIN,
)

CROWD = [ActorKey(f"person/u_{number:032x}") for number in range(100, 400)]
LATER = [ActorKey(f"person/u_{number:032x}") for number in range(400, 700)]
assert len(CROWD) > ACTIVATIONS_PER_COLLECTION


class Busy(Bench):
    """A town where every look at the stopwatch takes a tenth of what an activation may."""

    _seconds = 0.0

    @property
    def seconds(self) -> float:
        self._seconds += ACTIVATION_SECONDS_BUDGET / 10
        return self._seconds

    @seconds.setter
    def seconds(self, value: float) -> None:
        self._seconds = value


async def use(bench: Bench, key: ActorKey) -> None:
    """Let an actor take a turn that changes nothing."""
    reply = bench.host.future_reply()
    bench.host.tell(key, Read(lambda view: view.key, service_caller("tests"), reply))
    await reply


def _note(heard: list, what: tuple, view: object) -> None:
    del view
    heard.append(what)


async def test_an_active_actor_takes_its_turns_while_a_crowd_comes():
    bench = await Busy(MODULE).start()
    await bench.host.activate(ACTORS[:1])
    storm = asyncio.ensure_future(bench.host.activate(CROWD))
    served_amid = 0
    while not storm.done():
        await use(bench, ACTORS[0])
        served_amid += 0 < len(bench.host._loader) < len(CROWD)
    await storm
    assert served_amid >= len(CROWD) / 10 / 2
    assert all(map(bench.host.is_active, CROWD))


async def test_who_comes_in_a_crowd_finds_its_messages_in_order():
    bench = await Busy(MODULE).start()
    heard: list[tuple[ActorKey, int]] = []
    for number in range(3):
        for key in CROWD:
            hear = partial(_note, heard, (key, number))
            reply = bench.host.future_reply()
            bench.host.tell(key, Read(hear, service_caller("tests"), reply))
    await bench.settle()
    for key in CROWD:
        assert [number for who, number in heard if who == key] == [0, 1, 2]


@pytest.fixture
def _unfrozen():
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_unfrozen")
async def test_what_lives_is_hidden_from_the_collector_only_while_the_population_grows():
    bench = await Bench(MODULE, budget=Budget(memory_bytes=0)).start()
    await bench.host.activate(CROWD)
    assert gc.get_freeze_count() > len(CROWD)
    bench.idle(RESIDENT_SECONDS_MIN + 1)
    await bench.turns()
    assert bench.host.actor_count == 0
    hidden = gc.get_freeze_count()
    await bench.host.activate(LATER)
    assert gc.get_freeze_count() <= hidden
