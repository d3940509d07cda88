"""Every scenario finds the server out that breaks its rules, and says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.engine.plan import Plan
from loadtest.run import OwnServer, RunningServer, run_load
from loadtest.server_process import running_server
from protocol.upgrade import Subprotocol

HERE = Path(__file__).parents[1]
V3_BSATN = Subprotocol.V3_BSATN.value
V1_JSON = Subprotocol.V1_JSON.value


async def broken(name: str, place: OwnServer | RunningServer, **plan: object) -> str:
    asked = {"users": 3, "rate": 60.0, "warm_up": 0.0, "duration": 2.0, **plan}
    outcome = await run_load(Plan(name, **asked), place, lambda _second: None)
    return "\n".join(outcome.broken)


@pytest.mark.parametrize(
    ("name", "module", "fault", "words", "protocol"),
    [
        ("bank", "crooked_bank", "mint", "1000 accounts add up to", V3_BSATN),
        ("bank", "crooked_bank", "mint", "1000 accounts add up to", V1_JSON),
        ("bank", "crooked_bank", "forget", "what was answered makes", V3_BSATN),
        ("bank", "crooked_bank", "forget", "what was answered makes", V1_JSON),
        ("soak", "crooked_bank", "mint", "a commit made 1 out of nothing", V3_BSATN),
        ("soak", "crooked_bank", "forget", "what was answered makes", V3_BSATN),
        ("fanout", "crooked_bank", "forget", "write 25 came after 23", V3_BSATN),
        ("fanout", "crooked_bank", "forget", "write 25 came after 23", V1_JSON),
        ("chat", "crooked_chat", "lose messages", "of a speaker came after", V3_BSATN),
        ("chat", "crooked_chat", "lose messages", "of a speaker came after", V1_JSON),
        ("churn", "crooked_chat", "forget names", "the name under which a visitor", V3_BSATN),
        ("churn", "crooked_chat", "show ghosts", "are still seen, and have left", V3_BSATN),
    ],
)
async def test_a_crooked_module_is_found_out(
    monkeypatch, name, module, fault, words, protocol
) -> None:
    monkeypatch.setattr("loadtest.scenarios.churn.DRAIN_SECONDS_MAX", 2.0)
    monkeypatch.setenv("CROOKED", fault)
    arguments = ("--module", module, "--store", "memory:", "--log-level", "warning")
    async with running_server(*arguments, "--no-rate-limits", modules=HERE) as server:
        text = await broken(name, RunningServer(server.address), protocol=protocol)
    assert words in text


@pytest.mark.parametrize(
    ("name", "launcher", "words"),
    [
        ("story", "crooked_server", "chapter 1 counts 0 quest and 0 hostile XP"),
        ("battle", "crooked_server", "chapter 1 counts 0 quest and 0 hostile XP"),
        ("progression", "crooked_accounts", "experience after a grant: expected"),
        ("private-rows", "crooked_accounts", "the state that is shown: expected"),
    ],
)
async def test_a_crooked_game_is_found_out(name, launcher, words) -> None:
    place = OwnServer("memory:", (launcher,), HERE)
    # One player alone has the server to itself, and comes to the end of a chapter in time.
    assert words in await broken(name, place, users=1, rate=0.0, duration=4.0)
