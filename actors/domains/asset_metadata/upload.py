"""Upload: an image that an author sends becomes the cover of a world (domain 8.4)."""

from __future__ import annotations

from typing import Final

from actors import ProcedureContext, Upload
from actors.domains.asset_metadata.image_storage import (
    ImagePlace,
    MadeImage,
    check_place,
    keep_image,
)
from actors.domains.domain_types import AssetEntityKind, AssetSource
from actors.domains.rules.assets.sniff_image import sniff_image
from actors.domains.rules.assets.strip_metadata import strip_metadata
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import UPLOAD_BYTES_MAX
from actors.domains.rules.text import check_id

__all__ = ["keep_cover"]

_ASSET_KIND: Final = "cover"
_WORLD_KEY: Final = "world"


async def keep_cover(ctx: ProcedureContext, upload: Upload) -> MadeImage:
    """Keep an image of the caller, without what it says beside its picture.

    The fields ``profileId`` and ``sessionId`` name the world; without both nothing is bound.

    Args:
        ctx: the caller's.
        upload: PNG, JPEG or WebP by its bytes, whatever it is called.

    Raises:
        ReducerError: ``input.payload_too_large``, ``asset.unsupported_media``,
            ``input.invalid_id``, and what ``check_place`` and ``keep_image`` raise.
    """
    if len(upload.data) > UPLOAD_BYTES_MAX:
        raise RuleError(
            "input.payload_too_large",
            f"an image may have {UPLOAD_BYTES_MAX} bytes",
            limit=UPLOAD_BYTES_MAX,
        )
    place = ImagePlace(
        ctx.user_id,
        _ASSET_KIND,
        AssetEntityKind.WORLD,
        _WORLD_KEY,
        _id_field(upload, "profileId"),
        _id_field(upload, "sessionId"),
    )
    await check_place(ctx, place)
    facts = sniff_image(upload.data)
    data = strip_metadata(upload.data, facts)
    return await keep_image(ctx.as_service(), place, data, facts, AssetSource.UPLOAD)


def _id_field(upload: Upload, name: str) -> str | None:
    """A field of the form; empty as browsers send what was not filled in, it is absent."""
    value = upload.fields.get(name)
    return check_id(value) if value else None
