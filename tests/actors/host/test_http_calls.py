"""Functions of routes: what they answer is durable, and they are held to roles and rates."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from town import PEOPLE, coins, new_town
from town_module import (
    ODD_JOBS,
    PERSON,
    count_chickens,
    do_both,
    earn,
    earn_twice,
    sweep,
    sweep_yard,
    wealth,
)

from actors import ProcedureContext, Rate, ReducerError, Route, ServerEvent
from actors.claims import Claims
from actors.host import Caller, HttpCalls
from persistence.errors import StoreWriteError
from protocol.values import ConnectionId

ME = Caller(PEOPLE[0], ConnectionId(9), "http")
RARE = Rate("rare", 6, 1)


async def peek(ctx: ProcedureContext) -> int:
    """What only HTTP knows: a caller's coins, read in its actor."""
    return await ctx.read(PERSON.key(ctx.user_id), wealth)


async def refuse_for_coins(ctx: ProcedureContext) -> None:
    found = await ctx.read(PERSON.key(ctx.user_id), wealth)
    raise ReducerError("coins.too_many_state", str(found))


async def count_up(ctx: ProcedureContext) -> AsyncIterator[ServerEvent]:
    for number in range(2):
        yield ServerEvent("coins", await ctx.read(PERSON.key(ctx.user_id), wealth), str(number))
        await ctx.call(earn, 1)


def route(function) -> Route:
    return Route("POST", "/x", function)


@dataclass
class Counted:
    """An admission that counts which rates are asked for, and refuses some."""

    refused: set[Rate | None] = field(default_factory=set)
    asked: list[Rate | None] = field(default_factory=list)

    def __call__(self, claims: Claims, now: int, rate: Rate | None) -> bool:
        self.asked.append(rate)
        return rate not in self.refused


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    caplog.set_level(logging.CRITICAL, "actors.host")


async def test_every_kind_of_function_answers():
    bench = await new_town().start()
    calls = HttpCalls(bench.host)
    assert await calls.call(route(earn), (3,), ME, None) is None
    assert await calls.call(route(wealth), (), ME, None) == 3
    assert await calls.call(route(earn_twice), (2,), ME, None) == 7
    assert await calls.call(route(peek), (), ME, None) == 7
    assert coins(bench, 0) == 7


@pytest.mark.parametrize("function", [wealth, peek])
async def test_what_is_read_is_not_told_before_it_is_durable(function):
    bench = await new_town().start()
    calls = HttpCalls(bench.host)
    bench.store.hold()
    earning = asyncio.ensure_future(calls.call(route(earn), (3,), ME, None))
    await bench.turns()
    reading = asyncio.ensure_future(calls.call(route(function), (), ME, None))
    await bench.turns()
    assert coins(bench, 0) == 3
    assert not earning.done()
    assert not reading.done()
    bench.store.release()
    assert await reading == 3
    assert await earning is None


async def test_what_a_refusal_tells_is_durable_too():
    bench = await new_town().start()
    calls = HttpCalls(bench.host)
    bench.store.hold()
    earning = asyncio.ensure_future(calls.call(route(earn), (3,), ME, None))
    await bench.turns()
    refused = asyncio.ensure_future(calls.call(route(refuse_for_coins), (), ME, None))
    await bench.turns()
    assert not refused.done()
    bench.store.release()
    with pytest.raises(ReducerError, match=r"coins\.too_many_state: 3"):
        await refused
    await earning


@pytest.mark.parametrize("function", [wealth, peek])
async def test_what_a_failed_store_took_back_is_not_told(function):
    bench = await new_town().start()
    calls = HttpCalls(bench.host)
    bench.store.hold()
    bench.store.fail_next(StoreWriteError("full"))
    earning = asyncio.ensure_future(calls.call(route(earn), (3,), ME, None))
    await bench.turns()
    reading = asyncio.ensure_future(calls.call(route(function), (), ME, None))
    await bench.turns()
    bench.store.release()
    for call in (earning, reading):
        with pytest.raises(ReducerError) as caught:
            await call
        assert caught.value.code == "state.actor_unavailable"


async def test_events_are_not_told_before_they_are_durable():
    bench = await new_town().start()
    await HttpCalls(bench.host).call(route(earn), (5,), ME, None)
    events = HttpCalls(bench.host).stream(route(count_up), (), ME, None)
    bench.store.hold()
    unseen = asyncio.ensure_future(HttpCalls(bench.host).call(route(earn), (1,), ME, None))
    await bench.turns()
    first = asyncio.ensure_future(anext(events))
    await bench.turns()
    assert not first.done()
    bench.store.release()
    assert await first == ServerEvent("coins", 6, "0")
    await unseen
    assert await anext(events) == ServerEvent("coins", 7, "1")
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_a_role_is_needed_where_the_function_says_so():
    bench = await new_town().start()
    with pytest.raises(ReducerError) as caught:
        await HttpCalls(bench.host).call(route(sweep), (), ME, None)
    assert caught.value.code == "auth.forbidden"


@pytest.mark.parametrize("function", [sweep_yard, count_chickens])
async def test_a_declared_function_brings_its_rate(function):
    bench = await new_town().start()
    calls = HttpCalls(bench.host)
    arguments = (1,) if function is sweep_yard else ()
    admission = Counted()
    await calls.call(route(function), arguments, ME, admission)
    assert admission.asked == [ODD_JOBS], "once"
    with pytest.raises(ReducerError) as caught:
        await calls.call(route(function), arguments, ME, Counted({ODD_JOBS}))
    assert caught.value.code == "limit.rate_exceeded"


async def test_what_a_coroutine_calls_keeps_to_its_rate():
    bench = await new_town().start()
    with pytest.raises(ReducerError) as caught:
        await HttpCalls(bench.host).call(route(do_both), (False,), ME, Counted({ODD_JOBS}))
    assert caught.value.code == "limit.rate_exceeded"


@pytest.mark.parametrize("function", [peek, count_up])
async def test_a_route_may_have_a_rate(function):
    bench = await new_town().start()
    calls = HttpCalls(bench.host)
    rare = Route("POST", "/x", function, rate=RARE)
    with pytest.raises(ReducerError) as caught:
        if function is peek:
            await calls.call(rare, (), ME, Counted({RARE}))
        else:
            await anext(calls.stream(rare, (), ME, Counted({RARE})))
    assert caught.value.code == "limit.rate_exceeded"
    assert caught.value.details == {"retry_after_seconds": 10}
