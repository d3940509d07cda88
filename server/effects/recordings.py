"""Recordings: answers of models in a folder, with their timing, by the hash of what was asked.

Neither prompts nor keys are kept, only what came back. A recording answers the same request of any
model, so tests and demonstrations play without one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path

import orjson

from actors.errors import TextModelError
from actors.module.text_model import Prompt
from server.effects.provider import ImageProvider, ImageWish, Provider, Usage

__all__ = ["RecordedImages", "RecordedModel", "RecordingImages", "RecordingModel"]


class RecordingModel:
    """A provider whose complete answers are kept; the last one to a request is the recording.

    Args:
        provider: who answers.
        folder: where its answers are kept; made when the first one comes.
    """

    def __init__(self, provider: Provider, folder: Path) -> None:
        self.name = provider.name
        self._provider = provider
        self._folder = folder

    async def aclose(self) -> None:
        """Close the provider's connections."""
        await self._provider.aclose()

    async def stream(
        self, prompt: Prompt, tokens_max: int, *, is_structured: bool
    ) -> AsyncGenerator[str | Usage, None]:
        """What the provider answers."""
        clock = asyncio.get_running_loop().time
        began = clock()
        pieces: list[tuple[int, str]] = []
        usage = None
        stream = self._provider.stream(prompt, tokens_max, is_structured=is_structured)
        async with aclosing(stream) as answer:
            async for piece in answer:
                if isinstance(piece, Usage):
                    usage = piece
                else:
                    pieces.append((round((clock() - began) * 1_000), piece))
                yield piece
        counted = None if usage is None else list(usage)
        recording = {"model": self.name, "pieces": pieces, "usage": counted}
        path = self._folder / _text_file(prompt, tokens_max, is_structured=is_structured)
        await asyncio.to_thread(_write, path, orjson.dumps(recording, option=orjson.OPT_INDENT_2))


class RecordedModel:
    """A provider that answers what was recorded, and nothing else.

    Args:
        folder: where the recordings are.
        speed: how many times as fast as recorded; 0 waits for nothing.
    """

    name = "recordings"

    def __init__(self, folder: Path, speed: float) -> None:
        self._folder = folder
        self._speed = speed

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def stream(
        self, prompt: Prompt, tokens_max: int, *, is_structured: bool
    ) -> AsyncGenerator[str | Usage, None]:
        """The recorded pieces, at the times at which they came.

        Raises:
            TextModelError: such a request was not recorded; the message names the missing file.
        """
        file = _text_file(prompt, tokens_max, is_structured=is_structured)
        recording = orjson.loads(await _read(self._folder / file))
        clock = asyncio.get_running_loop().time
        began = clock()
        for milliseconds, piece in recording["pieces"]:
            if self._speed:
                due = began + milliseconds / 1_000 / self._speed
                await asyncio.sleep(max(0.0, due - clock()))
            yield piece
        if recording["usage"] is not None:
            yield Usage(*recording["usage"])


class RecordingImages:
    """A provider whose images are kept.

    Args:
        provider: who makes them.
        folder: where they are kept; made when the first one comes.
    """

    def __init__(self, provider: ImageProvider, folder: Path) -> None:
        self.name = provider.name
        self._provider = provider
        self._folder = folder

    async def aclose(self) -> None:
        """Close the provider's connections."""
        await self._provider.aclose()

    async def generate(self, wish: ImageWish) -> bytes:
        """What the provider makes."""
        image = await self._provider.generate(wish)
        await asyncio.to_thread(_write, self._folder / _image_file(wish), image)
        return image


class RecordedImages:
    """A provider of recorded images; a folder is all it needs."""

    name = "recordings"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def generate(self, wish: ImageWish) -> bytes:
        """The recorded image. Raises TextModelError: such a request was not recorded."""
        return await _read(self._folder / _image_file(wish))


def _text_file(prompt: Prompt, tokens_max: int, *, is_structured: bool) -> str:
    return f"text-{_digest([prompt.system, prompt.user, tokens_max, is_structured])}.json"


def _image_file(wish: ImageWish) -> str:
    return f"image-{_digest(list(wish))}.bin"


def _digest(asked: list[str | int | None]) -> str:
    return sha256(orjson.dumps(asked)).hexdigest()[:32]


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def _read(path: Path) -> bytes:
    try:
        return await asyncio.to_thread(path.read_bytes)
    except FileNotFoundError:
        text = f"nothing is recorded for this request ({path.name})"
        raise TextModelError("dependency.unavailable", text) from None
