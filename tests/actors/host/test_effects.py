"""Declared effects: coroutines that act outside for actors, and tell them by service calls."""

from __future__ import annotations

import asyncio
import logging
from types import ModuleType

import pytest
from host_bench import Bench
from town import ACTORS, PEOPLE, new_town, texts
from town_module import Letter, Press

import actors.host.effects
from actors.errors import DeclarationError
from actors.keys import user_id_of
from actors.module.effects import effect
from actors.module.module import Module
from actors.module.system import OutboxMessage
from protocol.messages import ReducerErr, ReducerOk


class Printer:
    """Prints at once, or breaks, or waits until its door is opened."""

    def __init__(self) -> None:
        self.printed: list[str] = []
        self.ended: list[str] = []
        self.broken = 0
        self.door = asyncio.Event()
        self.door.set()

    async def print(self, text: str) -> None:
        self.printed.append(text)
        if self.broken:
            self.broken -= 1
            raise RuntimeError("out of paper")
        try:
            await self.door.wait()
        finally:
            self.ended.append(text)


async def town_with(printer: Printer) -> Bench:
    return await new_town(providers={Press: printer}).start()


async def test_an_effect_acts_and_tells_the_actor_as_a_service():
    printer = Printer()
    bench = await town_with(printer)
    peer = await bench.enter(PEOPLE[0])
    assert isinstance(await peer.result("ask_to_print", "news"), ReducerOk)
    await bench.settle()
    assert printer.printed == ["news"]
    assert texts(bench, 0) == ["printed news"]
    assert bench.rows(ACTORS[0], OutboxMessage) == []
    assert isinstance(
        await peer.result("printed", (user_id_of(PEOPLE[0].identity), "")), ReducerErr
    )


async def test_reducers_know_whether_an_effect_is_served():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    refused = await peer.result("ask_to_print", "news")
    assert refused.error == "town.no_press: news"


async def test_an_effect_that_a_crash_cut_off_is_run_again():
    printer = Printer()
    printer.door.clear()
    bench = await town_with(printer)
    peer = await bench.enter(PEOPLE[0])
    await peer.result("ask_to_print", "news")
    await bench.crash()
    assert printer.ended == ["news"]
    printer.door.set()
    await bench.start()
    await bench.host.activate(ACTORS[:1])
    await bench.settle()
    assert printer.printed == ["news", "news"]
    assert texts(bench, 0) == ["printed news"]


async def test_an_effect_that_breaks_is_run_again(caplog):
    caplog.set_level(logging.CRITICAL, "actors.effects")
    printer = Printer()
    printer.broken = 1
    bench = await town_with(printer)
    peer = await bench.enter(PEOPLE[0])
    await peer.result("ask_to_print", "news")
    assert texts(bench, 0) == []
    await bench.let_time_pass(3)
    assert texts(bench, 0) == ["printed news"]


async def test_an_effect_that_outlasts_its_lease_is_cut_short_and_comes_again(monkeypatch, caplog):
    caplog.set_level(logging.CRITICAL, "actors.effects")
    monkeypatch.setattr(actors.host.effects, "EFFECT_SECONDS_MAX", 0)
    printer = Printer()
    printer.door.clear()
    bench = await town_with(printer)
    peer = await bench.enter(PEOPLE[0])
    await peer.result("ask_to_print", "news")
    await bench.settle()
    monkeypatch.undo()
    printer.door.set()
    await bench.let_time_pass(3)
    assert texts(bench, 0) == ["printed news"]
    assert bench.rows(ACTORS[0], OutboxMessage) == []


async def test_an_effect_can_be_called_off_by_what_its_actor_holds():
    printer = Printer()
    printer.door.clear()
    bench = await town_with(printer)
    peer = await bench.enter(PEOPLE[0])
    await peer.result("ask_to_print", "news")
    await peer.result("set_trap", "rumour", True)
    await bench.settle()
    assert printer.ended == []
    await peer.result("set_trap", "news", True)
    await bench.turns()
    await bench.settle()
    assert printer.ended == ["news"]
    assert texts(bench, 0) == []
    assert bench.rows(ACTORS[0], OutboxMessage) == []


@pytest.mark.parametrize("providers", [{}, {Press: Printer()}])
async def test_an_effect_that_needs_no_port_is_always_served_and_may_look_for_one(providers):
    bench = await new_town(providers=providers).start()
    peer = await bench.enter(PEOPLE[0])
    assert isinstance(await peer.result("ask_to_hang_out", "news"), ReducerOk)
    await bench.settle()
    if providers:
        assert texts(bench, 0) == ["press here", "printed news (printed)"]
    else:
        assert texts(bench, 0) == ["no press", "printed news (written)"]


def test_an_effect_is_a_coroutine_of_a_context_perhaps_a_port_and_a_struct():
    with pytest.raises(DeclarationError, match="must be a coroutine"):

        @effect
        def print_now(ctx, press, letter) -> None: ...

    @effect
    async def print_anywhere(ctx, letter: Letter) -> None: ...

    assert print_anywhere.__declaration__.port is None
    assert print_anywhere.__declaration__.payload is Letter

    @effect
    async def print_what(ctx, press: Press, letter: str) -> None: ...

    with pytest.raises(DeclarationError, match="a context, perhaps a port, and a struct"):
        _ = print_what.__declaration__.port


def test_two_effects_of_one_name_are_refused():
    one, two = ModuleType("one"), ModuleType("two")
    for source in (one, two):

        @effect
        async def tell(ctx, press: Press, letter: Letter) -> None: ...

        source.tell = tell
    assert set(Module("one", [one]).effects) == {"tell"}
    with pytest.raises(DeclarationError, match="two effects are named tell"):
        Module("both", [one, two])
