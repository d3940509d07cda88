from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest

from actors.errors import TextModelError
from actors.module.text_model import Prompt
from server.effects.provider import ImageWish, Provider, Usage
from server.effects.recordings import (
    RecordedImages,
    RecordedModel,
    RecordingImages,
    RecordingModel,
)

PROMPT = Prompt("rules", "words of a user")
WISH = ImageWish("a sea", 640, 480, None)


class Model:
    """A provider that says what it is given, and paints what it is given."""

    name = "tale-1 at host"

    def __init__(self, *pieces: str | Usage | TextModelError) -> None:
        self._pieces = pieces
        self.is_closed = False

    async def stream(
        self, prompt: Prompt, tokens_max: int, *, is_structured: bool
    ) -> AsyncGenerator[str | Usage, None]:
        for piece in self._pieces:
            if isinstance(piece, TextModelError):
                raise piece
            yield piece

    async def generate(self, wish: ImageWish) -> bytes:
        return f"{wish.width}".encode()

    async def aclose(self) -> None:
        self.is_closed = True


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


async def hear(
    provider: Provider,
    prompt: Prompt = PROMPT,
    tokens_max: int = 100,
    *,
    is_structured: bool = False,
) -> list[str | Usage]:
    stream = provider.stream(prompt, tokens_max, is_structured=is_structured)
    async with aclosing(stream) as pieces:
        return [piece async for piece in pieces]


async def test_a_recording_answers_as_the_model_did(tmp_path: Path) -> None:
    answer = ["Once ", "upon", Usage(3, 2)]
    folder = tmp_path / "recordings"
    model = Model(*answer)
    recording = RecordingModel(model, folder)
    assert await hear(recording) == answer
    assert recording.name == "tale-1 at host"
    assert await hear(RecordedModel(folder, 0)) == answer
    assert await hear(RecordedModel(folder, 1_000_000)) == answer
    await recording.aclose()
    assert model.is_closed


@pytest.mark.parametrize(("speed", "is_told"), [(1.0, False), (0.0, True)])
async def test_a_recording_keeps_its_times(speed: float, tmp_path: Path, *, is_told: bool) -> None:
    await hear(RecordingModel(Model("a", "b"), tmp_path))
    file = only_file(tmp_path)
    file.write_text('{"model": "m", "pieces": [[0, "a"], [3600000, "b"]], "usage": null}')
    stream = RecordedModel(tmp_path, speed).stream(PROMPT, 100, is_structured=False)
    async with aclosing(stream) as pieces:
        assert await anext(pieces) == "a"
        second = asyncio.ensure_future(anext(pieces))
        for _ in range(5):
            await asyncio.sleep(0)
        assert second.done() is is_told
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_the_last_complete_answer_is_the_recording(tmp_path: Path) -> None:
    failure = TextModelError("dependency.unavailable", "cut")
    await hear(RecordingModel(Model("first"), tmp_path))
    await hear(RecordingModel(Model("second"), tmp_path))
    with pytest.raises(TextModelError):
        await hear(RecordingModel(Model("half", failure), tmp_path))
    assert await hear(RecordedModel(tmp_path, 0)) == ["second"]


async def test_recordings_hold_no_prompts(tmp_path: Path) -> None:
    await hear(RecordingModel(Model("an answer"), tmp_path))
    file = only_file(tmp_path)
    assert "words of a user" not in file.read_text() + file.name
    assert "rules" not in file.read_text()


@pytest.mark.parametrize(
    ("prompt", "tokens_max", "is_structured"),
    [
        (Prompt("rules", "other words"), 100, False),
        (Prompt("other rules", "words of a user"), 100, False),
        (PROMPT, 101, False),
        (PROMPT, 100, True),
    ],
)
async def test_what_was_not_recorded_fails_by_name(
    prompt: Prompt, tokens_max: int, tmp_path: Path, *, is_structured: bool
) -> None:
    await hear(RecordingModel(Model("an answer"), tmp_path))
    with pytest.raises(TextModelError, match=r"nothing is recorded .*text-[0-9a-f]{32}\.json"):
        await hear(RecordedModel(tmp_path, 0), prompt, tokens_max, is_structured=is_structured)


async def test_images_are_recorded_as_well(tmp_path: Path) -> None:
    recording = RecordingImages(Model(), tmp_path)
    assert await recording.generate(WISH) == b"640"
    await recording.aclose()
    assert await RecordedImages(tmp_path).generate(WISH) == b"640"
    with pytest.raises(TextModelError, match="nothing is recorded"):
        await RecordedImages(tmp_path).generate(WISH._replace(seed=1))
