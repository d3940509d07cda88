"""Binding files to entities: whose, where, and who is told (domain 8.6, 8.7, 12.7, story 13.7)."""

from __future__ import annotations

import pytest
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
)
from user_bench import SERVICE, claims
from vale_bench import Player, RefusedError, Vale, running_vale

from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.entities import entity_id_of
from actors.domains.asset_metadata.links import CustomWorldAssetLink
from actors.domains.asset_metadata.objects import AssetObject
from actors.domains.domain_types import AssetEntityKind, AssetSlot
from actors.domains.kinds import AGENT
from actors.module.system import InboxCursor

BIND = "bind_asset_object_to_entity_and_return"
OTHER_SESSION = "cws_00000000000000000000000002"


async def three(vale: Vale) -> tuple[Player, Player, Player]:
    """The service, a user with a creation session, and another user with one."""
    service, owner, other = [await vale.enter(who) for who in (SERVICE, claims(1), claims(2))]
    await begin_session(owner)
    await begin_session(other, OTHER_SESSION)
    return service, owner, other


def told(vale: Vale, session: str) -> int:
    """How many messages of the catalog a session's actor has taken."""
    if AGENT.key(session) not in vale.host._cells:
        return 0
    cursors = vale.rows(AGENT.key(session), InboxCursor)
    return sum(row.last_seq for row in cursors if row.src_actor == CATALOG_KEY)


async def test_a_bound_object_has_its_link_and_its_session_is_told() -> None:
    async with running_vale() as vale:
        service, owner, other = await three(vale)
        for player in (owner, other):
            await player.subscribe("asset_entity_binding", "custom_world_asset_link")
        row = await stored(service, owner.user_id)
        binding = await bind(owner, row)
        assert binding.entity_ref == f"role:{HERO}"
        assert binding.binding_id == f"role:{HERO}:portrait"
        assert (binding.owner_user_id, binding.profile_id) == (owner.user_id, PROFILE)
        await vale.settle()
        (link,) = held(owner, "custom_world_asset_link")
        assert link.link_id == f"{PROFILE}:role:hero:portrait"
        assert (link.published_version, link.image_src) == (0, src_of(row))
        assert (link.asset_object_id, link.asset_binding_id) == (
            row.asset_object_id,
            binding.binding_id,
        )
        assert held(owner, "asset_entity_binding") == [binding]
        assert held(other, "asset_entity_binding") == []
        assert held(other, "custom_world_asset_link") == []
        assert told(vale, SESSION) == 1


async def test_binding_again_replaces_and_the_old_object_stays() -> None:
    async with running_vale() as vale:
        service, owner, _ = await three(vale)
        first, second = [await stored(service, owner.user_id, name) for name in "ab"]
        before = await bind(owner, first)
        after = await bind(owner, second)
        assert after.asset_object_id == second.asset_object_id
        assert after.created_at == before.created_at
        assert vale.rows(CATALOG_KEY, AssetEntityBinding) == [after]
        (link,) = vale.rows(CATALOG_KEY, CustomWorldAssetLink)
        assert link.image_src == src_of(second)
        assert vale.rows(CATALOG_KEY, AssetObject) == sorted([first, second])


async def test_the_same_binding_again_writes_nothing_and_tells_the_session() -> None:
    async with running_vale() as vale:
        service, owner, _ = await three(vale)
        row = await stored(service, owner.user_id)
        binding = await bind(owner, row)
        links = vale.rows(CATALOG_KEY, CustomWorldAssetLink)
        assert await bind(owner, row) == binding
        await vale.settle()
        assert vale.rows(CATALOG_KEY, CustomWorldAssetLink) == links
        assert told(vale, SESSION) == 2


async def test_two_users_request_ids_are_apart() -> None:
    async with running_vale() as vale:
        service, owner, other = await three(vale)
        heroes = {owner: SESSION, other: OTHER_SESSION}
        answers = []
        for player, session in heroes.items():
            row = await stored(service, player.user_id)
            hero = entity_id_of(session, AssetEntityKind.ROLE, "hero")
            fields = (row.asset_object_id, AssetEntityKind.ROLE, hero, AssetSlot.PORTRAIT, None)
            answers.append(await player.ask(BIND, *fields, request="r1"))
        assert len(vale.rows(CATALOG_KEY, AssetEntityBinding)) == len(set(answers)) == 2
        row = await stored(service, owner.user_id, "b")
        fields = (row.asset_object_id, AssetEntityKind.ROLE, HERO, AssetSlot.PORTRAIT, None)
        with pytest.raises(RefusedError, match=r"idempotency\.conflict"):
            await owner.ask(BIND, *fields, request="r1")


