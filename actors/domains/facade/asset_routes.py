"""Assets over HTTP: stored files, their rows, and what they are bound to (domain 8.5, 11.3)."""

from __future__ import annotations

from typing import Final

from actors import Access, ObjectBody, ProcedureContext, ReducerError, Route, struct
from actors.domains.asset_metadata.binding_calls import (
    bind_asset_object_to_entity_and_return,
    unbind_asset_object_from_entity,
)
from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.objects import (
    AssetObject,
    AssetPage,
    asset_by_locator,
    confirm_asset_object,
    list_my_assets,
)
from actors.domains.domain_types import AccessPolicy
from actors.domains.kinds import CATALOG

__all__ = ["ROUTES"]

_ASSETS: Final = "/api/assets"


@struct
class AssetAnswer:
    """The row of a stored file."""

    asset: AssetObject


@struct
class BindingAnswer:
    """What a slot of an entity holds."""

    binding: AssetEntityBinding


@struct
class AssetItems:
    """A user's files, the newest first."""

    items: list[AssetObject]
    next_cursor: str | None


@struct
class ObjectAddress:
    """Where a file is stored."""

    bucket: str
    object_key: str


def items(page: AssetPage) -> AssetItems:
    """A page as every list has it."""
    return AssetItems(page.assets, page.next_cursor)


async def get_object(ctx: ProcedureContext, input: ObjectAddress) -> ObjectBody:
    """A stored file, for everybody or for its owner.

    Raises ``asset.not_found``, also for files of others.
    """
    asset = None
    for shard in range(CATALOG.shards):
        found = await ctx.read(
            CATALOG.key(str(shard)),
            lambda view: asset_by_locator(view.db, input.bucket, input.object_key),
        )
        asset = asset or found
    is_public = asset is not None and asset.access_policy is AccessPolicy.PUBLIC_READ
    may_read = asset is not None and (
        is_public or asset.owner_user_id == ctx.user_id or "service" in ctx.claims.roles
    )
    if asset is None or not may_read:
        raise ReducerError("asset.not_found", "there is no such object")
    return ObjectBody(
        bucket=asset.bucket,
        key=asset.object_key,
        content_type=asset.content_type,
        content_length=asset.content_length,
        content_hash=asset.content_hash,
        is_public=is_public,
    )


ROUTES = (
    Route(
        "POST",
        f"{_ASSETS}/objects/confirm",
        confirm_asset_object,
        AssetAnswer,
        roles=frozenset({"service"}),
        status=201,
    ),
    Route(
        "POST",
        f"{_ASSETS}/bindings",
        bind_asset_object_to_entity_and_return,
        BindingAnswer,
        status=201,
    ),
    Route(
        "DELETE", f"{_ASSETS}/bindings/{{binding_id}}", unbind_asset_object_from_entity, status=204
    ),
    Route("GET", _ASSETS, list_my_assets, items),
    Route("GET", "/objects/{bucket}/{object_key:path}", get_object, access=Access.ANYONE),
)
