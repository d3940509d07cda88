"""Domain 11.3: a story's stream tells from rows what its reader has not seen yet."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from scripted_model import ScriptedModel, said
from vale_bench import Player, claims, playing

from actors.domains.ai.chunks import AiTextChunk
from actors.domains.domain_types import GrantSource, ParticipantRole
from actors.domains.facade.story_stream import (
    FollowStory,
    Place,
    SettlementNews,
    follow_story,
    read_place,
)
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import StoryEvent, StoryFunction, TextStatus
from actors.errors import ReducerError
from actors.host.caller import Caller
from actors.host.procedures import Run
from actors.module.routes import ServerEvent
from actors.module.text_model import TextModel
from actors.module.types import ConnectionId


@asynccontextmanager
async def following(player: Player, story_id: str, last_event_id: str | None = None) -> Any:
    """A stream whose reader asks for one event after the other."""
    caller = Caller(player.claims, ConnectionId(0))
    stream = follow_story(Run(player.vale.host, caller), FollowStory(story_id, last_event_id))
    try:
        yield stream
    finally:
        await stream.aclose()


async def take(stream: Any, *names: str) -> list[ServerEvent]:
    """The next events, which must have these names; a reward may come among them at any time."""
    events: list[ServerEvent] = []
    while len(events) < len(names):
        event = await anext(stream)
        if event.event != "settlement":
            events.append(event)
    assert [event.event for event in events] == list(names)
    return events


async def skip_to(stream: Any, name: str) -> ServerEvent:
    """The next event of a name."""
    async for event in stream:
        if event.event == name:
            return event
    raise AssertionError(f"no {name}")


def last_event(player: Player) -> StoryEvent:
    return max(player.story_rows(StoryEvent), key=lambda row: row.seq)


@pytest.mark.parametrize(
    "place",
    [Place(0), Place(12), Place(12, 12), Place(12, 10, (1, 0, 3))],
    ids=lambda place: place.event_id,
)
def test_an_event_id_names_its_place(place: Place) -> None:
    assert read_place(place.event_id) == place


@pytest.mark.parametrize("event_id", ["", "x", "-1", "1:", "1:2.", "1:2.3.4", "1:2.3.4.5.6", "1 "])
def test_other_ids_are_refused(event_id: str) -> None:
    with pytest.raises(ReducerError, match=r"input\.invalid_id"):
        read_place(event_id)


async def test_a_new_reader_sees_where_the_story_stands() -> None:
    async with playing() as player, following(player, player.story_id) as stream:
        event, choices = await take(stream, "story_event", "choices")
        assert event.data.event == last_event(player)
        assert event.id == str(last_event(player).seq)
        assert choices.data.choices == player.choices()
        assert choices.id is None


async def test_a_turn_reaches_its_readers() -> None:
    async with (
        playing() as player,
        following(player, player.story_id) as first,
        following(player, player.story_id) as second,
    ):
        for stream in (first, second):
            await take(stream, "story_event", "choices")
        await player.choose(StoryFunction.TRAVEL, "mill")
        seen = [await take(stream, "story_event", "choices") for stream in (first, second)]
        assert seen[0] == seen[1]
        assert seen[0][0].data.event == last_event(player)
        assert seen[0][1].data.choices == player.choices()


async def test_a_reader_goes_on_where_an_earlier_stream_ended() -> None:
    async with playing() as player:
        async with following(player, player.story_id) as stream:
            (event, _) = await take(stream, "story_event", "choices")
        await player.choose(StoryFunction.TRAVEL, "mill")
        async with following(player, player.story_id, event.id) as stream:
            (missed, _) = await take(stream, "story_event", "choices")
            assert missed.data.event == last_event(player)
        async with following(player, player.story_id, missed.id) as stream:
            await take(stream, "choices")


async def test_a_told_turn_comes_in_pieces_and_then_whole() -> None:
    gates = asyncio.Event(), asyncio.Event()
    whole = said("The mill stands black.")
    model = ScriptedModel([gates[0], whole[:25], gates[1], whole[25:]])
    async with (
        playing(providers={TextModel: model}) as player,
        following(player, player.story_id) as stream,
    ):
        await take(stream, "story_event", "choices")
        await player.choose(StoryFunction.TRAVEL, "mill")
        (pending, _) = await take(stream, "story_event", "choices")
        assert pending.data.event.text_status is TextStatus.PENDING
        gates[0].set()
        (piece,) = await take(stream, "delta")
        assert (piece.data.event_id, piece.data.sequence) == (pending.data.event.event_id, 0)
        async with following(player, player.story_id, piece.id) as resumed:
            await take(resumed, "choices")
            gates[1].set()
            rest = await take(resumed, "delta", "story_event")
            assert rest == await take(stream, "delta", "story_event")
        texts = [piece.data.text, rest[0].data.text]
        assert "".join(texts) == rest[1].data.event.text == "The mill stands black."
        assert rest[1].data.event.text_status is TextStatus.COMPLETE
        assert "".join(row.delta_text for row in player.story_rows(AiTextChunk)) == "".join(texts)
        async with following(player, player.story_id, pending.id) as resumed:
            again = await take(resumed, "delta", "delta", "story_event", "choices")
            assert [event.id for event in again[:3]] == [piece.id, rest[0].id, rest[1].id]


async def test_battles_and_rewards_are_told() -> None:
    async with playing() as player, following(player, player.story_id) as stream:
        await take(stream, "story_event", "choices")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await take(stream, "story_event", "choices")
        await player.choose(StoryFunction.FIGHT)
        battle = (await skip_to(stream, "battle")).data
        assert battle == await player.battle(battle.battle.battle_state_id)
        resolution = await player.fight_out(battle)
        (paid,) = [
            row
            for row in player.story_rows(RewardSettlement)
            if row.source is GrantSource.HOSTILE_DEFEAT
        ]
        told = []
        while not told or told[-1].data != SettlementNews(paid):
            told.append(await anext(stream))
        battles = [event.data for event in told if event.event == "battle"]
        assert battles[-1] == resolution.snapshot
        assert all(before != after for before, after in pairwise(battles))
        assert (paid.user_id, paid.status) == (player.user_id, SettlementStatus.SETTLED)
        # What did not change is not told again.
        after = []
        for place in ("square", "mill"):
            await player.choose(StoryFunction.TRAVEL, place)
            after.append(await anext(stream))
            while after[-1].event != "choices":
                after.append(await anext(stream))
        assert not {"battle", "settlement"} & {event.event for event in after}


async def test_a_stream_ends_with_its_story() -> None:
    async with playing() as player, following(player, player.story_id) as stream:
        await take(stream, "story_event", "choices")
        await player.call("abandon_story_session", player.story_id)
        names = [event.event async for event in stream]
        assert set(names) <= {"story_event", "choices", "settlement"}


async def test_a_stream_ends_when_its_reader_is_sent_away() -> None:
    async with playing() as player:
        code = (await player.ask("create_story_invite_and_return", player.story_id)).invite_code
        guest = await player.vale.enter(claims(2))
        await guest.ask(
            "join_story_session_and_return",
            player.story_id,
            code,
            ParticipantRole.SPECTATOR,
            None,
        )
        async with following(guest, player.story_id) as stream:
            await take(stream, "story_event", "choices")
            await player.call("kick_story_participant", player.story_id, guest.user_id)
            assert [event async for event in stream] == []


async def test_strangers_learn_nothing() -> None:
    async with playing() as player:
        stranger = await player.vale.enter(claims(2))
        async with following(stranger, player.story_id) as stream:
            with pytest.raises(ReducerError, match=r"story\.not_found"):
                await anext(stream)
        async with following(stranger, "ss_none") as stream:
            with pytest.raises(ReducerError, match=r"story\.not_found"):
                await anext(stream)
