"""Domain 8.3: text models over a real connection, in all the ways in which they fail."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from model_server import ModelServer, Step, free_address, model_server

from actors.errors import TextModelError
from actors.module.text_model import Prompt
from server.effects.budgets import Budgets
from server.effects.counts import ModelCounts
from server.effects.openai_provider import OpenAiProvider
from server.effects.provided_model import ModelTimes, ProvidedModel, estimated_tokens
from server.effects.provider import ModelAddress
from server.effects.slots import Slots
from server.effects.turns import Turns
from server.limits import MODEL_ANSWER_CHARS_MAX

PROMPT = Prompt("rules", "what happened")
LONG = 30.0
QUICK = ModelTimes(first=LONG, gap=LONG, total=LONG, retries=(0, 0))


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Servers break on purpose here."""
    caplog.set_level(logging.CRITICAL, "uvicorn")


def turns(running_max: int = 16, counts: ModelCounts | None = None) -> Turns:
    return Turns(Slots(running_max), Budgets(None, lambda: 0.0), counts or ModelCounts())


@asynccontextmanager
async def asking(
    *urls: str, times: ModelTimes = QUICK, running_max: int = 16
) -> AsyncIterator[ProvidedModel]:
    providers = [OpenAiProvider(ModelAddress(url, "tale-1"), "sk-1", LONG) for url in urls]
    model = ProvidedModel(providers, turns(running_max), ModelCounts(), times=times)
    try:
        yield model
    finally:
        await model.aclose()


async def hear(model: ProvidedModel, user: str = "u_1") -> str:
    stream = model.stream_text(PROMPT, user_id=user, tokens_max=100)
    async with aclosing(stream) as pieces:
        return "".join([piece async for piece in pieces])


async def test_an_answer_comes_in_pieces_as_they_come() -> None:
    gate = asyncio.Event()
    async with model_server() as server, asking(server.url) as model:
        server.say("[empty]", "Once ", gate, "upon ", "a time")
        heard = []
        stream = model.stream_text(PROMPT, user_id="u_1", tokens_max=100)
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                heard.append(piece)
                gate.set()
        assert heard[0] == "Once "
        assert "".join(heard) == "Once upon a time"
    (asked,) = server.asked
    assert asked["messages"] == [
        {"role": "system", "content": "rules"},
        {"role": "user", "content": "what happened"},
    ]
    assert (asked["model"], asked["max_tokens"], asked["stream"]) == ("tale-1", 100, True)
    assert "response_format" not in asked
    assert server.keys == ["sk-1"]


async def test_a_whole_answer_is_asked_for_as_json() -> None:
    async with model_server() as server, asking(server.url) as model:
        server.say('{"narration":', ' "x"}')
        answer = await model.complete_structured(
            PROMPT, user_id="u_1", tokens_max=100, json_schema='{"a":1}'
        )
    assert json.loads(answer) == {"narration": "x"}
    assert server.asked[0]["response_format"] == {"type": "json_object"}
    assert server.asked[0]["messages"][0]["content"].endswith('schema: {"a":1}')


class Narrator:
    """A provider that goes on while nobody listens."""

    name = "narrator"

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.done = asyncio.Event()

    async def stream(
        self, prompt: Prompt, tokens_max: int, *, is_structured: bool
    ) -> AsyncGenerator[str, None]:
        yield "a"
        await self.gate.wait()
        for letter in "bcdef":
            yield letter
        self.done.set()

    async def aclose(self) -> None: ...


async def test_what_piles_up_comes_as_one_piece() -> None:
    narrator = Narrator()
    model = ProvidedModel([narrator], turns(), ModelCounts(), times=QUICK)
    stream = model.stream_text(PROMPT, user_id="u_1", tokens_max=100)
    async with aclosing(stream) as pieces:
        assert await anext(pieces) == "a"
        narrator.gate.set()
        await narrator.done.wait()
        assert [piece async for piece in pieces] == ["bcdef"]


