"""Images over HTTP: scenes and covers, made or sent by their author (domain 11.2, 17 to 19)."""

from __future__ import annotations

from typing import Final

from actors import ProcedureContext, Rate, Route, Upload, struct
from actors.domains.asset_metadata.binding_calls import check_entity
from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.image_worker import ImageRequest, MadeImage, make_image
from actors.domains.asset_metadata.objects import AssetObject, asset_of
from actors.domains.asset_metadata.upload import keep_cover
from actors.domains.domain_types import AssetEntityKind, AssetSource
from actors.domains.kinds import CATALOG
from actors.domains.rules.assets.image_kinds import ImageKind
from actors.domains.rules.limits import IMAGE_PROMPT_CHARS_MAX
from actors.domains.rules.text import check_id, check_slug, cut_text

__all__ = ["ROUTES"]

# Entities and images that are made by HTTP count together (domain 1.9), hence one name.
_GENERATIONS: Final = Rate("generations", per_minute=12, burst=6)
_UPLOADS: Final = Rate("uploads", per_minute=10, burst=10)
_WORLD_KEY: Final = "world"


@struct
class Pictured:
    """What an image shows, in words."""

    name: str = ""
    description: str = ""


@struct
class SceneImageBody:
    """A scene to be pictured; without a profile and a session, nothing is bound."""

    scene_key: str
    prompt: str | None
    scene: Pictured
    profile_id: str | None
    session_id: str | None


@struct
class CoverImageBody:
    """A world to be pictured; without a profile and a session, nothing is bound."""

    prompt: str | None
    world: Pictured
    profile_id: str | None
    session_id: str | None


@struct
class ImageAnswer:
    """An image that is kept, and what it is bound to."""

    image_src: str
    asset: AssetObject
    binding: AssetEntityBinding | None
    source: AssetSource


@struct
class UploadAnswer:
    """An image that an author has sent, and what it is bound to."""

    image_src: str
    asset: AssetObject
    binding: AssetEntityBinding | None


async def make_scene_image(ctx: ProcedureContext, input: SceneImageBody) -> ImageAnswer:
    """Picture a scene."""
    key = check_slug(input.scene_key)
    await _check_owner(ctx, input.profile_id, input.session_id)
    request = ImageRequest(
        kind=ImageKind.SCENE,
        owner_user_id=ctx.user_id,
        entity_kind=AssetEntityKind.LANDMARK,
        entity_key=key,
        prompt=_prompt(input.prompt, input.scene),
        title=input.scene.name or key,
        profile_id=input.profile_id,
        agent_session_id=input.session_id,
    )
    return await _shown(ctx, await make_image(ctx.as_service(), request))


async def make_cover_image(ctx: ProcedureContext, input: CoverImageBody) -> ImageAnswer:
    """Picture a world."""
    await _check_owner(ctx, input.profile_id, input.session_id)
    request = ImageRequest(
        kind=ImageKind.COVER,
        owner_user_id=ctx.user_id,
        entity_kind=AssetEntityKind.WORLD,
        entity_key=_WORLD_KEY,
        prompt=_prompt(input.prompt, input.world),
        title=input.world.name,
        profile_id=input.profile_id,
        agent_session_id=input.session_id,
    )
    return await _shown(ctx, await make_image(ctx.as_service(), request))


async def upload_cover(ctx: ProcedureContext, upload: Upload) -> UploadAnswer:
    """Keep an image as the cover of a world; form or JSON name ``profileId`` or ``sessionId``."""
    shown = await _shown(ctx, await keep_cover(ctx, upload))
    return UploadAnswer(shown.image_src, shown.asset, shown.binding)


async def _check_owner(
    ctx: ProcedureContext, profile_id: str | None, session_id: str | None
) -> None:
    """The profile or session that is named must be the caller's; ``asset.entity_not_found``."""
    for holder in (profile_id, session_id):
        if holder is not None:
            await check_entity(ctx, ctx.user_id, check_id(holder))


async def _shown(ctx: ProcedureContext, made: MadeImage) -> ImageAnswer:
    shard = CATALOG.shard_key(made.asset_object_id)
    asset = await ctx.read(shard, lambda view: asset_of(view.db, made.asset_object_id))
    binding = await ctx.read(
        shard, lambda view: view.db[AssetEntityBinding].find(made.binding_id or "")
    )
    return ImageAnswer(made.image_src, asset, binding, made.source)


def _prompt(prompt: str | None, pictured: Pictured) -> str:
    """What the image is asked for with: the author's words, or those about the thing itself."""
    if prompt is not None:
        return prompt
    words = (pictured.name, pictured.description)
    return cut_text(". ".join(word for word in words if word), IMAGE_PROMPT_CHARS_MAX)


ROUTES = (
    Route("POST", "/api/custom-world/scene-image", make_scene_image, rate=_GENERATIONS),
    Route("POST", "/api/custom-world/cover-image", make_cover_image, rate=_GENERATIONS),
    Route(
        "POST",
        "/api/custom-world/cover-upload",
        upload_cover,
        status=201,
        is_upload=True,
        rate=_UPLOADS,
    ),
)
