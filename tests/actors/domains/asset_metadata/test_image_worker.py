"""Making images: by a model, or drawn; kept, entered and bound (domain 8.4, 12.7, story 13.7)."""

from __future__ import annotations

from pathlib import Path

import image_files
import pytest
from asset_bench import PROFILE, SESSION
from image_bench import Painter, Studio, studio
from user_bench import claims
from vale_bench import running_vale

from actors.domains.asset_metadata.image_worker import ImageRequest, MadeImage, make_image
from actors.domains.domain_types import AccessPolicy, AssetEntityKind, AssetSlot, AssetSource
from actors.domains.rules.assets.image_kinds import ImageKind
from actors.domains.rules.assets.sniff_image import sniff_image
from actors.domains.rules.limits import IMAGE_BYTES_MAX, IMAGE_PROMPT_CHARS_MAX
from actors.errors import ReducerError, TextModelError
from actors.host.caller import Caller
from actors.host.procedures import Run
from actors.keys import user_id_of
from actors.module.types import ConnectionId

OWNER = user_id_of(claims(1).identity)
STRANGER = user_id_of(claims(2).identity)
COVER = ImageRequest(
    ImageKind.COVER, OWNER, AssetEntityKind.WORLD, "world", "a drowned kingdom", "Tidemark"
)
OF_SESSION = COVER._replace(agent_session_id=SESSION)
SMALL = OF_SESSION._replace(width=96, height=80)


async def made(place: Studio, request: ImageRequest) -> MadeImage:
    image = await make_image(place.ctx.as_service(), request)
    await place.vale.settle()
    return image


async def refused(place: Studio, request: ImageRequest) -> str:
    with pytest.raises(ReducerError) as refusal:
        await make_image(place.ctx.as_service(), request)
    assert place.files() == []
    assert place.assets == []
    return refusal.value.code


async def test_without_a_model_a_cover_is_drawn_and_bound(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        image = await made(place, OF_SESSION)
        assert image.source is AssetSource.FALLBACK
        assert b'viewBox="0 0 1200 675"' in place.file(image.image_src)
        (asset,) = place.assets
        assert asset.asset_object_id == image.asset_object_id
        assert asset.content_hash == image.content_hash
        assert asset.content_length == len(place.file(image.image_src))
        assert (asset.content_type, asset.asset_kind) == ("image/svg+xml", "cover")
        assert (asset.width, asset.height) == (1200, 675)
        assert (asset.owner_user_id, asset.access_policy) == (OWNER, AccessPolicy.OWNER_READ)
        digest = asset.content_hash
        assert asset.object_key == f"{OWNER}/cover/{digest[:2]}/{digest}.svg"
        (binding,) = place.bindings
        assert binding.binding_id == image.binding_id == f"world:{SESSION}:world:world:cover"
        (link,) = place.links
        assert (link.profile_id, link.image_src) == (PROFILE, image.image_src)
        place.vale.check_mail()


async def test_the_same_request_makes_nothing_new(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        first = await made(place, OF_SESSION)
        rows = place.assets, place.bindings, place.links
        assert await made(place, OF_SESSION) == first
        assert (place.assets, place.bindings, place.links) == rows
        other = await made(place, OF_SESSION._replace(seed=7))
        assert other.content_hash != first.content_hash
        assert other.binding_id == first.binding_id
        assert [row.asset_object_id for row in place.bindings] == [other.asset_object_id]
        assert len(place.assets) == len(place.files()) == 2
        assert await made(place, OF_SESSION) == first
        assert [row.asset_object_id for row in place.bindings] == [first.asset_object_id]


async def test_without_a_world_nothing_is_bound(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        image = await made(place, COVER)
        assert image.binding_id is None
        assert (len(place.assets), place.bindings) == (1, [])


async def test_portraits_and_scenes_hang_where_they_belong(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        for kind, entity_kind in [
            (ImageKind.ROLE, AssetEntityKind.NPC),
            (ImageKind.SCENE, AssetEntityKind.LANDMARK),
        ]:
            request = OF_SESSION._replace(kind=kind, entity_kind=entity_kind, entity_key="gate")
            await made(place, request)
        assert {row.slot for row in place.bindings} == {AssetSlot.PORTRAIT, AssetSlot.SCENE}


async def test_what_a_model_makes_is_kept(tmp_path: Path) -> None:
    file = image_files.png()
    painter = Painter(file)
    async with studio(tmp_path, painter) as place:
        image = await made(place, SMALL._replace(seed=7))
        assert place.file(image.image_src) == file
        (asset,) = place.assets
        assert (asset.content_type, asset.source_kind) == ("image/png", AssetSource.GENERATED)
    assert image.source is AssetSource.GENERATED
    assert painter.asked == [("a drowned kingdom", 96, 80, 7, OWNER)]


@pytest.mark.parametrize(
    "answer",
    [
        TextModelError("dependency.timeout", "too late"),
        TextModelError("limit.quota_exceeded", "enough"),
        b"",
        b"<svg/>",
        image_files.png(97, 80),
        image_files.png(96, 79),
        image_files.large_png(IMAGE_BYTES_MAX + 1_000),
    ],
    ids=range(7),
)
async def test_what_is_not_what_was_asked_for_is_drawn(
    answer: bytes | Exception, tmp_path: Path
) -> None:
    async with studio(tmp_path, Painter(answer)) as place:
        image = await made(place, SMALL)
        assert image.source is AssetSource.FALLBACK
        assert place.file(image.image_src).startswith(b"<svg ")
        assert len(place.files()) == 1


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (OF_SESSION._replace(prompt="x" * (IMAGE_PROMPT_CHARS_MAX + 1)), "input.text_too_long"),
        (OF_SESSION._replace(width=63), "asset.size_out_of_range"),
        (OF_SESSION._replace(height=4097), "asset.size_out_of_range"),
        (OF_SESSION._replace(entity_kind=AssetEntityKind.FACTION), "asset.invalid_slot"),
        (OF_SESSION._replace(owner_user_id=STRANGER), "asset.entity_not_found"),
        (COVER._replace(profile_id="cwp_nobodys"), "asset.entity_not_found"),
    ],
)
async def test_what_nobody_may_have_is_not_made(
    request_: ImageRequest, code: str, tmp_path: Path
) -> None:
    painter = Painter(image_files.png())
    async with studio(tmp_path, painter) as place:
        assert await refused(place, request_) == code
    assert painter.asked == []


async def test_a_server_without_a_store_says_so() -> None:
    async with running_vale() as vale:
        ctx = Run(vale.host, Caller(claims(1), ConnectionId(0))).as_service()
        with pytest.raises(ReducerError) as refusal:
            await make_image(ctx, COVER)
    assert refusal.value.code == "dependency.unavailable"


async def test_a_generated_file_is_not_rewritten(tmp_path: Path) -> None:
    file = image_files.webp()
    async with studio(tmp_path, Painter(file)) as place:
        image = await made(place, SMALL)
        assert sniff_image(place.file(image.image_src)).content_type == "image/webp"
        assert place.file(image.image_src) == file
