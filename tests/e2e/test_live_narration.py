"""A story told by a model over real sockets, and told to its end after its server was killed."""

from __future__ import annotations

import asyncio
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from bot import Bot, Words, connected
from model_server import ModelServer, model_server
from served import Served, serving

from actors.domains.ai.tasks import AiTaskStatus
from actors.domains.domain_types import TextSource
from actors.domains.gameplay.story import NarrativeState, StoryFunction, TextStatus
from actors.module.module import Module

pytestmark = pytest.mark.crash

KEY = "sk-very-secret"
TABLES = ("story_session", "story_event", "story_choice", "ai_task", "ai_task_stage")
REQUESTS = itertools.count()


async def ask(bot: Bot, words: Words, name: str, *fields: object) -> Any:
    given = words.inputs[name](*fields, f"r{next(REQUESTS)}")
    ok, value, code, text, _ = await bot.ask_in_time(name, given)
    assert ok, f"{code}: {text}"
    return value


def narration(text: str) -> tuple[str, str]:
    """An answer in two halves."""
    whole = json.dumps({"narration": text})
    return whole[: len(whole) // 2], whole[len(whole) // 2 :]


def settings(folder: Path, model: ModelServer) -> str:
    path = folder / "genarrative.toml"
    path.write_text(f'text_models = ["{model.url}#tale-1"]\ntext_model_keys = ["{KEY}"]\n')
    return str(path)


class Tale:
    """A player's connection to a story in Test Vale."""

    def __init__(self, bot: Bot, words: Words) -> None:
        self.bot = bot
        self._words = words

    async def begin(self) -> None:
        name = "begin_story_session_and_return"
        await ask(self.bot, self._words, name, "cwp_fixture_vale", "wanderer", None)
        await self.follow()

    async def follow(self) -> None:
        chunks = "SELECT * FROM ai_text_chunk"
        await self.bot.subscribe(chunks, *(f"SELECT * FROM {table}" for table in TABLES))
        await self.bot.until(lambda: bool(self.bot.rows("story_choice")))

    async def travel(self) -> None:
        choice = next(
            row for row in self.bot.rows("story_choice") if row.function is StoryFunction.TRAVEL
        )
        turn = self.session.turn
        name = "continue_story_and_return"
        fields = (self.session.story_session_id, choice.choice_id, None, turn, False)
        session = await ask(self.bot, self._words, name, *fields)
        assert session.turn == turn + 1
        assert session.narrative_state is NarrativeState.STREAMING

    @property
    def session(self) -> Any:
        (session,) = self.bot.rows("story_session")
        return session

    @property
    def event(self) -> Any:
        return max(self.bot.rows("story_event"), key=lambda row: row.seq)

    @property
    def chunks(self) -> str:
        rows = sorted(self.bot.rows("ai_text_chunk"), key=lambda row: row.sequence)
        return "".join(row.delta_text for row in rows)

    async def told(self) -> Any:
        await self.bot.until(lambda: self.session.narrative_state is NarrativeState.IDLE)
        return self.event


async def load_world(server: Served, words: Words) -> None:
    async with connected(words, server, server.token("service", "loader")) as service:
        await ask(service, words, "load_fixture_world_and_return")


async def test_a_turn_is_told_over_the_wire_and_after_a_kill(tmp_path: Path) -> None:
    words = Words(Module.load("actors.domains.entry", fixtures=True))
    gate, never = asyncio.Event(), asyncio.Event()
    async with model_server() as model:
        flags = ("--dev-fixtures", "--config", settings(tmp_path, model))
        with serving("actors.domains.entry", tmp_path / "data", *flags) as server:
            await load_world(server, words)
            async with connected(words, server) as bot:
                token, tale = bot.token, Tale(bot, words)
                await tale.begin()
                first, second = narration("The mill stands black.")
                model.say(first, gate, second)
                await tale.travel()
                await bot.until(lambda: bool(tale.chunks))
                assert tale.event.text_status is TextStatus.STREAMING
                assert "The mill stands black.".startswith(tale.chunks)
                gate.set()
                event = await tale.told()
                assert (event.text, event.text_source) == (
                    "The mill stands black.",
                    TextSource.LLM,
                )
                assert tale.session.latest_narrative_text == event.text

                model.say(narration("Old words are lost.")[0], never)
                await tale.travel()
                await bot.until(lambda: "Old" in tale.chunks)
            server.kill()
            model.say(*narration("New words are found."))
            server.start()
            async with connected(words, server, token) as bot:
                tale = Tale(bot, words)
                await tale.follow()
                event = await tale.told()
                assert (event.text, event.text_status) == (
                    "New words are found.",
                    TextStatus.COMPLETE,
                )
                assert {row.status for row in bot.rows("ai_task")} == {AiTaskStatus.COMPLETED}
                attempts = {row.attempt for row in bot.rows("ai_task_stage")}
                assert attempts == {0, 1, 2}
            server.stop()
            assert model.keys == [KEY] * 3
            assert KEY not in server.log()
            stored = b"".join(
                file.read_bytes() for file in server.data_dir.rglob("*") if file.is_file()
            )
            assert b"New words are found." in stored
            assert KEY.encode() not in stored


async def test_a_story_goes_on_when_the_model_is_gone(tmp_path: Path) -> None:
    words = Words(Module.load("actors.domains.entry", fixtures=True))
    async with model_server() as model:
        flags = ("--dev-fixtures", "--config", settings(tmp_path, model))
        with serving("actors.domains.entry", tmp_path / "data", *flags) as server:
            await load_world(server, words)
            async with connected(words, server) as bot:
                tale = Tale(bot, words)
                await tale.begin()
                model.say(401)
                await tale.travel()
                event = await tale.told()
                assert (event.text_status, event.text_source) == (
                    TextStatus.COMPLETE,
                    TextSource.FALLBACK,
                )
                assert event.text
                (task,) = bot.rows("ai_task")
                assert (task.failure_code, task.failure_message) == (
                    "dependency.unavailable",
                    "answered with status 401",
                )
                model.say("Prose for a ", "start", "[cut]")
                await tale.travel()
                assert (await tale.told()).text_source is TextSource.FALLBACK
            assert KEY not in server.log()