async def test_the_service_binds_by_the_reducer_and_players_do_not() -> None:
    async with running_vale() as vale:
        service, owner, _ = await three(vale)
        row = await stored(service, owner.user_id)
        fields = (row.asset_object_id, AssetEntityKind.ROLE, HERO, AssetSlot.PORTRAIT, PROFILE)
        await service.call("bind_asset_object_to_entity", *fields)
        (binding,) = vale.rows(CATALOG_KEY, AssetEntityBinding)
        assert await service.ask(BIND, *fields) == binding
        assert binding.owner_user_id == owner.user_id
        with pytest.raises(RefusedError, match=r"auth\.forbidden"):
            await owner.call("bind_asset_object_to_entity", *fields)


async def test_another_users_object_or_entity_is_refused() -> None:
    async with running_vale() as vale:
        service, owner, other = await three(vale)
        row, foreign = [await stored(service, who.user_id) for who in (owner, other)]
        with pytest.raises(RefusedError, match=r"asset\.not_owner"):
            await bind(owner, foreign)
        with pytest.raises(RefusedError, match=r"asset\.entity_not_found"):
            await bind(other, foreign, HERO)
        await bind(owner, row)
        # Not even the service gives an entity that is bound to somebody else.
        with pytest.raises(RefusedError, match=r"asset\.entity_not_found"):
            await bind(service, foreign, HERO)
        with pytest.raises(RefusedError, match=r"asset\.entity_not_found"):
            await bind(service, foreign, entity_id_of(PROFILE, AssetEntityKind.ROLE, "hero"))
        (binding,) = vale.rows(CATALOG_KEY, AssetEntityBinding)
        assert binding.asset_object_id == row.asset_object_id


WRONG_ENTITIES = {
    "no profile and no session": (AssetEntityKind.ROLE, "cwp_none:role:hero", "entity_not_found"),
    "another kind": (AssetEntityKind.ROLE, f"{SESSION}:npc:hero", "entity_not_found"),
    "no holder": (AssetEntityKind.ROLE, ":role:hero", "entity_not_found"),
    "no parts": (AssetEntityKind.ROLE, SESSION, "entity_not_found"),
    "another game": (AssetEntityKind.BIG_FISH_LEVEL, "bfw_1.level.1", "entity_not_found"),
    "no slug": (AssetEntityKind.ROLE, f"{SESSION}:role:Hero", "input.invalid_id"),
    "no id": (AssetEntityKind.ROLE, "a b", "input.invalid_id"),
}


@pytest.mark.parametrize("case", WRONG_ENTITIES)
async def test_what_is_no_entity_of_the_user_is_refused(case: str) -> None:
    kind, entity_id, code = WRONG_ENTITIES[case]
    slot = AssetSlot.PORTRAIT if kind is AssetEntityKind.ROLE else AssetSlot.LEVEL_IMAGE
    async with running_vale() as vale:
        service, owner, _ = await three(vale)
        row = await stored(service, owner.user_id)
        with pytest.raises(RefusedError, match=code):
            await owner.ask(BIND, row.asset_object_id, kind, entity_id, slot, None)
        assert vale.rows(CATALOG_KEY, AssetEntityBinding) == []


async def test_an_unknown_object_or_another_profile_is_refused() -> None:
    async with running_vale() as vale:
        service, owner, _ = await three(vale)
        row = await stored(service, owner.user_id)
        hero = (AssetEntityKind.ROLE, HERO, AssetSlot.PORTRAIT)
        with pytest.raises(RefusedError, match=r"asset\.not_found"):
            await owner.ask(BIND, "ao_none", *hero, None)
        with pytest.raises(RefusedError, match=r"asset\.entity_not_found"):
            await owner.ask(BIND, row.asset_object_id, *hero, "cwp_other")
        with pytest.raises(RefusedError, match=r"input\.invalid_id"):
            await owner.ask(BIND, row.asset_object_id, *hero, "a/b")


