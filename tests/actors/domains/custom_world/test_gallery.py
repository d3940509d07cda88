from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from authored_worlds import published, unpublish, with_tip
from hypothesis import given, settings
from hypothesis import strategies as st
from user_bench import SERVICE, claims, only
from vale_bench import PROFILE, RefusedError, Vale, refusal, running_vale

from actors import replace
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry
from actors.domains.custom_world.gallery_calls import GallerySort
from actors.domains.custom_world.gallery_counters import GalleryRank, GalleryTally
from actors.domains.domain_types import ThemeMode
from actors.domains.kinds import CATALOG
from actors.domains.limits import (
    COUNTERS_TOLD_MICROS,
    GALLERY_SCANNED_MAX,
    GALLERY_TOP_LIKED,
)
from actors.domains.runtime.profile import ProfileDashboardState

SHARD = CATALOG.shard_key(PROFILE)


def _in_neon(document: dict[str, Any]) -> None:
    document["world"]["themeMode"] = "neon"
    document["world"]["tags"] = ["city", "night"]


async def _listed(player: Any, **filters: Any) -> Any:
    fields = {"sort": GallerySort.NEWEST, "theme": None, "tag": None, "q": None}
    fields |= {"cursor": None, "limit": 50, **filters}
    return await player.ask("list_custom_world_gallery", *fields.values())


def _names(page: Any) -> list[str]:
    return [entry.world_name for entry in page.items]


async def test_worlds_are_found_by_theme_tag_and_words() -> None:
    async with running_vale() as vale:
        author, anybody = await vale.enter(claims(1)), await vale.enter(claims(2))
        await published(author, _in_neon, name="Neon Harbor")
        await published(author, with_tip("Under the HARBOR lights"), name="Silver Mire")
        assert _names(await _listed(anybody)) == ["Silver Mire", "Neon Harbor", "Test Vale"]
        assert _names(await _listed(anybody, theme=ThemeMode.NEON)) == ["Neon Harbor"]
        assert _names(await _listed(anybody, tag="city")) == ["Neon Harbor"]
        assert _names(await _listed(anybody, q="harbor")) == ["Silver Mire", "Neon Harbor"]
        assert _names(await _listed(anybody, q=" Test ")) == ["Test Vale"]
        assert _names(await _listed(anybody, q="x-files")) == []


async def test_pages_go_on_behind_what_was_shown_whatever_changed() -> None:
    async with running_vale() as vale:
        service, player = await vale.enter(SERVICE), await vale.enter(claims(2))
        await service.call("load_fixture_gallery", 6)
        for number in (2, 4):
            await player.call("like_custom_world", f"{PROFILE}_{number}")
        for sort, expected in (
            (GallerySort.LIKES, ["2", "4", "1", "3", "5", "6"]),
            (GallerySort.PLAYS, ["1", "2", "3", "4", "5", "6"]),
        ):
            first = await _listed(player, sort=sort, limit=3)
            second = await _listed(player, sort=sort, limit=3, cursor=first.next_cursor)
            third = await _listed(player, sort=sort, limit=3, cursor=second.next_cursor)
            names = [name.removeprefix("Test Vale ") for name in _names(first) + _names(second)]
            assert names == expected
            assert (_names(third), third.next_cursor) == (["Test Vale"], None)
        first = await _listed(player, limit=2)
        author = await vale.enter(claims(1))
        await published(author)
        assert _names(await _listed(player, limit=1, cursor=first.next_cursor)) == ["Test Vale 3"]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), max_size=12),
    st.sampled_from(GallerySort),
    st.integers(1, 5),
)
def test_all_pages_together_are_the_gallery_in_order(worlds, sort, limit) -> None:
    async def scenario() -> None:
        async with running_vale() as vale:
            service = await vale.enter(SERVICE)
            if worlds:
                await service.call("load_fixture_gallery", len(worlds))
            database = vale.host.core(SHARD).database
            for number, (likes, plays, published_at) in enumerate(worlds, 1):
                rank = database[GalleryRank].get(f"{PROFILE}_{number}")
                database[GalleryRank].update(
                    replace(rank, like_count=likes, play_count=plays, published_at=published_at)
                )
            database.commit()
            shown, cursor = [], None
            while True:
                page = await _listed(service, sort=sort, limit=limit, cursor=cursor)
                shown += [entry.profile_id for entry in page.items]
                cursor = page.next_cursor
                if cursor is None:
                    break
            values = {
                GallerySort.NEWEST: lambda row: (0, row.published_at),
                GallerySort.LIKES: lambda row: (row.like_count, row.published_at),
                GallerySort.PLAYS: lambda row: (row.play_count, row.published_at),
            }
            rows = sorted(database[GalleryRank], key=lambda row: row.profile_id)
            rows.sort(key=values[sort], reverse=True)
            assert shown == [row.profile_id for row in rows]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"limit": 0}, "input.out_of_range"),
        ({"limit": 500}, "input.out_of_range"),
        ({"cursor": "nonsense"}, "input.invalid_cursor"),
        ({"tag": "No Slug"}, "input.invalid_id"),
        ({"q": "x" * 41}, "input.text_too_long"),
    ],
)
async def test_what_lists_are_asked_with_has_bounds(filters: dict[str, Any], code: str) -> None:
    async with running_vale() as vale:
        anybody = await vale.enter(claims(1))
        assert await refusal(_listed(anybody, **filters)) == code


