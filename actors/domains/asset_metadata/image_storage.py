"""Image storage: the file of an image goes into the object store, its row into the catalog (12.7).

Every step may be repeated: a file's key is its content, a row is found by its key, and a binding by
its entity. A crash after the first step leaves a file that nobody knows; the sweep finds it.
"""

from __future__ import annotations

from typing import NamedTuple

from actors import ObjectStore, ProcedureContext, ReducerError
from actors.domains.asset_metadata.binding_calls import (
    BindAssetObjectToEntity,
    bind_asset_object_to_entity,
    check_entity,
)
from actors.domains.asset_metadata.entities import entity_id_of
from actors.domains.asset_metadata.objects import ConfirmAssetObject, confirm_asset_object
from actors.domains.domain_types import AccessPolicy, AssetEntityKind, AssetSource
from actors.domains.rules.assets.image_kinds import slot_of
from actors.domains.rules.assets.object_keys import PRIVATE_BUCKET, image_src, object_key
from actors.domains.rules.assets.sniff_image import ImageFacts
from actors.domains.rules.ids import content_hash, derived_id

__all__ = ["ImagePlace", "MadeImage", "check_place", "keep_image"]


class ImagePlace(NamedTuple):
    """Whose image it is, and of what.

    Attributes:
        asset_kind: what the object is called in lists, for example ``cover``.
        profile_id: the world that the entity belongs to.
        agent_session_id: likewise, while the world has no profile. Without both, nothing is bound.
    """

    owner_user_id: str
    asset_kind: str
    entity_kind: AssetEntityKind
    entity_key: str
    profile_id: str | None = None
    agent_session_id: str | None = None

    @property
    def holder(self) -> str | None:
        """The profile or session that the entity is in."""
        return self.profile_id or self.agent_session_id


class MadeImage(NamedTuple):
    """An image that is kept.

    Attributes:
        binding_id: None when it is bound to nothing.
        image_src: its address on this server.
    """

    asset_object_id: str
    binding_id: str | None
    image_src: str
    source: AssetSource
    content_hash: str


async def check_place(ctx: ProcedureContext, place: ImagePlace) -> None:
    """Refuse a place that no image can go to, before anything is made for it.

    Raises:
        ReducerError: ``asset.entity_not_found``: the world is not the owner's;
            ``asset.invalid_slot``: such entities have no images.
    """
    if place.holder is not None:
        slot_of(place.entity_kind)
        await check_entity(ctx, place.owner_user_id, place.holder)


async def keep_image(
    ctx: ProcedureContext,
    place: ImagePlace,
    data: bytes,
    facts: ImageFacts,
    source: AssetSource,
) -> MadeImage:
    """Put a file, confirm its row and bind it.

    Args:
        ctx: acts as the service.
        place: whose and of what it is; ``check_place`` has seen it.
        data: the file.
        facts: what it is.
        source: where it comes from.

    Raises:
        ReducerError: ``dependency.*``: the store is not there; ``asset.*``: the catalog refuses.
    """
    store = ctx.port(ObjectStore)
    if store is None:
        raise ReducerError("dependency.unavailable", "this server stores no files")
    digest = content_hash(data)
    key = object_key(place.owner_user_id, place.asset_kind, digest, facts.extension)
    await store.put(PRIVATE_BUCKET, key, data, facts.content_type)
    confirm = ConfirmAssetObject(
        bucket=PRIVATE_BUCKET,
        object_key=key,
        access_policy=AccessPolicy.OWNER_READ,
        content_type=facts.content_type,
        content_length=len(data),
        content_hash=digest,
        owner_user_id=place.owner_user_id,
        profile_id=place.profile_id,
        asset_kind=place.asset_kind,
        source_kind=source,
        source_job_id=None,
        width=facts.width,
        height=facts.height,
        request_id=_request_id(ctx, "confirm", key),
    )
    asset = await ctx.call(confirm_asset_object, confirm)
    binding_id = await _bind(ctx, place, asset.asset_object_id)
    src = image_src(PRIVATE_BUCKET, key)
    return MadeImage(asset.asset_object_id, binding_id, src, asset.source_kind, digest)


async def _bind(ctx: ProcedureContext, place: ImagePlace, asset_object_id: str) -> str | None:
    if place.holder is None:
        return None
    entity_id = entity_id_of(place.holder, place.entity_kind, place.entity_key)
    bind = BindAssetObjectToEntity(
        asset_object_id=asset_object_id,
        entity_kind=place.entity_kind,
        entity_id=entity_id,
        slot=slot_of(place.entity_kind),
        profile_id=place.profile_id,
        request_id=_request_id(ctx, "bind", asset_object_id, entity_id),
    )
    binding = await ctx.call(bind_asset_object_to_entity, bind)
    return binding.binding_id


def _request_id(ctx: ProcedureContext, *parts: str) -> str:
    """What is asked by this run alone: the receipts of the service are those of all its runs."""
    return content_hash(derived_id(ctx.timestamp, *parts).encode())
