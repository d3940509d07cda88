from __future__ import annotations

import pytest
from user_bench import SERVICE, only
from vale_bench import PROFILE, RefusedError, claims, running_vale

from actors.domains.custom_world.gallery import CustomWorldGalleryEntry
from actors.domains.custom_world.publishing import (
    CustomWorldPublishedProfile,
    PublishedStatus,
)
from actors.domains.kinds import CATALOG
from actors.domains.rules.ids import content_hash, public_work_code
from actors.module.module import Module

SHARD = CATALOG.shard_key(PROFILE)


async def test_the_fixture_world_is_published_once_whatever_is_called() -> None:
    async with running_vale() as vale:
        before = only(vale.rows(SHARD, CustomWorldPublishedProfile))
        service = await vale.enter(SERVICE)
        answer = await service.ask("load_fixture_world_and_return")
        assert (answer.profile_id, answer.version) == (PROFILE, 1)
        row = only(vale.rows(SHARD, CustomWorldPublishedProfile))
        assert row == before
        assert row.status is PublishedStatus.LIVE
        assert row.document_hash == answer.document_hash == content_hash(row.document_json.encode())


async def test_everybody_sees_the_gallery_but_not_the_document() -> None:
    async with running_vale() as vale:
        anybody = await vale.enter(claims(7))
        await anybody.subscribe("custom_world_gallery_entry")
        entry: CustomWorldGalleryEntry = only(anybody.rows("custom_world_gallery_entry"))
        assert (entry.world_name, entry.chapter_count, entry.landmark_count) == ("Test Vale", 5, 6)
        assert entry.public_work_code == public_work_code(PROFILE)
        assert len(entry.public_work_code) == 8
        with pytest.raises(RefusedError):
            await anybody.subscribe("custom_world_published_profile")
        await anybody.begin()
        assert only(anybody.rows("custom_world_gallery_entry")).play_count == 1


async def test_a_gallery_of_copies_is_published_once_and_each_can_be_entered() -> None:
    async with running_vale() as vale:
        service = await vale.enter(SERVICE)
        for _ in range(2):
            await service.call("load_fixture_gallery", 3)
        with pytest.raises(RefusedError) as refused:
            await service.call("load_fixture_gallery", 129)
        assert refused.value.code == "input.out_of_range"
        player = await vale.enter(claims(7))
        await player.subscribe("custom_world_gallery_entry")
        names = [row.world_name for row in player.rows("custom_world_gallery_entry")]
        assert sorted(names) == ["Test Vale", "Test Vale 1", "Test Vale 2", "Test Vale 3"]
        session = await player.begin(profile=f"{PROFILE}_2")
        assert session.world_name == "Test Vale 2"


async def test_only_services_load_fixtures() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        with pytest.raises(RefusedError) as refused:
            await player.ask("load_fixture_world_and_return")
        assert refused.value.code == "auth.forbidden"


def test_without_the_flag_there_is_no_such_reducer() -> None:
    module = Module.load("actors.domains.entry")
    assert "load_fixture_world" not in module.reducers
    assert "begin_story_session" in module.reducers
