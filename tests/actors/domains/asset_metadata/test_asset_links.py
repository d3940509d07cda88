"""Links of published worlds: what publishing opens and what it takes back (domain 6.1, 8.6)."""

from __future__ import annotations

from asset_bench import (
    CATALOG_KEY,
    HERO,
    PROFILE,
    SESSION,
    begin_session,
    bind,
    held,
    src_of,
    stored,
    turn,
)
from user_bench import SERVICE, claims
from vale_bench import Player, Vale, running_vale

from actors.domains.asset_metadata.entities import entity_id_of
from actors.domains.asset_metadata.links import (
    CustomWorldAssetLink,
    assets_of,
    publish_links,
    withdraw_links,
)
from actors.domains.asset_metadata.objects import AssetObject
from actors.domains.domain_types import AccessPolicy, AssetEntityKind
from actors.domains.kinds import USER
from actors.domains.world_messages import DropLinks

SAGE = entity_id_of(SESSION, AssetEntityKind.NPC, "sage")


async def bound_hero(vale: Vale) -> tuple[Player, Player, Player]:
    """The service, a user whose hero has a portrait, and another user who looks on."""
    service, owner, other = [await vale.enter(who) for who in (SERVICE, claims(1), claims(2))]
    await begin_session(owner)
    await bind(owner, await stored(service, owner.user_id))
    await other.subscribe("asset_object", "asset_entity_binding", "custom_world_asset_link")
    return service, owner, other


async def publish(vale: Vale, owner: Player, version: int) -> None:
    await turn(
        vale,
        CATALOG_KEY,
        lambda ctx: publish_links(ctx, PROFILE, version, owner_user_id=owner.user_id),
    )


async def test_publishing_shows_everybody_links_and_objects() -> None:
    async with running_vale() as vale:
        _, owner, other = await bound_hero(vale)
        assert held(other, "custom_world_asset_link") == []
        await publish(vale, owner, 1)
        (link,) = held(other, "custom_world_asset_link")
        (row,) = held(other, "asset_object")
        assert (link.published_version, link.image_src) == (1, src_of(row))
        assert row.access_policy is AccessPolicy.PUBLIC_READ
        assert held(other, "asset_entity_binding") == []
        await publish(vale, owner, 2)
        assert [link.published_version for link in held(other, "custom_world_asset_link")] == [2]


async def test_another_file_is_the_owners_own_until_it_is_published() -> None:
    async with running_vale() as vale:
        service, owner, other = await bound_hero(vale)
        await publish(vale, owner, 1)
        await owner.subscribe("custom_world_asset_link")
        second = await stored(service, owner.user_id, "b")
        await bind(owner, second)
        assert held(other, "custom_world_asset_link") == []
        assert [link.image_src for link in held(owner, "custom_world_asset_link")] == [
            src_of(second)
        ]
        await publish(vale, owner, 2)
        assert [link.image_src for link in held(other, "custom_world_asset_link")] == [
            src_of(second)
        ]


async def test_unpublishing_takes_links_back_and_leaves_objects_open() -> None:
    async with running_vale() as vale:
        _, owner, other = await bound_hero(vale)
        await publish(vale, owner, 1)
        await turn(vale, CATALOG_KEY, lambda ctx: withdraw_links(ctx, PROFILE))
        assert held(other, "custom_world_asset_link") == []
        assert len(held(other, "asset_object")) == 1


async def test_what_changes_nothing_is_no_delta() -> None:
    async with running_vale() as vale:
        _, owner, other = await bound_hero(vale)
        await publish(vale, owner, 1)
        other.deltas.clear()
        await publish(vale, owner, 1)
        assert other.deltas == []


async def test_a_deleted_profile_has_no_links_and_keeps_its_objects() -> None:
    async with running_vale() as vale:
        _, owner, _ = await bound_hero(vale)

        def drop(owner_user_id: str) -> None:
            return lambda ctx: ctx.send(CATALOG_KEY, DropLinks(PROFILE, owner_user_id))

        await turn(vale, USER.key(owner.user_id), drop("u_somebody_else"))
        assert len(vale.rows(CATALOG_KEY, CustomWorldAssetLink)) == 1
        await turn(vale, USER.key(owner.user_id), drop(owner.user_id))
        assert vale.rows(CATALOG_KEY, CustomWorldAssetLink) == []
        assert len(vale.rows(CATALOG_KEY, AssetObject)) == 1


async def test_a_profile_that_comes_back_has_its_links_again_with_its_next_version() -> None:
    async with running_vale() as vale:
        service, owner, other = await bound_hero(vale)
        # The same place, bound through the profile: the later one keeps it.
        later = await stored(service, owner.user_id, "later")
        await bind(service, later, entity_id_of(PROFILE, AssetEntityKind.ROLE, "hero"))
        await turn(
            vale,
            USER.key(owner.user_id),
            lambda ctx: ctx.send(CATALOG_KEY, DropLinks(PROFILE, owner.user_id)),
        )
        await publish(vale, owner, 3)
        (link,) = held(other, "custom_world_asset_link")
        assert (link.published_version, link.image_src) == (3, src_of(later))


async def test_a_compile_gets_the_images_of_its_profile() -> None:
    async with running_vale() as vale:
        service, owner, _ = await bound_hero(vale)
        other_world = entity_id_of("cwp_other", AssetEntityKind.ROLE, "hero")
        rows = {name: await stored(service, owner.user_id, name) for name in "abc"}
        await bind(owner, rows["a"], HERO)
        await service.ask(
            "bind_asset_object_to_entity_and_return",
            rows["b"].asset_object_id,
            AssetEntityKind.NPC,
            SAGE,
            1,
            None,
        )
        await bind(service, rows["c"], other_world)
        assert assets_of(vale.host.core(CATALOG_KEY).database, PROFILE) == {
            "role:hero:portrait": src_of(rows["a"]),
            "npc:sage:portrait": src_of(rows["b"]),
        }
