"""Image worker: has a model make an image, or draws it, and keeps it (domain 8.4)."""

from __future__ import annotations

from typing import NamedTuple

from actors import ImageModel, ProcedureContext, TextModelError
from actors.domains.asset_metadata.image_storage import (
    ImagePlace,
    MadeImage,
    check_place,
    keep_image,
)
from actors.domains.domain_types import AssetEntityKind, AssetSource
from actors.domains.rules.assets.image_kinds import ImageKind, image_size
from actors.domains.rules.assets.sniff_image import ImageFacts, sniff_image
from actors.domains.rules.assets.svg_image import svg_image
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import (
    IMAGE_BYTES_MAX,
    IMAGE_PROMPT_CHARS_MAX,
    IMAGE_SIDE_MAX,
    IMAGE_SIDE_MIN,
)
from actors.domains.rules.text import clean_text

__all__ = ["ImageRequest", "MadeImage", "make_image"]


class ImageRequest(NamedTuple):
    """What an image is to show, and whom it is for.

    Attributes:
        entity_key: ``world`` for a world's cover.
        prompt: at most 600 characters.
        title: written on a drawn image, cut at 24 characters.
        profile_id: the world that the entity belongs to.
        agent_session_id: likewise, while the world has no profile. Without both, nothing is bound.
        width: in pixels; what the kind of image has, when absent.
        height: likewise.
        seed: asks for another image of the same.
    """

    kind: ImageKind
    owner_user_id: str
    entity_kind: AssetEntityKind
    entity_key: str
    prompt: str
    title: str
    profile_id: str | None = None
    agent_session_id: str | None = None
    width: int | None = None
    height: int | None = None
    seed: int | None = None


async def make_image(ctx: ProcedureContext, request: ImageRequest) -> MadeImage:
    """Make an image, keep it, and bind it to its entity if it has one.

    Without an image model, and when it fails or makes something else than was asked for, the image
    is drawn from the request alone: the same request gives the same object.

    Args:
        ctx: an effect's context, or a procedure's ``as_service()``.
        request: what is wanted.

    Raises:
        ReducerError: ``input.text_too_long``, ``asset.size_out_of_range``, and what ``check_place``
            and ``keep_image`` raise.
    """
    width, height = _size(request)
    prompt = clean_text(request.prompt, IMAGE_PROMPT_CHARS_MAX)
    place = ImagePlace(
        request.owner_user_id,
        request.kind.name.lower(),
        request.entity_kind,
        request.entity_key,
        request.profile_id,
        request.agent_session_id,
    )
    await check_place(ctx, place)
    made = await _generated(ctx, request, prompt, width, height)
    if made is not None:
        data, facts = made
        return await keep_image(ctx, place, data, facts, AssetSource.GENERATED)
    drawn = svg_image(
        request.kind, request.entity_key, prompt, request.title, width, height, request.seed
    )
    facts = ImageFacts("image/svg+xml", "svg", width, height)
    return await keep_image(ctx, place, drawn, facts, AssetSource.FALLBACK)


def _size(request: ImageRequest) -> tuple[int, int]:
    width, height = image_size(request.kind, request.entity_kind)
    size = request.width or width, request.height or height
    if not all(IMAGE_SIDE_MIN <= side <= IMAGE_SIDE_MAX for side in size):
        raise RuleError(
            "asset.size_out_of_range",
            f"sides must have {IMAGE_SIDE_MIN} to {IMAGE_SIDE_MAX} pixels",
        )
    return size


async def _generated(
    ctx: ProcedureContext, request: ImageRequest, prompt: str, width: int, height: int
) -> tuple[bytes, ImageFacts] | None:
    """What a model makes of it, if that is an image of the right size."""
    model = ctx.port(ImageModel)
    if model is None:
        return None
    try:
        data = await model.generate_image(
            prompt, width=width, height=height, seed=request.seed, user_id=request.owner_user_id
        )
        facts = sniff_image(data)
    except (TextModelError, RuleError):
        return None
    is_asked_for = (facts.width, facts.height) == (width, height) and len(data) <= IMAGE_BYTES_MAX
    return (data, facts) if is_asked_for else None
