"""Worlds whose server is killed: after every chunk of a reply, and at every step of publishing."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from bot import Bot, Lost, Words, connected
from dying_server import AFTER, BEFORE
from http_client import MODULE, Event, User, visiting
from model_server import ModelServer, Step, model_server
from served import HERE, Served, serving
from stored import read_actors

from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.objects import AssetObject
from actors.domains.custom_world.agent.checkpoints import CustomWorldAgentCheckpoint
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry
from actors.domains.custom_world.profile import CustomWorldProfile
from actors.domains.custom_world.publishing import CustomWorldPublishedProfile, PublishedStatus
from actors.domains.domain_types import (
    AgentAction,
    AgentStage,
    MessageRole,
    MessageStatus,
    OperationStatus,
    PublicationStatus,
    TextSource,
)
from actors.module.module import Module
from actors.module.system import DeadLetter, OutboxMessage
from actors.module.tables import declaration_of

pytestmark = pytest.mark.crash

SESSIONS = "/api/runtime/custom-world/agent/sessions"
SEED = "A drowned kingdom under a curse. The tone is grim mystery. I want to be a ferryman hero."
TABLES = (
    "ai_task",
    "ai_task_stage",
    "ai_text_chunk",
    "asset_object",
    "asset_entity_binding",
    "custom_world_agent_checkpoint",
    "custom_world_agent_message",
    "custom_world_agent_operation",
    "custom_world_agent_session",
    "custom_world_asset_link",
    "custom_world_draft_card",
    "custom_world_gallery_entry",
    "custom_world_profile",
)
ENDED = {OperationStatus.SUCCEEDED, OperationStatus.FAILED, OperationStatus.CANCELLED}

OLD = [f"c{number}" for number in range(7)]
NEW = [f"new{number}" for number in range(7)]
TAIL = '", "anchors": [], "suggestedReplies": [], "proposedCards": []}'

KILLS = (
    (BEFORE, "execute_custom_world_agent_action"),
    (AFTER, "execute_custom_world_agent_action"),
    (AFTER, "confirm_asset_object"),
    (AFTER, "finish_agent_operation"),
    (AFTER, "user.publish_from_agent"),
    (AFTER, "catalog.publish_profile"),
    (AFTER, "user.user_publish_ack"),
    (AFTER, "agent.agent_publish_ack"),
)
"""Records at which the server dies while a world without a cover is published (domain 12.5); before
a record is after the one that goes ahead of it."""

ASKED = 2
"""The call is made until it is written; all that follows goes on by itself."""


class Author:
    """An author's connection, which follows everything that belongs to worlds."""

    def __init__(self, bot: Bot, words: Words) -> None:
        self.bot = bot
        self._words = words

    async def follow(self) -> None:
        await self.bot.subscribe(*(f"SELECT * FROM {table}" for table in TABLES))

    async def ask(self, name: str, *fields: object) -> Any:
        ok, value, code, text, _ = await self.bot.ask(name, self._words.inputs[name](*fields))
        assert ok, f"{code}: {text}"
        return value

    async def create(self, request_id: str, seed: str | None = None) -> str:
        name = "create_custom_world_agent_session_and_return"
        made = await self.ask(name, seed, "en", request_id)
        session_id: str = made.session.agent_session_id
        await self.bot.until(lambda: self.message_of(session_id) is not None)
        await self.bot.until(lambda: all(row.status in ENDED for row in self.operations()))
        return session_id

    async def act(self, session_id: str, action: str, request_id: str) -> Any:
        name = "execute_custom_world_agent_action_and_return"
        return await self.ask(name, session_id, action, "{}", None, request_id)

    async def done(self, operation_id: str) -> Any:
        """An operation, once it has ended."""
        await self.bot.until(lambda: self.operation(operation_id).status in ENDED)
        return self.operation(operation_id)

    def operations(self) -> list[Any]:
        return self.bot.rows("custom_world_agent_operation")

    def operation(self, operation_id: str) -> Any:
        (row,) = (row for row in self.operations() if row.operation_id == operation_id)
        return row

    def message_of(self, session_id: str) -> Any:
        """The last message of the assistant in a session."""
        rows = (
            row
            for row in self.bot.rows("custom_world_agent_message")
            if row.agent_session_id == session_id and row.role is MessageRole.ASSISTANT
        )
        return max(rows, key=lambda row: row.seq, default=None)

    def chunks(self, message_id: str) -> list[str]:
        """The pieces of a message in order; they are of one attempt."""
        rows = [row for row in self.bot.rows("ai_text_chunk") if row.message_id == message_id]
        rows.sort(key=lambda row: row.sequence)
        assert [row.sequence for row in rows] == list(range(len(rows)))
        assert len({row.attempt for row in rows}) <= 1
        return [row.delta_text for row in rows]

    def rows(self) -> dict[str, list[str]]:
        return {table: sorted(map(repr, self.bot.rows(table))) for table in TABLES}


