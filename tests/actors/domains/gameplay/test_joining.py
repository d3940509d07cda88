"""Domain 1.9 and 5.2: coming into a story takes one of the five that a user may be in."""

from __future__ import annotations

import asyncio

from user_bench import only
from vale_bench import Player, RefusedError, claims, playing, refusal

from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay.joining import StoryJoin
from actors.domains.gameplay.limits import PLAYERS_MAX
from actors.domains.gameplay.story import StoryParticipant, StorySession, StoryStatus
from actors.domains.limits import LIVE_STORIES_MAX
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.host.cell import Cell

PLAYER = ParticipantRole.PLAYER


async def _invited(host: Player) -> tuple[str, str]:
    if host.session.invite_code is None:
        await host.call("create_story_invite", host.story_id)
    code = host.session.invite_code
    assert code is not None
    return host.story_id, code


async def _waiting(host: Player, guest: Player) -> tuple[Cell, asyncio.Future[StorySession]]:
    """A guest who asked to come in, and its own actor, which answers when it is released."""
    invited = await _invited(host)
    home = host.vale.host._cells[guest.home]
    home.hold()
    join = asyncio.ensure_future(
        guest.ask("join_story_session_and_return", *invited, PLAYER, "wanderer")
    )
    while not host.story_rows(StoryJoin):
        await host.vale.host.durable()
    return home, join


def _participants(host: Player) -> list[str]:
    return [row.user_id for row in host.story_rows(StoryParticipant)]


async def test_whoever_is_in_five_stories_comes_into_no_sixth() -> None:
    async with playing() as host:
        guest = await host.vale.enter(claims(2))
        for _ in range(LIVE_STORIES_MAX):
            await guest.begin()
        invited = await _invited(host)
        for role, role_key in ((PLAYER, "wanderer"), (ParticipantRole.SPECTATOR, None)):
            join = guest.ask("join_story_session_and_return", *invited, role, role_key)
            assert await refusal(join) == "limit.quota_exceeded"
        # The reducer alone commits; nobody came in by it.
        await guest.call("join_story_session", *invited, PLAYER, "wanderer")
        assert _participants(host) == [host.user_id]
        assert host.session.player_count == 1
        assert len(guest.own_rows(SessionDirectoryEntry)) == LIVE_STORIES_MAX

        await guest.call("abandon_story_session", guest.story_id)
        answer = await guest.ask("join_story_session_and_return", *invited, PLAYER, "wanderer")
        assert answer == host.session
        assert host.session.player_count == 2
        assert host.story_rows(StoryJoin) == []
        again = await guest.ask("join_story_session_and_return", *invited, PLAYER, "wanderer")
        assert again == host.session
        over = guest.ask("begin_story_session_and_return", "cwp_fixture_vale", "wanderer", None)
        assert await refusal(over) == "limit.quota_exceeded"


async def test_two_who_wait_for_one_place_are_not_both_let_in() -> None:
    async with playing() as host:
        invited = await _invited(host)
        guests = [await host.vale.enter(claims(number)) for number in range(2, 7)]
        joins = [
            guest.ask("join_story_session_and_return", *invited, PLAYER, "wanderer")
            for guest in guests
        ]
        answers = await asyncio.gather(*joins, return_exceptions=True)
        refused = [each for each in answers if isinstance(each, RefusedError)]
        assert [each.code for each in refused] == ["story.full_state"] * 2
        assert len(_participants(host)) == PLAYERS_MAX == host.session.player_count


async def test_a_story_that_ends_meanwhile_gives_the_slot_back() -> None:
    async with playing() as host:
        guest = await host.vale.enter(claims(2))
        home, join = await _waiting(host, guest)
        leave = asyncio.ensure_future(host.call("abandon_story_session", host.story_id))
        while host.session.status is not StoryStatus.ABANDONED:
            await host.vale.host.durable()
        home.release()
        await leave
        assert await refusal(join) == "story.not_active_state"
        assert _participants(host) == [host.user_id]
        assert only(guest.own_rows(SessionDirectoryEntry)).state is DirectoryState.ARCHIVED


async def test_a_refusal_of_an_earlier_request_leaves_no_slot_taken() -> None:
    async with playing() as host:
        guest = await host.vale.enter(claims(2))
        for _ in range(LIVE_STORIES_MAX):
            await guest.begin()
        invited = await _invited(host)
        home, first = await _waiting(host, guest)
        asked_at = only(host.story_rows(StoryJoin)).asked_at
        calls = [asyncio.ensure_future(guest.call("abandon_story_session", guest.story_id))]
        while guest.session.status is not StoryStatus.ABANDONED:
            await host.vale.host.durable()
        again = guest.call("join_story_session", *invited, PLAYER, "wanderer")
        calls.append(asyncio.ensure_future(again))
        while only(host.story_rows(StoryJoin)).asked_at == asked_at:
            await host.vale.host.durable()
        home.release()
        await asyncio.gather(*calls)

        # The first request was refused, the second one agreed to: too late.
        assert await refusal(first) == "limit.quota_exceeded"
        assert _participants(host) == [host.user_id]
        states = {row.session_key: row.state for row in guest.own_rows(SessionDirectoryEntry)}
        assert states[host.story_id] is DirectoryState.ARCHIVED
        assert DirectoryState.STARTING not in states.values()
        await guest.ask("join_story_session_and_return", *invited, PLAYER, "wanderer")
        assert len(_participants(host)) == 2


async def test_who_is_sent_away_while_coming_in_stays_outside() -> None:
    async with playing() as host:
        guest = await host.vale.enter(claims(2))
        home, join = await _waiting(host, guest)
        kick = asyncio.ensure_future(
            host.call("kick_story_participant", host.story_id, guest.user_id)
        )
        while host.session.invite_code is not None:
            await host.vale.host.durable()
        home.release()
        await kick
        assert await refusal(join) == "story.invite_not_found"
        assert _participants(host) == [host.user_id]
        assert host.session.player_count == 1
        assert only(guest.own_rows(SessionDirectoryEntry)).state is DirectoryState.ARCHIVED
        kick_again = host.call("kick_story_participant", host.story_id, guest.user_id)
        assert await refusal(kick_again) == "story.participant_not_found"
