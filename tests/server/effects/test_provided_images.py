"""Domain 8.4: images over a real connection, and the ways in which there are none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from model_server import Step, free_address, model_server

from actors.errors import TextModelError
from server.effects.budgets import Budgets, Spent
from server.effects.counts import ModelCounts
from server.effects.openai_images import OpenAiImages
from server.effects.provided_images import ProvidedImages
from server.effects.provider import ModelAddress
from server.effects.slots import Slots
from server.effects.turns import Turns
from server.limits import MODEL_IMAGE_BYTES_MAX

LONG = 30.0
BUDGETS = Budgets(None, lambda: 0.0)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Servers break on purpose here."""
    caplog.set_level(logging.CRITICAL, "uvicorn")


@asynccontextmanager
async def asking(
    *urls: str, model: str = "paint-1", seconds: float = LONG, budgets: Budgets = BUDGETS
) -> AsyncIterator[ProvidedImages]:
    providers = [OpenAiImages(ModelAddress(url, model), "sk-1", LONG) for url in urls]
    turns = Turns(Slots(16), budgets, ModelCounts())
    images = ProvidedImages(providers, turns, 0.25, seconds, (0, 0))
    try:
        yield images
    finally:
        await images.aclose()


async def paint(images: ProvidedImages, seed: int | None = None) -> bytes:
    return await images.generate_image("a sea", width=640, height=480, seed=seed, user_id="u_1")


async def test_an_image_is_asked_for_and_paid() -> None:
    budgets = Budgets(None, lambda: 0.0)
    async with model_server() as server, asking(server.url, budgets=budgets) as images:
        server.say(b"\x89PNG")
        assert await paint(images, seed=7) == b"\x89PNG"
    assert server.asked == [
        {
            "model": "paint-1",
            "prompt": "a sea",
            "size": "640x480",
            "n": 1,
            "response_format": "b64_json",
            "seed": 7,
        }
    ]
    assert server.keys == ["sk-1"]
    assert budgets.spent("u_1") == Spent(0, 0.25)


async def test_a_model_that_has_one_form_of_answer_is_not_asked_for_it() -> None:
    async with model_server() as server, asking(server.url, model="gpt-image-1") as images:
        server.say(b"\x89PNG")
        await paint(images)
    assert server.asked[0].keys() == {"model", "prompt", "size", "n"}


@pytest.mark.parametrize(
    ("scripts", "requests"),
    [([[b"x"]], 1), ([[500], [b"x"]], 2), ([[(429, "0")], [503], [b"x"]], 3)],
)
async def test_what_may_pass_is_tried_again(scripts: list[list[Step]], requests: int) -> None:
    async with model_server() as server, asking(server.url) as images:
        server.scripts += scripts
        assert await paint(images) == b"x"
    assert len(server.asked) == requests


@pytest.mark.parametrize(
    ("script", "requests"),
    [
        ([400], 1),
        ([(429, "600")], 1),
        (["[raw {not json]"], 1),
        (["[raw []]"], 1),
        (['[raw {"data": []}]'], 1),
        (['[raw {"data": [{"url": "http://127.0.0.1/secret"}]}]'], 1),
        (['[raw {"data": [{"b64_json": "%%%"}]}]'], 1),
        ([bytes(MODEL_IMAGE_BYTES_MAX + 1)], 1),
    ],
    ids=range(8),
)
async def test_what_is_no_image_fails(
    script: list[Step], requests: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with model_server() as server, asking(server.url) as images:
        server.scripts.append(script)
        with pytest.raises(TextModelError) as failed:
            await paint(images)
    assert failed.value.code == "dependency.unavailable"
    assert len(server.asked) == requests
    assert "sk-1" not in str(failed.value) + caplog.text


async def test_the_next_provider_is_asked() -> None:
    async with model_server() as second, asking(free_address(), second.url) as images:
        second.say(b"x")
        assert await paint(images) == b"x"


async def test_who_takes_too_long_fails() -> None:
    async with model_server() as server, asking(server.url, seconds=0) as images:
        server.scripts.append([asyncio.Event()])
        with pytest.raises(TextModelError) as failed:
            await paint(images)
    assert failed.value.code == "dependency.timeout"
