from __future__ import annotations

import json
from typing import Any

import pytest
from authored_worlds import publish, published, unpublish, with_tip, without_premise, world, write
from user_bench import claims, only
from vale_bench import RefusedError, refusal, running_vale

from actors.domains.custom_world.profile import (
    CustomWorldDraftFacts,
    CustomWorldProfile,
    CustomWorldProfileDocument,
)
from actors.domains.custom_world.publishing import CustomWorldPublishedProfile
from actors.domains.domain_types import ProfileSource, PublicationStatus
from actors.domains.kinds import CATALOG
from actors.domains.limits import PROFILES_DELETED_MAX, PROFILES_MAX
from actors.domains.rules.ids import content_hash, public_work_code


async def test_a_draft_has_its_projections_and_a_revision_for_every_change() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1, display_name="Ann"))
        await author.subscribe("custom_world_profile")
        first = await write(author)
        assert first.profile_id.startswith("cwp_")
        assert first.public_work_code == public_work_code(first.profile_id)
        assert (first.owner_user_id, first.author_display_name) == (author.user_id, "Ann")
        assert (first.source_kind, first.source_agent_session_id) == (ProfileSource.IMPORT, None)
        assert (first.publication_status, first.published_version) == (PublicationStatus.DRAFT, 0)
        assert (first.revision, first.blocker_count, first.chapter_count) == (1, 0, 5)
        assert only(author.rows("custom_world_profile")) == first
        second = await write(author, without_premise, profile_id=first.profile_id, revision=1)
        assert (second.revision, second.blocker_count) == (2, 1)
        assert second.draft_hash != first.draft_hash
        assert second.created_at == first.created_at < second.updated_at
        detail = await author.ask("get_custom_world_library_detail", first.profile_id)
        assert detail.profile == second
        assert content_hash(detail.document.encode()) == second.draft_hash
        assert json.loads(detail.document)["meta"]["profileId"] == first.profile_id
        assert [one.code for one in detail.findings if one.code[:3] == "BLK"] == ["BLK_PREMISE"]


async def test_what_a_draft_is_written_with_has_bounds() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await write(author)
        await write(author, profile_id=profile.profile_id)
        upsert = "upsert_custom_world_profile_and_return"
        with pytest.raises(RefusedError) as refused:
            await author.ask(upsert, profile.profile_id, world(), 1)
        assert refused.value.code == "world.stale_version"
        bad: list[tuple[str | None, str, str]] = [
            (profile.profile_id, "[]", "world.document_malformed"),
            (profile.profile_id, "{", "input.json_malformed"),
            (profile.profile_id, json.dumps({"rockets": []}), "world.document_malformed"),
            (None, '"' + "x" * 1_300_000 + '"', "input.payload_too_large"),
            ("cwp_nothing", world(), "world.not_found"),
            ("cwp/1", world(), "input.invalid_id"),
        ]
        for profile_id, text, code in bad:
            assert await refusal(author.ask(upsert, profile_id, text, None)) == code
        assert only(author.own_rows(CustomWorldProfile)).revision == 2


async def test_nobody_else_finds_a_profile() -> None:
    async with running_vale() as vale:
        author, other = await vale.enter(claims(1)), await vale.enter(claims(2))
        await other.subscribe("custom_world_profile")
        profile = await write(author)
        assert other.rows("custom_world_profile") == []
        for name in (
            "publish_custom_world_profile_and_return",
            "unpublish_custom_world_profile_and_return",
            "delete_custom_world_profile_and_return",
            "get_custom_world_library_detail",
        ):
            assert await refusal(other.ask(name, profile.profile_id)) == "world.not_found"
        with pytest.raises(RefusedError):
            await author.subscribe("custom_world_profile_document")


async def test_the_library_is_listed_newest_first_through_changes() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        ids = [(await write(author, name=f"World {number}")).profile_id for number in range(5)]
        await publish(author, ids[2])

        async def listed(status: Any, cursor: str | None, limit: int) -> Any:
            return await author.ask("list_custom_world_library", status, cursor, limit)

        page = await listed(None, None, 2)
        assert [row.profile_id for row in page.items] == [ids[2], ids[4]]
        await author.ask("delete_custom_world_profile_and_return", ids[3])
        page = await listed(None, page.next_cursor, 2)
        assert [row.profile_id for row in page.items] == [ids[1], ids[0]]
        assert page.next_cursor is None
        drafts = await listed(PublicationStatus.DRAFT, None, 50)
        assert [row.profile_id for row in drafts.items] == [ids[4], ids[1], ids[0]]
        for limit in (0, 51):
            assert await refusal(listed(None, None, limit)) == "input.out_of_range"
        assert await refusal(listed(None, "nonsense", 1)) == "input.invalid_cursor"