def pieces(texts: Iterable[str]) -> list[str]:
    """A whole answer of a model, one text of the reply in each piece; the end is one more."""
    first, *rest = texts
    return [f'{{"reply": "{first}', *rest, TAIL]


def settings(folder: Path, model: ModelServer) -> str:
    path = folder / "genarrative.toml"
    path.write_text(f'text_models = ["{model.url}#tale-1"]\ntext_model_keys = ["sk-1"]\n')
    return str(path)


async def take_deltas(events: Any, count: int) -> list[Event]:
    """The next events, up to so many deltas."""
    found: list[Event] = []
    while sum(event.event == "delta" for event in found) < count:
        found.append(await anext(events))
    return found


def delta_ids(events: list[Event]) -> list[str | None]:
    return [event.id for event in events if event.event == "delta"]


class Reply:
    """A reply that is cut off behind its chunk ``length``, and its author's two readers."""

    def __init__(self, length: int, author: Author, user: User, session_id: str) -> None:
        self.length = length
        self.session_id = session_id
        self.last_event_id = ""
        self._author = author
        self._user = user
        self._path = f"{SESSIONS}/{session_id}/messages/stream"

    @property
    def message(self) -> Any:
        return self._author.message_of(self.session_id)

    @property
    def chunks(self) -> list[str]:
        return self._author.chunks(self.message.message_id)

    async def begin(self, model: ModelServer) -> None:
        """Let it come so far, piece by piece, in front of both readers."""
        gates = [asyncio.Event() for _ in range(self.length)]
        paced = zip(pieces(OLD), gates, strict=False)
        script: list[Step] = [step for pair in paced for step in pair]
        model.say(*script)
        body = {"text": "A world of salt.", "clientMessageId": "m1"}
        async with self._user.stream("POST", self._path, json=body) as events:
            seen: list[Event] = []
            for number, gate in enumerate(gates):
                seen += await take_deltas(events, 1)
                await self._author.bot.until(lambda n=number: len(self.chunks) > n)
                assert self.chunks == OLD[: number + 1]
                if number < self.length - 1:
                    gate.set()
        message_id = self.message.message_id
        texts = [event.data["text"] for event in seen if event.event == "delta"]
        assert texts == OLD[: self.length]
        ids = [f"{message_id}:1:{number}" for number in range(self.length)]
        assert delta_ids(seen) == ids
        self.last_event_id = ids[-1]

    async def come_again(self, author: Author, user: User) -> None:
        """Connect anew: what was seen is there, although nobody writes."""
        self._author, self._user = author, user
        await author.follow()
        await author.bot.until(lambda: self.message is not None and self.message.attempt == 2)
        assert self.message.status is MessageStatus.STREAMING
        assert self.message.text == "".join(self.chunks) == "".join(OLD[: self.length])

    def rows(self) -> dict[str, list[str]]:
        return self._author.rows()

    async def go_on(self) -> None:
        """What a reader is told who comes behind the last delta, to the end."""
        async with self._user.stream("GET", self._path, self.last_event_id) as events:
            _check_news([event async for event in events], self.message.message_id)
        operation = await self._author.done(self.message.operation_id)
        assert (operation.status, operation.attempt) == (OperationStatus.SUCCEEDED, 2)
        assert (self.message.status, self.message.text_source) == (
            MessageStatus.COMPLETE,
            TextSource.LLM,
        )
        assert "".join(self.chunks) == self.message.text == "".join(NEW)


