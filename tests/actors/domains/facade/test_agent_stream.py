"""Domain 11.4: a reply's stream follows from rows, so everybody is told the same of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest
from scripted_model import ScriptedModel, Step
from vale_bench import Player, claims, running_vale

from actors.domains.ai.chunks import AiTextChunk
from actors.domains.ai.limits import CHUNKS_KEPT_MICROS
from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage
from actors.domains.custom_world.agent.submit import SubmitCustomWorldAgentMessage
from actors.domains.facade.agent_routes import say_and_follow
from actors.domains.facade.agent_stream import FollowMessage, follow_message
from actors.domains.kinds import AGENT
from actors.errors import ReducerError, TextModelError
from actors.host.caller import Caller
from actors.host.procedures import Run
from actors.module.routes import ServerEvent
from actors.module.text_model import TextModel
from actors.module.types import ConnectionId

TEXT = "A drowned kingdom, then. Who keeps the last light burning?"
LONG_AGO = TextModelError("dependency.timeout", "no answer")


def said(text: str = TEXT, **more: Any) -> str:
    """A whole answer of a model."""
    whole = {"reply": text, "anchors": [], "suggestedReplies": [], "proposedCards": []}
    return json.dumps(whole | more)


class Author:
    """A player with a creation session."""

    def __init__(self, player: Player, session_id: str) -> None:
        self.player = player
        self.session_id = session_id
        self.host = player.vale.host
        self._said = 0

    @property
    def run(self) -> Run:
        return Run(self.host, Caller(self.player.claims, ConnectionId(0)))

    def rows(self, table: type) -> list[Any]:
        return self.player.vale.rows(AGENT.key(self.session_id), table)

    @property
    def last_message(self) -> CustomWorldAgentMessage:
        return max(self.rows(CustomWorldAgentMessage), key=lambda row: row.seq)

    @asynccontextmanager
    async def saying(self, text: str = "A drowned kingdom.") -> Any:
        self._said += 1
        said = SubmitCustomWorldAgentMessage(
            self.session_id, text, f"m{self._said}", f"s{self._said}"
        )
        stream = say_and_follow(self.run, said)
        try:
            yield stream
        finally:
            await stream.aclose()

    @asynccontextmanager
    async def following(
        self, last_event_id: str | None = None, message_id: str | None = None
    ) -> Any:
        stream = follow_message(self.run, FollowMessage(self.session_id, message_id, last_event_id))
        try:
            yield stream
        finally:
            await stream.aclose()

    async def told(self, last_event_id: str | None = None) -> list[ServerEvent]:
        """All that a reader is told who comes now."""
        async with self.following(last_event_id) as stream:
            return [event async for event in stream]


@asynccontextmanager
async def writing(*scripts: list[Step]) -> Any:
    """An author whose messages are answered by scripts."""
    model = ScriptedModel(*scripts)
    async with running_vale(providers={TextModel: model}) as vale:
        player = await vale.enter(claims(1))
        name = "create_custom_world_agent_session_and_return"
        snapshot = await player.ask(name, None, "en")
        yield Author(player, snapshot.session.agent_session_id)


async def take_until(stream: Any, name: str) -> list[ServerEvent]:
    """The next events up to one of a name."""
    events = [await anext(stream)]
    while events[-1].event != name:
        events.append(await anext(stream))
    return events


def names(events: list[ServerEvent]) -> list[str]:
    """Names of events; operations with their status, deltas in a row as one."""
    found: list[str] = []
    for event in events:
        name = event.event
        if name == "operation":
            name += ":" + event.data.operation.status.name.lower()
        if name != "delta" or found[-1:] != ["delta"]:
            found.append(name)
    return found


def text_of(events: list[ServerEvent]) -> str:
    """What a client shows in the end: the deltas since the last start."""
    text = ""
    for event in events:
        if event.event == "message_start":
            text = ""
        elif event.event == "delta":
            text += event.data.text
    return text


def data_of(events: list[ServerEvent], name: str) -> Any:
    (found,) = [event.data for event in events if event.event == name]
    return found


async def test_everybody_is_told_the_same() -> None:
    gate = asyncio.Event()
    whole = said(anchors=[{"key": "tone", "value": "grim", "confidence": 800}])
    async with writing([whole[:30], gate, whole[30:]]) as author, author.saying() as first:
        early = await take_until(first, "delta")
        async with author.following() as second:
            late = await take_until(second, "delta")
            assert late == early
            gate.set()
            rest = [event async for event in first]
            assert [event async for event in second] == rest
        events = early + rest
        assert names(events) == [
            *("user_message", "operation:queued", "operation:running", "message_start", "delta"),
            *("session", "message_end", "operation:succeeded", "done"),
        ]
        assert text_of(events) == data_of(events, "message_end").text == TEXT
        assert any(anchor.value == "grim" for anchor in data_of(events, "session").anchors)
        assert await author.told() == events


async def test_a_reader_goes_on_behind_any_delta() -> None:
    whole = said()
    pieces = [whole[start : start + 12] for start in range(0, len(whole), 12)]
    async with writing(pieces) as author:
        async with author.saying() as stream:
            events = [event async for event in stream]
        deltas = [event for event in events if event.event == "delta"]
        assert [event.data.sequence for event in deltas] == list(range(len(deltas)))
        assert len(deltas) > 2
        for delta in deltas:
            assert await author.told(delta.id) == events[events.index(delta) + 1 :]


async def test_proposed_cards_are_named() -> None:
    payload = {"key": "watch", "name": "Tide Watch", "goal": "Keep the lamps lit."}
    card = {"kind": "faction", "payload": payload}
    async with writing([said(proposedCards=[card])]) as author, author.saying() as stream:
        events = [event async for event in stream]
        (changed,) = data_of(events, "cards").changed
        assert (changed.kind.name, changed.status.name) == ("FACTION", "PROPOSED")
        assert names(events)[-4:] == ["cards", "message_end", "operation:succeeded", "done"]
        assert await author.told() == events


async def test_a_model_that_breaks_off_leaves_what_it_said() -> None:
    whole = said()
    async with writing([whole[:30], LONG_AGO], [said("Again.")]) as author:
        async with author.saying() as stream:
            events = [event async for event in stream]
        assert names(events) == [
            *("user_message", "operation:queued", "operation:running", "message_start", "delta"),
            *("error", "message_end", "operation:failed", "done"),
        ]
        error, end = data_of(events, "error"), data_of(events, "message_end")
        assert (error.code, error.partial, error.retryable) == ("dependency.timeout", True, True)
        assert end.status.name == "PARTIAL"
        assert TEXT.startswith(end.text)
        assert text_of(events) == end.text != ""
        assert await author.told() == events
        last_delta = next(event for event in reversed(events) if event.event == "delta")

        retry = json.dumps({"messageId": end.message_id})
        await author.player.ask(
            "execute_custom_world_agent_action_and_return",
            author.session_id,
            "retry_reply",
            retry,
            None,
        )
        again = await author.told(last_delta.id)
        assert names(again)[:3] == ["restart", "message_start", "delta"]
        assert names(again)[-3:] == ["message_end", "operation:succeeded", "done"]
        assert {event.data.attempt for event in again if event.event == "delta"} == {2}
        assert text_of(again) == data_of(again, "message_end").text == "Again."
        assert names(await author.told())[:4] == names(events)[:4]


async def test_what_is_taken_back_is_told_anew() -> None:
    async with writing(['{"reply": "The sea', " took the keys. I am an AI, so "]) as author:
        async with author.saying() as stream:
            events = [event async for event in stream]
        assert names(events)[3:8] == ["message_start", "delta", "restart", "message_start", "delta"]
        assert text_of(events) == data_of(events, "message_end").text
        assert text_of(await author.told()) == text_of(events)


async def test_a_model_that_says_nothing_is_replaced() -> None:
    async with writing([LONG_AGO]) as author, author.saying() as stream:
        events = [event async for event in stream]
        end = data_of(events, "message_end")
        assert (end.status.name, end.text_source.name) == ("COMPLETE", "FALLBACK")
        assert text_of(events) == end.text != ""
        assert all(len(event.data.text) <= 120 for event in events if event.event == "delta")
        assert "error" not in names(events)
        assert names(events)[-2:] == ["operation:succeeded", "done"]


async def test_who_stops_listening_stops_nothing() -> None:
    gate = asyncio.Event()
    whole = said()
    async with writing([whole[:30], gate, whole[30:]]) as author:
        async with author.saying() as stream:
            seen = await take_until(stream, "delta")
        gate.set()
        rest = await author.told(seen[-1].id)
        assert names(rest)[-2:] == ["operation:succeeded", "done"]
        assert text_of(seen + rest) == TEXT


async def test_one_reply_at_a_time() -> None:
    gate = asyncio.Event()
    whole = said()
    async with writing([whole[:30], gate, whole[30:]]) as author, author.saying() as stream:
        await take_until(stream, "delta")
        async with author.saying("And more.") as second:
            with pytest.raises(ReducerError, match=r"agent\.reply_in_progress_state"):
                await anext(second)
        gate.set()
        await take_until(stream, "done")


async def test_a_reply_is_called_off() -> None:
    never = asyncio.Event()
    whole = said()
    async with writing([whole[:30], never]) as author, author.saying() as stream:
        seen = await take_until(stream, "delta")
        operation = next(event.data.operation for event in seen if event.event == "operation")
        await author.player.ask(
            "cancel_custom_world_agent_operation_and_return",
            author.session_id,
            operation.operation_id,
        )
        rest = [event async for event in stream]
        assert names(rest)[-4:] == ["error", "message_end", "operation:cancelled", "done"]
        error, end = data_of(rest, "error"), data_of(rest, "message_end")
        assert (error.code, error.partial) == ("agent.cancelled", True)
        assert text_of(seen + rest) == end.text


async def test_forgotten_chunks_come_as_one() -> None:
    whole = said()
    pieces = [whole[start : start + 12] for start in range(0, len(whole), 12)]
    async with writing(pieces) as author:
        async with author.saying() as stream:
            events = [event async for event in stream]
        deltas = [event for event in events if event.event == "delta"]
        author.player.vale.clock.wait(CHUNKS_KEPT_MICROS + 1_000_000)
        await author.player.vale.wake(AGENT.key(author.session_id))
        assert author.rows(AiTextChunk) == []

        new = await author.told()
        assert names(new) == names(events)
        assert [event.data.text for event in new if event.event == "delta"] == [TEXT]
        resumed = await author.told(deltas[0].id)
        assert names(resumed)[:3] == ["restart", "message_start", "delta"]
        assert text_of([*deltas[:1], *resumed]) == TEXT
        finished = await author.told(deltas[-1].id)
        assert "delta" not in names(finished)
        assert names(finished)[-3:] == ["message_end", "operation:succeeded", "done"]


async def test_a_greeting_has_no_operation() -> None:
    async with writing() as author:
        events = await author.told()
        assert names(events) == ["message_start", "delta", "message_end", "done"]
        assert text_of(events) == author.last_message.text
        assert data_of(events, "done").operation_id is None


async def test_strangers_learn_nothing() -> None:
    async with writing() as author:
        stranger = await author.player.vale.enter(claims(2))
        run = Run(author.host, Caller(stranger.claims, ConnectionId(0)))
        stream = follow_message(run, FollowMessage(author.session_id))
        with pytest.raises(ReducerError, match=r"agent\.session_not_found"):
            await anext(stream)
        async with author.following(message_id="msg_none") as mine:
            with pytest.raises(ReducerError, match=r"agent\.message_not_found"):
                await anext(mine)
        for wrong in ("x", "x:1", "x:1:y", "x:-1:2", "x::2"):
            async with author.following(wrong) as mine:
                with pytest.raises(ReducerError, match=r"input\.invalid_id"):
                    await anext(mine)