async def test_a_library_has_room_for_so_many_worlds() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await write(author)
        profiles = vale.host.core(author.home).database[CustomWorldProfile]
        for number in range(1, PROFILES_MAX):
            fields = dict(zip(profile._fields, profile, strict=True))
            fields |= {"profile_id": f"cwp_{number}", "public_work_code": f"code{number}"}
            profiles.insert(CustomWorldProfile(**fields))
        vale.host.core(author.home).database.commit()
        assert await refusal(write(author)) == "limit.quota_exceeded"
        assert len(author.own_rows(CustomWorldProfile)) == PROFILES_MAX
        await author.ask("delete_custom_world_profile_and_return", profile.profile_id)
        await write(author)


async def test_deleting_takes_a_world_out_of_the_gallery_and_can_be_repeated() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await published(author)
        await author.subscribe("custom_world_gallery_entry", "profile_dashboard_state")
        assert profile.profile_id in [
            row.profile_id for row in author.rows("custom_world_gallery_entry")
        ]
        for _ in range(2):
            deleted = await author.ask("delete_custom_world_profile_and_return", profile.profile_id)
            assert deleted.deleted_at is not None
        row = only(author.own_rows(CustomWorldProfile))
        assert row.publication_status is PublicationStatus.UNPUBLISHED
        assert author.own_rows(CustomWorldProfileDocument) == []
        assert author.own_rows(CustomWorldDraftFacts) == []
        assert profile.profile_id not in [
            row.profile_id for row in author.rows("custom_world_gallery_entry")
        ]
        assert only(author.rows("profile_dashboard_state")).published_work_count == 0
        for name in (
            "publish_custom_world_profile_and_return",
            "unpublish_custom_world_profile_and_return",
            "get_custom_world_library_detail",
        ):
            assert await refusal(author.ask(name, profile.profile_id)) == "world.not_found"
        assert (await refusal(write(author, profile_id=profile.profile_id))) == "world.not_found"
        assert (
            await refusal(author.ask("delete_custom_world_profile_and_return", "cwp_nothing"))
        ) == "world.not_found"


async def test_the_library_forgets_what_was_deleted_first() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        first = await write(author)
        first = await author.ask("delete_custom_world_profile_and_return", first.profile_id)
        profiles = vale.host.core(author.home).database[CustomWorldProfile]
        for number in range(1, PROFILES_DELETED_MAX):
            fields = dict(zip(first._fields, first, strict=True))
            fields |= {
                "profile_id": f"cwp_{number}",
                "public_work_code": f"code{number}",
                "deleted_at": first.deleted_at + number,
            }
            profiles.insert(CustomWorldProfile(**fields))
        vale.host.core(author.home).database.commit()
        last = await write(author, with_tip("Another"))
        await author.ask("delete_custom_world_profile_and_return", last.profile_id)
        kept = {row.profile_id for row in author.own_rows(CustomWorldProfile)}
        assert len(kept) == PROFILES_DELETED_MAX
        assert first.profile_id not in kept
        assert last.profile_id in kept


async def test_running_stories_go_on_when_their_world_is_deleted() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        profile = await published(author)
        session = await player.begin(profile=profile.profile_id)
        assert session.published_version == 1
        await author.ask("delete_custom_world_profile_and_return", profile.profile_id)
        archive = await player.save()
        assert (await player.say("look around")).turn > session.turn
        await player.restore(archive.archive_id)
        assert player.session.published_version == 1
        await player.call("abandon_story_session", player.story_id)
        assert await refusal(player.begin(profile=profile.profile_id)) == "world.not_found"
        rows = vale.rows(CATALOG.shard_key(profile.profile_id), CustomWorldPublishedProfile)
        assert profile.profile_id in [row.profile_id for row in rows]


async def test_a_withdrawn_world_is_a_draft_that_its_author_goes_on_with() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await published(author)
        await unpublish(author, profile.profile_id)
        again = await write(author, with_tip("Changed"), profile_id=profile.profile_id)
        assert again.publication_status is PublicationStatus.UNPUBLISHED
        assert (again.published_version, again.revision) == (1, 2)