@pytest.mark.timeout(120)
async def test_replies_go_on_after_a_kill_at_any_chunk(store: str, tmp_path: Path) -> None:
    words = Words(Module.load(MODULE))
    async with model_server() as model:
        flags = ("--config", settings(tmp_path, model), "--store", store)
        with serving(MODULE, tmp_path / "data", *flags) as server:
            replies: dict[str, Reply] = {}
            async with AsyncExitStack() as stack:
                visitors = await stack.enter_async_context(visiting(server))
                for length in range(1, len(OLD) + 1):
                    bot = await stack.enter_async_context(connected(words, server))
                    author, user = Author(bot, words), visitors.holder(bot.token)
                    await author.follow()
                    session_id = await author.create("begin")
                    replies[bot.token] = reply = Reply(length, author, user, session_id)
                    await reply.begin(model)
                server.kill()
            gate = asyncio.Event()
            for _ in replies:
                model.say('{"reply": "', gate, *NEW, TAIL)
            server.start()
            rows: dict[str, dict[str, list[str]]] = {}
            async with AsyncExitStack() as stack:
                visitors = await stack.enter_async_context(visiting(server))
                for token, reply in replies.items():
                    bot = await stack.enter_async_context(connected(words, server, token))
                    await reply.come_again(Author(bot, words), visitors.holder(token))
                await model.until_asked(2 * len(replies))
                gate.set()
                for token, reply in replies.items():
                    await reply.go_on()
                    rows[token] = reply.rows()
            server.kill()
            server.start()
            for token in replies:
                await _same_rows(server, words, token, rows[token])
            server.stop()
            assert "Traceback" not in server.log()


def _check_news(news: list[Event], message_id: str) -> None:
    names = [event.event for event in news]
    assert names[:2] == ["restart", "message_start"]
    assert names[-2:] == ["operation", "done"]
    assert news[0].data == {"messageId": message_id, "attempt": 2}
    deltas = [event for event in news if event.event == "delta"]
    assert "".join(event.data["text"] for event in deltas) == "".join(NEW)
    assert delta_ids(news) == [f"{message_id}:2:{number}" for number in range(len(deltas))]
    (end,) = (event.data for event in news if event.event == "message_end")
    assert (end["status"], end["text"]) == ("complete", "".join(NEW))
    assert end["chunkCount"] == len(deltas)


async def _same_rows(server: Served, words: Words, token: str, rows: dict[str, list[str]]) -> None:
    async with connected(words, server, token) as bot:
        author = Author(bot, words)
        await author.follow()
        await bot.until(lambda: len(author.rows()["custom_world_agent_session"]) > 0)
        await bot.until(lambda: author.rows().keys() == rows.keys())
        for table, expected in rows.items():
            await bot.until(lambda t=table, e=expected: len(author.rows()[t]) >= len(e))
        assert author.rows() == rows


@pytest.mark.timeout(180)
def test_a_world_is_published_once_whatever_step_is_cut_off(store: str, tmp_path: Path) -> None:
    words = Words(Module.load(MODULE))
    with serving(MODULE, tmp_path / "data", "--store", store) as server:
        token, session_id = asyncio.run(_prepare(server, words))
        server.kill()
        for number, (moment, call) in enumerate(KILLS):
            server.program = (str(HERE / "dying_server.py"), moment, call)
            server.begin()
            if number < ASKED:
                server.expect_ready()
                asyncio.run(_ask(server, words, token, session_id))
            assert server.exit_code() == -signal.SIGKILL, call
        server.program = ("-m", "server")
        server.start()
        rows = asyncio.run(_published(server, words, token, session_id))
        server.kill()
        server.start()
        asyncio.run(_same_rows(server, words, token, rows))
        server.stop()
        assert "Traceback" not in server.log()
    _check_store(server, store, session_id)


async def _prepare(server: Served, words: Words) -> tuple[str, str]:
    """An author with a world that can be published; answers token and session."""
    async with connected(words, server) as bot:
        author = Author(bot, words)
        await author.follow()
        session_id = await author.create("begin", SEED)
        drafted = await author.act(session_id, "draft_foundation", "draft")
        operation = await author.done(drafted.operation_id)
        assert operation.status is OperationStatus.SUCCEEDED
        (session,) = bot.rows("custom_world_agent_session")
        assert session.stage is AgentStage.PUBLISH_READY
        return bot.token, session_id


async def _ask(server: Served, words: Words, token: str, session_id: str) -> None:
    """Ask for the publication; the server may die before it answers."""
    with contextlib.suppress(Lost):
        async with connected(words, server, token) as bot:
            await Author(bot, words).act(session_id, "publish_world", "publish")


async def _published(
    server: Served, words: Words, token: str, session_id: str
) -> dict[str, list[str]]:
    """What the author sees in the end, who asks once more as it was asked before."""
    async with connected(words, server, token) as bot:
        author = Author(bot, words)
        await author.follow()
        asked = await author.act(session_id, "publish_world", "publish")
        operation = await author.done(asked.operation_id)
        assert operation.status is OperationStatus.SUCCEEDED, operation
        for table in ("custom_world_gallery_entry", "custom_world_profile"):
            assert len(bot.rows(table)) == 1
        (session,) = bot.rows("custom_world_agent_session")
        assert session.stage is AgentStage.PUBLISHED
        (entry,) = bot.rows("custom_world_gallery_entry")
        assert entry.version == 1
        return author.rows()


def _check_store(server: Served, store: str, session_id: str) -> None:
    """Everything is there once, and nobody is owed anything."""
    actors = asyncio.run(read_actors(Module.load(MODULE), server.data_dir, store))

    def rows(table: type) -> list[Any]:
        (kind,) = declaration_of(table).kinds
        names = (name for name in actors if name.startswith(f"{kind.name}/"))
        return [row for name in names for row in actors[name].rows(table)]

    for actor in actors.values():
        assert actor.rows(DeadLetter) == []
        assert actor.rows(OutboxMessage) == []
    (version,) = rows(CustomWorldPublishedProfile)
    assert (version.version, version.status) == (1, PublishedStatus.LIVE)
    (entry,) = rows(CustomWorldGalleryEntry)
    (profile,) = rows(CustomWorldProfile)
    assert (profile.publication_status, profile.published_version) == (
        PublicationStatus.PUBLISHED,
        1,
    )
    assert entry.profile_id == profile.profile_id == version.profile_id
    assert profile.source_agent_session_id == session_id
    (operation,) = (
        row for row in rows(CustomWorldAgentOperation) if row.action is AgentAction.PUBLISH_WORLD
    )
    assert operation.status is OperationStatus.SUCCEEDED
    triggers = [row.trigger for row in rows(CustomWorldAgentCheckpoint)]
    assert len(triggers) == len(set(triggers))
    (image,), (binding,) = rows(AssetObject), rows(AssetEntityBinding)
    assert binding.asset_object_id == image.asset_object_id
    assert entry.cover_image_src.endswith(image.object_key)
    files = [file for file in (server.data_dir / "objects").rglob("*.svg") if file.is_file()]
    assert [file.name for file in files] == [f"{image.content_hash}.svg"]
