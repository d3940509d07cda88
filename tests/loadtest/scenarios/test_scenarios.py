from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from loadtest.engine.plan import Plan
from loadtest.errors import LoadTestError
from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.outcome import Outcome
from loadtest.run import OwnServer, RunningServer, run_load
from loadtest.scenarios import SCENARIOS
from loadtest.server_process import running_server
from protocol.upgrade import Subprotocol

SMALL = Plan("", users=4, rate=40, warm_up=0.5, duration=1.5)
V3_BSATN = Subprotocol.V3_BSATN.value
V1_JSON = Subprotocol.V1_JSON.value


async def running(*arguments: str) -> AsyncIterator[RunningServer]:
    with tempfile.TemporaryDirectory() as folder:
        options = ("--store", "memory:", "--log-level", "warning", *arguments)
        async with running_server(*options, data_dir=Path(folder)) as server:
            yield RunningServer(server.address, Path(folder))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chat() -> AsyncIterator[RunningServer]:
    """One chat for all: each load knows its own words."""
    async for place in running("--module", "examples.chat"):
        yield place


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def game() -> AsyncIterator[RunningServer]:
    """One game for all: every player is new."""
    async for place in running("--dev-fixtures"):
        yield place


@pytest.fixture
def place_for(chat, game):
    """Where a scenario is played: a bank is each load's alone."""
    places = {"examples.chat": chat, "actors.domains.entry": game}
    return lambda name: places.get(SCENARIOS[name].module, OwnServer("memory:"))


async def run(name: str, place: OwnServer | RunningServer, **plan: Any) -> Outcome:
    seen: list[Interval] = []
    asked = replace(SMALL, scenario=name, **plan)
    outcome = await run_load(asked, place, seen.append)
    assert seen == list(outcome.intervals)
    assert [each.second for each in seen] == sorted({each.second for each in seen})
    return outcome


def calls(outcome: Outcome) -> dict[str, int]:
    found: dict[str, int] = {}
    for interval in outcome.intervals:
        for kind, text in interval.calls.items():
            found[kind] = found.get(kind, 0) + Histogram.decode(text).quantiles().recorded
    return found


def total(outcome: Outcome, name: str) -> int:
    return sum(getattr(each, name) for each in outcome.intervals)


KINDS = {
    "story": {"connect and subscribe", "begin_story_session", "continue_story"},
    "battle": {"connect and subscribe", "begin_story_session", "resolve_combat_action"},
    "progression": {"connect", "grant", "look"},
    "chat": {"connect", "send"},
    "bank": {"connect", "transfer", "audit"},
    "fanout": {"connect", "write"},
    "private-rows": {"connect", "save"},
    "churn": {"connect", "subscribe", "set_name"},
    "soak": {"connect", "transfer", "read"},
    "admin-watch": {"connect", "transfer", "server.info"},
}


def test_every_scenario_is_here() -> None:
    assert list(SCENARIOS) == list(KINDS)


@pytest.mark.parametrize("name", KINDS)
async def test_an_honest_server_breaks_no_rule(place_for, name) -> None:
    outcome = await run(name, place_for(name))
    assert outcome.broken == []
    found = calls(outcome)
    assert found.keys() >= KINDS[name]
    assert found.keys() - KINDS[name] <= {
        *SCENARIOS[name].kinds,
        *("audit", "create_story_invite", "talk_to_npc", "resolve_combat_action"),
        *("acknowledge_level_ups", "trade_with_npc", "gift_npc", "continue_story", "recruit_npc"),
        *("equip_item", "use_inventory_item", "abandon_story_session"),
    }
    assert total(outcome, "arrivals") == 80
    assert outcome.intervals[-1].connections == 0
    assert any(each.server_metrics for each in outcome.intervals)


@pytest.mark.parametrize("protocol", [V3_BSATN, V1_JSON])
async def test_a_closed_loop_calls_as_soon_as_it_is_answered(protocol) -> None:
    place = OwnServer("memory:")
    outcome = await run("bank", place, rate=0.0, batch=8, alpha=1.5, protocol=protocol)
    assert outcome.broken == []
    assert outcome.server.startswith("ready ")
    assert calls(outcome)["transfer"] == outcome.facts["transfers"] > 80
    assert total(outcome, "arrivals") == 0


