"""Images: how cards come to them, and what the session does without (domain 12.7, 7.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from agent_bench import SEED, Studio, studio
from vale_bench import refusal

from actors import ImageModel
from actors.domains.domain_types import (
    AccessPolicy,
    AssetEntityKind,
    AssetSlot,
    AssetSource,
    AssetStatus,
    EntityKind,
)
from actors.domains.kinds import USER
from actors.domains.runtime.profile import ProfileDashboardState

HASH = "ab" * 32


async def drafted(bench: Studio) -> None:
    await bench.fail()
    await bench.draft()


async def bind(bench: Studio, kind: EntityKind, key: str, slot: AssetSlot) -> str:
    """Store an image and bind it to an entity of the session; answers its address."""
    object_key = f"{bench.player.user_id}/scene/{key}.png"
    stored = await bench.service.ask(
        "confirm_asset_object_and_return",
        "genarrative-private",
        object_key,
        AccessPolicy.OWNER_READ,
        "image/png",
        1_000,
        HASH,
        bench.player.user_id,
        None,
        "scene",
        AssetSource.UPLOAD,
        None,
        512,
        512,
    )
    await bench.player.ask(
        "bind_asset_object_to_entity_and_return",
        stored.asset_object_id,
        AssetEntityKind(kind),
        f"{bench.session_id}:{kind.name.lower()}:{key}",
        slot,
        None,
    )
    await bench.vale.settle()
    return f"/objects/genarrative-private/{object_key}"


async def test_images_are_made_for_cards() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        first, second, *_ = bench.cards(EntityKind.LANDMARK)
        await bench.act("generate_scene_assets", cardIds=[first.card_id, second.card_id])
        assert [card.asset_status for card in bench.cards(EntityKind.LANDMARK)] == [
            AssetStatus.GENERATING,
            AssetStatus.GENERATING,
            AssetStatus.NONE,
            AssetStatus.NONE,
        ]
        image = {"cardId": first.card_id, "imageSrc": "/objects/b/one.svg"}
        ended = await bench.finish({"images": [image]})
        assert json.loads(ended.result_json or "") == {"images": [image]}
        assert [card.asset_status for card in bench.cards(EntityKind.LANDMARK)[:2]] == [
            AssetStatus.READY,
            AssetStatus.FAILED,
        ]
        assert bench.card(EntityKind.LANDMARK).image_src == "/objects/b/one.svg"
        session = bench.session
        assert (session.warning_count, session.quality_score) == (9, 640)
        assert session.progress_permille == 616 + 25


async def test_images_that_do_not_come_are_given_up() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        role = bench.card(EntityKind.ROLE)
        await bench.act("generate_role_assets", cardIds=[role.card_id])
        await bench.fail()
        assert bench.card(EntityKind.ROLE).asset_status is AssetStatus.FAILED
        revision = bench.session.revision
        await bench.act("generate_cover")
        await bench.cancel(bench.running.operation_id)
        assert bench.card(EntityKind.WORLD).asset_status is AssetStatus.FAILED
        assert bench.session.revision == revision


@pytest.mark.parametrize(
    "images", [None, [1], [{"cardId": "x"}], [{"cardId": "x", "imageSrc": "x" * 513}]]
)
async def test_bad_images_are_refused(images: Any) -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await bench.act("generate_cover")
        assert await refusal(bench.finish({"images": images})) == "agent.payload_malformed"


async def test_a_bound_image_comes_to_its_card() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        scene = bench.card(EntityKind.LANDMARK)
        revision = bench.session.revision
        source = await bind(bench, EntityKind.LANDMARK, scene.entity_key, AssetSlot.SCENE)
        card = bench.card(EntityKind.LANDMARK)
        assert (card.image_src, card.asset_status) == (source, AssetStatus.READY)
        assert (card.revision, bench.session.revision) == (scene.revision + 1, revision + 1)
        read = await bench.player.ask("get_custom_world_agent_card", bench.session_id, card.card_id)
        (link,) = read.asset_links
        assert (link.slot, link.image_src) == (AssetSlot.SCENE, source)


async def test_cards_get_the_images_that_are_bound() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        await bench.act("create_checkpoint")
        made = await bench.act("create_checkpoint")
        first, second, *_ = bench.cards(EntityKind.LANDMARK)
        for scene in (first, second):
            await bind(bench, EntityKind.LANDMARK, scene.entity_key, AssetSlot.SCENE)
        checkpoint_id = json.loads(made.result_json or "")["checkpointId"]
        await bench.act("revert_checkpoint", checkpointId=checkpoint_id)
        assert bench.card(EntityKind.LANDMARK).image_src is None
        synced = await bench.act("sync_scene_assets")
        assert json.loads(synced.result_json or "") == {"linked": 2, "missing": 2}
        assert bench.card(EntityKind.LANDMARK).image_src is not None
        synced = await bench.act("sync_role_assets")
        assert json.loads(synced.result_json or "") == {"linked": 0, "missing": 8}


async def test_a_card_loses_the_image_that_is_bound_no_more() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        first, second, *_ = bench.cards(EntityKind.LANDMARK)
        for scene in (first, second):
            await bind(bench, EntityKind.LANDMARK, scene.entity_key, AssetSlot.SCENE)
        await bench.act("generate_scene_assets", cardIds=[second.card_id])
        await bench.finish({"images": [{"cardId": second.card_id, "imageSrc": "/objects/b/c"}]})
        for scene in (first, second):
            binding = f"landmark:{bench.session_id}:landmark:{scene.entity_key}:scene"
            for _ in range(2):
                await bench.player.call("unbind_asset_object_from_entity", binding)
        await bench.vale.settle()
        first, second, *_ = bench.cards(EntityKind.LANDMARK)
        assert (first.image_src, first.asset_status) == (None, AssetStatus.NONE)
        assert (second.image_src, second.asset_status) == ("/objects/b/c", AssetStatus.READY)
        synced = await bench.act("sync_scene_assets")
        assert json.loads(synced.result_json or "") == {"linked": 0, "missing": 4}


async def test_no_other_card_gets_an_image_and_nonsense_is_none() -> None:
    async with studio(seed=SEED) as bench:
        await drafted(bench)
        hostile, scene = bench.card(EntityKind.HOSTILE), bench.card(EntityKind.LANDMARK)
        await bench.act("generate_scene_assets", cardIds=[scene.card_id])
        others = ([], {}, 7, None, "none", hostile.card_id)
        images = [{"cardId": card_id, "imageSrc": "/objects/b/c"} for card_id in others]
        ended = await bench.finish({"images": images})
        assert json.loads(ended.result_json or "") == {"images": []}
        assert bench.card(EntityKind.HOSTILE) == hostile
        assert bench.card(EntityKind.LANDMARK).asset_status is AssetStatus.FAILED


class Painter:
    """An image model that is only there."""

    async def generate_image(
        self, prompt: str, *, width: int, height: int, seed: int | None, user_id: str
    ) -> bytes:
        raise AssertionError("the test is the worker")


async def test_each_image_of_a_live_model_has_its_price() -> None:
    providers: dict[type, object] = {ImageModel: Painter()}
    async with studio(providers, seed=SEED) as bench:
        await drafted(bench)
        first, second, *_ = bench.cards(EntityKind.LANDMARK)
        await bench.act("generate_scene_assets", cardIds=[first.card_id, second.card_id])
        assert bench.running.charged_spark == 10
        await bench.finish({"images": []})
        (dashboard,) = bench.vale.rows(USER.key(bench.player.user_id), ProfileDashboardState)
        assert dashboard.wallet_balance == 190