@pytest.mark.parametrize(
    ("scripts", "heard", "requests"),
    [
        ([[500], ["fine"]], "fine", 2),
        ([[503], [502], ["fine"]], "fine", 3),
        ([["[cut]"], ["fine"]], "fine", 2),
        ([["[empty]", "[cut]"], ["fine"]], "fine", 2),
        ([["a", "a"]], "aa", 1),
        ([["a", "[again]"]], "aa", 1),
        ([["[tool]", "a"]], "a", 1),
        ([["[tool]"]], "", 1),
        ([["[usage 3 5]", "a"]], "a", 1),
        ([[429], ["fine"]], "fine", 2),
        ([[(429, "0")], [(503, "0")], ["fine"]], "fine", 3),
        ([[(429, "Sun, 22 Nov 2026 05:00:00 GMT")], ["fine"]], "fine", 2),
    ],
)
async def test_what_may_pass_is_tried_again(
    scripts: list[list[Step]], heard: str, requests: int
) -> None:
    async with model_server() as server, asking(server.url) as model:
        server.scripts += scripts
        assert await hear(model) == heard
    assert len(server.asked) == requests


@pytest.mark.parametrize(
    ("scripts", "code", "requests"),
    [
        ([[500], [500], [500]], "dependency.unavailable", 3),
        ([[401]], "dependency.unavailable", 1),
        ([[429], [429], [429]], "dependency.unavailable", 3),
        ([[(429, "3600")]], "dependency.unavailable", 1),
        ([["[raw data: [1]\n\n]"]], "dependency.unavailable", 1),
        ([['[raw data: {"choices": [{"delta": null}]}\n\n]']], "dependency.unavailable", 1),
        (
            [['[raw data: {"choices": [{"delta": {"content": 1}}]}\n\n]']],
            "dependency.unavailable",
            1,
        ),
        (
            [['[raw data: {"choices": [], "usage": {"prompt_tokens": 1}}\n\n]']],
            "dependency.unavailable",
            1,
        ),
        ([["half", "[cut]"]], "dependency.unavailable", 1),
        ([["half", "[open]"]], "dependency.unavailable", 1),
        ([["[raw data: {not json]"]], "dependency.unavailable", 1),
        ([['[raw data: {"error": {"message": "busy"}}\n\n]']], "dependency.unavailable", 1),
        ([["[raw <html>nonsense</html>]"]], "dependency.unavailable", 1),
        ([["x" * (MODEL_ANSWER_CHARS_MAX + 1)]], "dependency.unavailable", 1),
    ],
)
async def test_what_does_not_pass_fails(
    scripts: list[list[Step]], code: str, requests: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with model_server() as server, asking(server.url) as model:
        server.scripts += scripts
        with pytest.raises(TextModelError) as failed:
            await hear(model)
    assert failed.value.code == code
    assert len(server.asked) == requests
    assert "sk-1" not in str(failed.value) + caplog.text


async def test_received_pieces_come_before_the_failure() -> None:
    async with model_server() as server, asking(server.url) as model:
        server.say("half a ", "sentence", "[cut]")
        heard = ""
        with pytest.raises(TextModelError):
            async for piece in model.stream_text(PROMPT, user_id="u_1", tokens_max=100):
                heard += piece
        assert heard == "half a sentence"


@pytest.mark.parametrize(
    ("times", "script"),
    [
        (ModelTimes(first=0, gap=LONG, total=LONG, retries=()), [asyncio.Event()]),
        (ModelTimes(first=LONG, gap=0, total=LONG, retries=()), ["begun", asyncio.Event()]),
        (ModelTimes(first=LONG, gap=LONG, total=0, retries=()), [asyncio.Event()]),
    ],
)
async def test_who_takes_too_long_fails(times: ModelTimes, script: list[Step]) -> None:
    async with model_server() as server, asking(server.url, times=times) as model:
        server.scripts.append(script)
        with pytest.raises(TextModelError) as failed:
            await hear(model)
        assert failed.value.code == "dependency.timeout"


async def test_the_next_provider_is_asked_until_something_has_come() -> None:
    async with model_server() as first, model_server() as second:
        async with asking(free_address(), first.url, second.url) as model:
            first.say(404)
            second.say("from the third")
            assert await hear(model) == "from the third"
            first.say("begun", "[cut]")
            with pytest.raises(TextModelError):
                await hear(model)
        assert (len(first.asked), len(second.asked)) == (2, 1)


async def test_who_stops_listening_ends_the_request() -> None:
    async with model_server() as server, asking(server.url) as model:
        server.say("begun", asyncio.Event())
        stream = model.stream_text(PROMPT, user_id="u_1", tokens_max=100)
        async with aclosing(stream) as pieces:
            assert await anext(pieces) == "begun"
        await server.gone.wait()
        server.say("the next one")
        assert await hear(model) == "the next one"


async def test_a_user_has_one_request_and_all_of_them_so_many() -> None:
    async with model_server() as server, asking(server.url, running_max=2) as model:
        gates = [asyncio.Event() for _ in range(4)]
        for gate in gates:
            server.say("begun", gate)
        users = ("u_1", "u_1", "u_2", "u_3")
        listeners = [asyncio.create_task(hear(model, user)) for user in users]
        await _until(server, 2)
        gates[0].set()
        await listeners[0]
        await _until(server, 3)
        assert [task.done() for task in listeners] == [True, False, False, False]
        for gate in gates:
            gate.set()
        assert await asyncio.gather(*listeners) == ["begun"] * 4
        assert model._turns._slots.user_count == 0


async def _until(server: ModelServer, requests: int) -> None:
    """As many requests have come, and no more of them come."""
    await server.until_asked(requests)
    for _ in range(200):
        await asyncio.sleep(0)
    assert len(server.asked) == requests


async def test_what_is_taken_is_counted_and_paid() -> None:
    counts = ModelCounts()
    budgets = Budgets(None, lambda: 0.0, tokens_max=20)
    async with model_server() as server:
        provider = OpenAiProvider(ModelAddress(server.url, "tale-1"), "sk-1", LONG)
        asked = Turns(Slots(16), budgets, counts)
        model = ProvidedModel([provider], asked, counts, price=2.0, times=QUICK)
        server.say("fine", "[usage 10 5]")
        assert await hear(model) == "fine"
        assert (counts.requests, counts.failures, counts.refusals) == (1, 0, 0)
        assert (counts.prompt_tokens, counts.answer_tokens) == (10, 5)
        assert counts.cost == pytest.approx(0.03)
        assert counts.seconds >= counts.first_seconds > 0
        server.say("eight letters", "[cut]")
        with pytest.raises(TextModelError):
            await hear(model)
        assert (counts.failures, counts.answer_tokens) == (1, 9)
        with pytest.raises(TextModelError) as refused:
            await hear(model)
        assert refused.value.code == "limit.quota_exceeded"
        assert (counts.requests, counts.refusals, counts.running, counts.waiting) == (2, 1, 0, 0)
        server.say("another user's")
        assert await hear(model, "u_2") == "another user's"
        await model.aclose()


async def test_who_stops_listening_pays_for_what_came() -> None:
    counts = ModelCounts()
    async with model_server() as server:
        provider = OpenAiProvider(ModelAddress(server.url, "tale-1"), "sk-1", LONG)
        model = ProvidedModel([provider], turns(counts=counts), counts, times=QUICK)
        server.say("begun", asyncio.Event())
        stream = model.stream_text(PROMPT, user_id="u_1", tokens_max=100)
        async with aclosing(stream) as pieces:
            await anext(pieces)
        await server.gone.wait()
        await model.aclose()
    assert (counts.prompt_tokens, counts.answer_tokens, counts.failures) == (6, 2, 0)


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("fiver", 2), ("天地", 2), ("ab天", 2)]
)
def test_tokens_are_estimated_for_every_script(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens
