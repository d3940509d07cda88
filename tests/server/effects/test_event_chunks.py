from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest
from model_server import model_server

from actors.errors import TextModelError
from actors.module.text_model import Prompt
from server.effects.event_chunks import _events
from server.effects.openai_provider import OpenAiProvider
from server.effects.provider import ModelAddress

END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'


def said(text: str) -> str:
    """An event with a piece of text, which stands in it as it is."""
    chunk = '{"choices":[{"index":0,"delta":{"content":"TEXT"},"finish_reason":null}]}'
    return f"data: {chunk}\n\n".replace("TEXT", text)


async def data_of(pieces: Iterable[bytes]) -> list[bytes]:
    async def source():
        for piece in pieces:
            yield piece

    return [data async for data in _events(source())]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
async def test_events_are_found_wherever_they_are_cut(end) -> None:
    lines = (b": a comment", b"event: chunk", b"data: one", b"", b"data:two", b"data: lines", b"")
    text = end.join(lines) + end
    expected = [b"one", b"two\nlines"]
    assert await data_of([text]) == expected
    for cut in range(len(text)):
        assert await data_of([text[:cut], text[cut:]]) == expected, cut
    assert await data_of(text[at : at + 1] for at in range(len(text))) == expected


async def test_an_event_without_an_end_is_none() -> None:
    assert await data_of([b"data: one\n\ndata: half\n"]) == [b"one"]


async def answer_of(*raw: str) -> list[object]:
    async with model_server() as model:
        provider = OpenAiProvider(ModelAddress(model.url, "m"), "sk-1", 5.0)
        model.say(*(f"[raw {text}]" for text in raw))
        try:
            stream = provider.stream(Prompt("s", "u"), 10, is_structured=False)
            return [piece async for piece in stream]
        finally:
            await provider.aclose()


async def test_a_letter_in_halves_comes_as_halves() -> None:
    assert await answer_of(said(r"\ud83d"), said(r"\ude00"), END) == ["\ud83d", "\ude00", "", ""]


@pytest.mark.parametrize("broken", ['{"error": {"message": "no"}}', "no json", "[1]", "{"])
async def test_what_is_no_chunk_breaks_the_answer(broken) -> None:
    with pytest.raises(TextModelError) as refusal:
        await answer_of(said("a"), f"data: {broken}\n\n")
    assert (refusal.value.code, refusal.value.message) == (
        "dependency.unavailable",
        "the answer is broken",
    )


async def test_an_answer_is_over_when_it_says_so() -> None:
    async with asyncio.timeout(20), model_server() as model:
        provider = OpenAiProvider(ModelAddress(model.url, "m"), "sk-1", 5.0)
        never = asyncio.Event()
        model.say(f"[raw {said('a')}{END}data: [DONE]\n\n]", never)
        stream = provider.stream(Prompt("s", "u"), 10, is_structured=False)
        assert [piece async for piece in stream] == ["a", ""]
        await provider.aclose()