async def test_a_cursor_of_one_order_is_none_of_another() -> None:
    async with running_vale() as vale:
        service = await vale.enter(SERVICE)
        await service.call("load_fixture_gallery", 2)
        cursor = (await _listed(service, limit=1)).next_cursor
        asked = _listed(service, sort=GallerySort.LIKES, cursor=cursor)
        assert await refusal(asked) == "input.invalid_cursor"


async def test_a_rare_world_is_found_page_by_page() -> None:
    async with running_vale() as vale:
        anybody = await vale.enter(claims(1))
        database = vale.host.core(SHARD).database
        entry, rank = only(database[CustomWorldGalleryEntry]), only(database[GalleryRank])
        for number in range(GALLERY_SCANNED_MAX + 5):
            key = f"cwp_{number:04}"
            database[CustomWorldGalleryEntry].insert(
                replace(entry, profile_id=key, public_work_code=key, world_name="Many")
            )
            later = rank.published_at + 1
            database[GalleryRank].insert(replace(rank, profile_id=key, published_at=later))
        database.commit()
        page = await _listed(anybody, q="vale")
        assert page.items == []
        page = await _listed(anybody, q="vale", cursor=page.next_cursor)
        assert (_names(page), page.next_cursor) == (["Test Vale"], None)


async def test_the_most_liked_worlds_can_be_followed() -> None:
    async with running_vale() as vale:
        service, player = await vale.enter(SERVICE), await vale.enter(claims(1))
        await service.call("load_fixture_gallery", GALLERY_TOP_LIKED + 4)
        await player.call("like_custom_world", f"{PROFILE}_9")
        await player.subscribe("gallery_top_liked")
        shown = {row.profile_id for row in player.rows("gallery_top_liked")}
        assert len(shown) == GALLERY_TOP_LIKED
        assert f"{PROFILE}_9" in shown
        assert PROFILE not in shown, "of worlds with as many likes the last published come first"
        await player.call("like_custom_world", PROFILE)
        rows = {row.profile_id: row for row in player.rows("gallery_top_liked")}
        assert len(rows) == GALLERY_TOP_LIKED
        assert rows[PROFILE].like_count == 1
        await player.call("unlike_custom_world", PROFILE)
        assert {row.profile_id for row in player.rows("gallery_top_liked")} == shown


async def test_a_detail_gives_nothing_away() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        profile = await published(author)

        async def detail(owner: str, profile_id: str) -> Any:
            return await player.ask("get_custom_world_gallery_detail", owner, profile_id)

        shown = await detail(author.user_id, profile.profile_id)
        assert (shown.entry.world_name, shown.liked_by_me) == ("Amber Vale", False)
        world = json.loads(shown.world_json)
        assert world["world"]["name"] == "Amber Vale"
        assert "lootTable" not in shown.world_json
        assert "facts" not in shown.world_json
        await player.call("like_custom_world", profile.profile_id)
        assert (await detail(author.user_id, profile.profile_id)).liked_by_me
        for owner, profile_id in (
            (player.user_id, profile.profile_id),
            (author.user_id, "cwp_nothing"),
        ):
            assert await refusal(detail(owner, profile_id)) == "world.not_found"
        await unpublish(author, profile.profile_id)
        assert await refusal(detail(author.user_id, profile.profile_id)) == "world.not_found"


async def test_whole_documents_are_for_owners_and_services() -> None:
    async with running_vale() as vale:
        author, other = await vale.enter(claims(1)), await vale.enter(claims(2))
        service = await vale.enter(SERVICE)
        profile = await published(author)

        async def version(who: Any, number: int | None) -> Any:
            return await who.ask("get_published_profile", profile.profile_id, number)

        for who in (author, service):
            assert json.loads((await version(who, None)).document)["world"]["name"] == "Amber Vale"
        seen = await version(other, None)
        assert (seen.version, seen.document) == (1, None)
        assert seen.document_hash == profile.draft_hash
        assert await refusal(version(author, 2)) == "world.not_found"
        await unpublish(author, profile.profile_id)
        assert await refusal(version(author, None)) == "world.not_found"
        assert (await version(author, 1)).version == 1


# Counters


async def test_a_session_counts_as_a_play_and_its_first_one_as_a_player() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        profile = await published(author)
        await author.subscribe("custom_world_gallery_entry")
        for plays in (1, 2):
            await player.begin(profile=profile.profile_id)
            (entry,) = (
                row
                for row in author.rows("custom_world_gallery_entry")
                if row.profile_id == profile.profile_id
            )
            assert (entry.play_count, entry.unique_player_count) == (plays, 1)


async def test_an_author_is_told_the_numbers_in_time_and_exactly() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await published(author)
        key = CATALOG.shard_key(profile.profile_id)
        for number in range(3):
            await _like(vale, 10 + number, profile.profile_id)
        dashboard = only(author.own_rows(ProfileDashboardState))
        assert dashboard.total_likes_received == 1, "the first is told at once"
        vale.clock.wait(COUNTERS_TOLD_MICROS)
        await vale.wake(key)
        assert only(author.own_rows(ProfileDashboardState)).total_likes_received == 3
        (tally,) = (
            row for row in vale.rows(key, GalleryTally) if row.profile_id == profile.profile_id
        )
        assert (tally.like_count, tally.version, tally.is_due) == (3, 3, False)
        vale.clock.wait(COUNTERS_TOLD_MICROS)
        await vale.wake(key)
        player = await vale.enter(claims(2))
        await player.begin(profile=profile.profile_id)
        await player.call("like_custom_world", profile.profile_id)
        await player.call("unlike_custom_world", profile.profile_id)
        vale.clock.wait(COUNTERS_TOLD_MICROS)
        await vale.wake(key)
        dashboard = only(author.own_rows(ProfileDashboardState))
        assert (dashboard.total_likes_received, dashboard.total_plays_received) == (3, 1)


async def _like(vale: Vale, number: int, profile_id: str) -> None:
    player = await vale.enter(claims(number))
    await player.call("like_custom_world", profile_id)


async def test_a_hidden_world_is_in_no_list() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        moderator = await vale.enter(claims(9, "moderator"))
        profile = await published(author)
        await player.subscribe("gallery_top_liked", "custom_world_gallery_entry")
        await author.subscribe("custom_world_gallery_entry")
        await moderator.ask("moderate_gallery_entry_and_return", profile.profile_id, 1, "rude")
        for view in ("gallery_top_liked", "custom_world_gallery_entry"):
            assert [row.profile_id for row in player.rows(view)] == [PROFILE]
        assert len(author.rows("custom_world_gallery_entry")) == 2
        assert _names(await _listed(author)) == ["Test Vale"]
        detail = ("get_custom_world_gallery_detail", author.user_id, profile.profile_id)
        assert await refusal(player.ask(*detail)) == "world.not_found"
        for who in (author, moderator):
            assert (await who.ask(*detail)).entry.profile_id == profile.profile_id
        with pytest.raises(RefusedError, match=r"world\.not_found"):
            await player.call("like_custom_world", profile.profile_id)