async def test_processes_share_users_and_arrivals(chat) -> None:
    outcome = await run("chat", chat, processes=2, reconnects=True, storm=5, slow_readers=2)
    assert outcome.broken == []
    assert outcome.processes == 2
    found = calls(outcome)
    assert (found["connect"], found["reconnect"], found["storm connect"]) == (4, 4, 5)
    assert found["send"] + found.get("rename", 0) == total(outcome, "arrivals") == 80
    assert outcome.facts["messages"] == found["send"] + 4
    assert total(outcome, "deliveries") >= 3 * found["send"]
    assert outcome.facts["slow readers kept"] == 2


@pytest.mark.parametrize("protocol", [V3_BSATN, V1_JSON])
async def test_a_storm_loses_no_write(protocol) -> None:
    place = OwnServer("memory:")
    outcome = await run("fanout", place, processes=2, reconnects=True, protocol=protocol)
    assert outcome.broken == []
    assert outcome.facts["writes"] == 80
    assert any(each.delivery_latency for each in outcome.intervals)


@pytest.mark.parametrize("name", ["private-rows", "progression", "soak"])
async def test_whoever_was_cut_off_finds_what_it_left(place_for, name) -> None:
    outcome = await run(name, place_for(name), reconnects=True)
    assert outcome.broken == []
    assert calls(outcome)["reconnect"] >= 4


@pytest.mark.parametrize("name", KINDS)
async def test_users_speak_json(place_for, name) -> None:
    outcome = await run(name, place_for(name), protocol=V1_JSON)
    assert outcome.broken == []
    assert calls(outcome).keys() >= KINDS[name]
    assert total(outcome, "arrivals") == 80
    assert outcome.intervals[-1].connections == 0


async def test_friends_play_one_story(game) -> None:
    outcome = await run("story", game, party=2)
    assert outcome.broken == []
    assert calls(outcome)["join_story_session"] == 2


async def test_weights_say_what_is_called(chat) -> None:
    outcome = await run("chat", chat, weights={"send": 0, "rename": 1})
    assert calls(outcome).keys() == {"connect", "rename"}
    assert outcome.facts["messages"] == 4, "each says good-bye all the same"


@pytest.mark.parametrize(
    ("name", "plan", "words"),
    [
        ("story", {"reconnects": True}, "story knows no reconnect storm"),
        ("churn", {"reconnects": True}, "churn knows no reconnect storm"),
        ("battle", {"party": 2}, "battle knows no parties"),
        ("chat", {"weights": {"sing": 1}}, "no calls named sing; it has send, rename"),
        ("chat", {"weights": {"send": 0}}, "some kind of call needs a weight"),
    ],
)
async def test_what_a_scenario_cannot_do_is_refused(name, plan, words) -> None:
    with pytest.raises(LoadTestError, match=words):
        await run(name, OwnServer("memory:"), **plan)


async def test_what_tails_tell_and_drop_is_reckoned_up() -> None:
    outcome = await run("admin-watch", OwnServer("memory:"), watchers=2)
    assert outcome.broken == []
    assert outcome.facts["tails reckoned up"] == 4
    assert outcome.facts["tail.calls told"] > 0


async def test_tokens_that_are_not_there_are_missed(tmp_path) -> None:
    arguments = ("--module", "examples.bank", "--store", "memory:", "--log-level", "warning")
    async with running_server(*arguments, data_dir=tmp_path) as server:
        with pytest.raises(LoadTestError, match="name the server's data folder"):
            await run("admin-watch", RunningServer(server.address))


async def test_a_server_that_ends_is_told(tmp_path) -> None:
    arguments = ("--module", "examples.bank", "--store", "memory:", "--log-level", "warning")
    async with running_server(*arguments, data_dir=tmp_path) as server:

        def stop(interval: Interval) -> None:
            if interval.second == 0:
                server.signal(15)

        asked = replace(SMALL, scenario="bank", duration=3.0)
        outcome = await run_load(asked, RunningServer(server.address), stop)
    assert any("closed by the server" in text for text in outcome.broken), outcome.broken