FITTING = {
    (AssetSlot.COVER, AssetEntityKind.WORLD),
    (AssetSlot.COVER, AssetEntityKind.BIG_FISH_WORK),
    (AssetSlot.COVER, AssetEntityKind.PUZZLE_WORK),
    (AssetSlot.PORTRAIT, AssetEntityKind.ROLE),
    (AssetSlot.PORTRAIT, AssetEntityKind.NPC),
    (AssetSlot.SCENE, AssetEntityKind.LANDMARK),
    (AssetSlot.ICON, AssetEntityKind.ITEM),
    (AssetSlot.LEVEL_IMAGE, AssetEntityKind.BIG_FISH_LEVEL),
    (AssetSlot.LEVEL_MOTION, AssetEntityKind.BIG_FISH_LEVEL),
    (AssetSlot.BACKGROUND, AssetEntityKind.BIG_FISH_STAGE),
    (AssetSlot.PUZZLE_IMAGE, AssetEntityKind.PUZZLE_LEVEL),
}


@pytest.mark.parametrize("slot", AssetSlot)
async def test_a_slot_takes_only_what_fits(slot: AssetSlot) -> None:
    async with running_vale() as vale:
        service, owner, _ = await three(vale)
        row = await stored(service, owner.user_id)
        fitting, codes = set(), set()
        for kind in AssetEntityKind:
            is_world = kind <= AssetEntityKind.THREAD
            entity_id = entity_id_of(SESSION, kind, "one") if is_world else "bfw_1"
            try:
                await service.ask(BIND, row.asset_object_id, kind, entity_id, slot, None)
                fitting.add((slot, kind))
            except RefusedError as error:
                codes.add(error.code)
        assert codes == {"asset.invalid_slot"}
        assert fitting == {pair for pair in FITTING if pair[0] is slot}
        links = {link.entity_kind for link in vale.rows(CATALOG_KEY, CustomWorldAssetLink)}
        assert links == {kind for _, kind in fitting if kind <= AssetEntityKind.THREAD}


async def test_an_entity_of_a_profile_has_its_link_too() -> None:
    async with running_vale() as vale:
        service, owner, _ = await three(vale)
        row = await stored(service, owner.user_id)
        hero = entity_id_of("cwp_imported", AssetEntityKind.ROLE, "hero")
        binding = await bind(service, row, hero)
        assert binding.profile_id == "cwp_imported"
        (link,) = vale.rows(CATALOG_KEY, CustomWorldAssetLink)
        assert link.link_id == "cwp_imported:role:hero:portrait"
        assert told(vale, SESSION) == 0


async def test_unbinding_takes_the_link_too_and_may_be_repeated() -> None:
    async with running_vale() as vale:
        service, owner, other = await three(vale)
        row = await stored(service, owner.user_id)
        binding = await bind(owner, row)
        name = "unbind_asset_object_from_entity"
        with pytest.raises(RefusedError, match=r"asset\.not_owner"):
            await other.call(name, binding.binding_id)
        for _ in range(2):
            await owner.call(name, binding.binding_id)
            assert vale.rows(CATALOG_KEY, AssetEntityBinding) == []
            assert vale.rows(CATALOG_KEY, CustomWorldAssetLink) == []
        with pytest.raises(RefusedError, match=r"input\.invalid_id"):
            await owner.call(name, "a b")


async def test_a_link_that_another_binding_has_taken_stays() -> None:
    async with running_vale() as vale:
        service, owner, _ = await three(vale)
        first, second = [await stored(service, owner.user_id, name) for name in "ab"]
        of_session = await bind(service, first)
        of_profile = await bind(
            service, second, entity_id_of(PROFILE, AssetEntityKind.ROLE, "hero")
        )
        await owner.call("unbind_asset_object_from_entity", of_session.binding_id)
        (link,) = vale.rows(CATALOG_KEY, CustomWorldAssetLink)
        assert link.asset_binding_id == of_profile.binding_id
