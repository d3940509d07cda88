"""Stored files: entering, listing, reading and deleting them (domain 8.6, 8.7, story 13.7)."""

from __future__ import annotations

import pytest
from asset_bench import CATALOG_KEY, begin_session, bind, file_fields, held, stored
from user_bench import SERVICE, claims
from vale_bench import RefusedError, running_vale

from actors.domains.asset_metadata.objects import (
    AssetObject,
    asset_by_locator,
    object_locator,
)
from actors.domains.domain_types import AccessPolicy
from actors.domains.limits import ASSETS_LISTED_MAX, OBJECT_BYTES_MAX
from actors.domains.rules.assets.object_keys import PRIVATE_BUCKET
from actors.domains.rules.ids import content_hash


async def test_the_same_file_again_is_the_same_row() -> None:
    async with running_vale() as vale:
        service = await vale.enter(SERVICE)
        first = await stored(service, "u_a")
        assert first.version == 1
        assert first.asset_object_id.startswith("ao_")
        assert first.object_locator == object_locator(PRIVATE_BUCKET, first.object_key)
        assert await stored(service, "u_a") == first
        assert vale.rows(CATALOG_KEY, AssetObject) == [first]


async def test_new_content_in_the_same_place_is_the_next_version() -> None:
    async with running_vale() as vale:
        service = await vale.enter(SERVICE)
        first = await stored(service, "u_a")
        other = content_hash(b"other")
        second = await stored(service, "u_a", content_hash=other, content_length=7)
        assert (second.asset_object_id, second.version) == (first.asset_object_id, 2)
        assert (second.content_hash, second.content_length) == (other, 7)
        assert second.created_at == first.created_at
        assert vale.rows(CATALOG_KEY, AssetObject) == [second]
        with pytest.raises(RefusedError, match=r"asset\.not_owner"):
            await stored(service, "u_b", object_key=first.object_key)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("object_key", "../secret", "asset.invalid_locator"),
        ("object_key", "a/../b", "asset.invalid_locator"),
        ("object_key", "a/./b", "asset.invalid_locator"),
        ("object_key", "/a", "asset.invalid_locator"),
        ("object_key", "a//b", "asset.invalid_locator"),
        ("object_key", "a/", "asset.invalid_locator"),
        ("object_key", "a\\b", "asset.invalid_locator"),
        ("object_key", "a b", "asset.invalid_locator"),
        ("object_key", "", "asset.invalid_locator"),
        ("object_key", "a" * 161, "asset.invalid_locator"),
        ("bucket", "elsewhere", "asset.invalid_locator"),
        ("content_length", 0, "asset.content_length_out_of_range"),
        ("content_length", OBJECT_BYTES_MAX + 1, "asset.content_length_out_of_range"),
        ("content_type", "text/html", "asset.unsupported_media"),
        ("content_hash", "a" * 63, "asset.invalid_hash"),
        ("content_hash", "A" * 64, "asset.invalid_hash"),
        ("content_hash", "g" * 64, "asset.invalid_hash"),
        ("owner_user_id", "nobody at all", "input.invalid_id"),
        ("profile_id", "a/b", "input.invalid_id"),
        ("source_job_id", "", "input.invalid_id"),
        ("asset_kind", "Portrait", "input.invalid_id"),
    ],
)
async def test_what_is_no_stored_file_is_refused(field: str, value: object, code: str) -> None:
    async with running_vale() as vale:
        service = await vale.enter(SERVICE)
        with pytest.raises(RefusedError) as refused:
            await stored(service, "u_a", **{field: value})
        assert refused.value.code == code
        assert vale.rows(CATALOG_KEY, AssetObject) == []


async def test_the_largest_file_and_a_plain_key_are_fine() -> None:
    async with running_vale() as vale:
        service = await vale.enter(SERVICE)
        row = await stored(service, "u_a", object_key="a..b/c", content_length=OBJECT_BYTES_MAX)
        assert row.object_key == "a..b/c"


async def test_players_do_not_enter_files() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        with pytest.raises(RefusedError, match=r"auth\.forbidden"):
            await stored(player, player.user_id)


async def test_only_its_owner_reads_a_row_until_everybody_may() -> None:
    async with running_vale() as vale:
        service, owner, other = [await vale.enter(who) for who in (SERVICE, claims(1), claims(2))]
        for player in (service, owner, other):
            await player.subscribe("asset_object")
        private = await stored(service, owner.user_id)
        public = await stored(service, owner.user_id, "b", access_policy=AccessPolicy.PUBLIC_READ)
        assert held(owner, "asset_object") == sorted([private, public])
        assert held(other, "asset_object") == held(service, "asset_object") == [public]


async def test_objects_are_listed_newest_first_page_by_page() -> None:
    async with running_vale() as vale:
        service, owner, other = [await vale.enter(who) for who in (SERVICE, claims(1), claims(2))]
        rows = [await stored(service, owner.user_id, str(number)) for number in range(5)]
        cover = await stored(service, owner.user_id, "c", asset_kind="cover")
        await stored(service, other.user_id, "foreign")
        found, cursor = [], None
        while True:
            page = await owner.ask("list_my_assets", None, cursor, 4)
            found += page.assets
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == [cover, *reversed(rows)]
        page = await owner.ask("list_my_assets", "cover", None, 1)
        assert (page.assets, page.next_cursor) == ([cover], None)


@pytest.mark.parametrize(
    ("cursor", "limit", "code"),
    [
        (None, 0, "input.out_of_range"),
        (None, ASSETS_LISTED_MAX + 1, "input.out_of_range"),
        ("made up", 1, "input.invalid_cursor"),
    ],
)
async def test_a_page_that_is_none_is_refused(cursor: str | None, limit: int, code: str) -> None:
    async with running_vale() as vale:
        owner = await vale.enter(claims(1))
        with pytest.raises(RefusedError) as refused:
            await owner.ask("list_my_assets", None, cursor, limit)
        assert refused.value.code == code


async def test_a_file_is_found_by_its_place() -> None:
    async with running_vale() as vale:
        service = await vale.enter(SERVICE)
        row = await stored(service, "u_a")
        db = vale.host.core(CATALOG_KEY).database
        assert asset_by_locator(db, row.bucket, row.object_key) == row
        assert asset_by_locator(db, row.bucket, row.object_key + "x") is None


async def test_an_object_is_deleted_when_nothing_shows_it() -> None:
    async with running_vale() as vale:
        service, owner, other = [await vale.enter(who) for who in (SERVICE, claims(1), claims(2))]
        row = await stored(service, owner.user_id)
        await begin_session(owner)
        binding = await bind(owner, row)
        with pytest.raises(RefusedError, match=r"asset\.in_use_conflict"):
            await owner.call("delete_asset_object", row.asset_object_id)
        with pytest.raises(RefusedError, match=r"asset\.not_owner"):
            await other.call("delete_asset_object", row.asset_object_id)
        await owner.call("unbind_asset_object_from_entity", binding.binding_id)
        await owner.call("delete_asset_object", row.asset_object_id)
        assert vale.rows(CATALOG_KEY, AssetObject) == []
        with pytest.raises(RefusedError, match=r"asset\.not_found"):
            await owner.call("delete_asset_object", row.asset_object_id)


async def test_a_request_that_is_repeated_is_answered_as_before() -> None:
    async with running_vale() as vale:
        service = await vale.enter(SERVICE)
        name, fields = "confirm_asset_object_and_return", file_fields("u_a")
        first = await service.ask(name, *fields, request="r1")
        assert await service.ask(name, *fields, request="r1") == first
        with pytest.raises(RefusedError, match=r"idempotency\.conflict"):
            await service.ask(name, *file_fields("u_b"), request="r1")
