"""Links: the files of a world's entities, as its profile shows them (domain 6.1, 8.6).

Links are derived from bindings and change in the same transactions. A link is published with a
version of its world, and its owner's own again from the moment that another file takes its place.
"""

from __future__ import annotations

from actors import ReducerContext, Timestamp, message, replace, table, u32
from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.entities import WorldEntity, world_entity
from actors.domains.asset_metadata.objects import AssetObject, open_object
from actors.domains.domain_types import AssetSlot, EntityKind
from actors.domains.kinds import CATALOG
from actors.domains.rules.assets.object_keys import image_src
from actors.domains.rules.ids import derived_id
from actors.domains.world_messages import DropLinks
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldAssetLink",
    "assets_of",
    "drop_link",
    "drop_links",
    "link_owner",
    "publish_links",
    "put_link",
    "withdraw_links",
]


def _reader(row: CustomWorldAssetLink) -> str | None:
    return None if row.published_version else row.owner_user_id


@table(
    public=True,
    primary_key="link_id",
    index=["profile_id"],
    actor=CATALOG,
    readers=_reader,
)
class CustomWorldAssetLink:
    """The file in one slot of one entity; ``published_version`` is 0 where only drafts have it."""

    link_id: str
    profile_id: str
    owner_user_id: str
    published_version: u32
    entity_kind: EntityKind
    entity_key: str
    slot: AssetSlot
    asset_object_id: str
    asset_binding_id: str
    image_src: str
    created_at: Timestamp
    updated_at: Timestamp


def put_link(ctx: ReducerContext, binding: AssetEntityBinding, entity: WorldEntity) -> None:
    """Derive a binding's link; one that says so already stays as it is."""
    links = ctx.db[CustomWorldAssetLink]
    asset = ctx.db[AssetObject].get(binding.asset_object_id)
    link_id = _link_id(entity, binding.slot)
    known = links.find(link_id)
    is_same = known is not None and known.asset_object_id == binding.asset_object_id
    if known is not None and is_same and known.asset_binding_id == binding.binding_id:
        return
    links.upsert(
        CustomWorldAssetLink(
            link_id=link_id,
            profile_id=entity.profile_id,
            owner_user_id=binding.owner_user_id,
            published_version=known.published_version if known is not None and is_same else 0,
            entity_kind=entity.kind,
            entity_key=entity.key,
            slot=binding.slot,
            asset_object_id=binding.asset_object_id,
            asset_binding_id=binding.binding_id,
            image_src=image_src(asset.bucket, asset.object_key),
            created_at=ctx.timestamp if known is None else known.created_at,
            updated_at=ctx.timestamp,
        )
    )


def drop_link(ctx: ReducerContext, binding: AssetEntityBinding, entity: WorldEntity) -> None:
    """Forget a binding's link, unless another binding has taken its place."""
    links = ctx.db[CustomWorldAssetLink]
    known = _link(ctx.db, entity, binding.slot)
    if known is not None and known.asset_binding_id == binding.binding_id:
        links.delete(known.link_id)


def publish_links(
    ctx: ReducerContext, profile_id: str, version: int, *, owner_user_id: str
) -> None:
    """Stamp a profile's links with the version that is published now, and open their objects.

    Belongs into the transaction that publishes. Links that went with a profile which its author
    has taken back are derived again.
    """
    bindings = ctx.db[AssetEntityBinding].filter(owner_user_id=owner_user_id, profile_id=profile_id)
    # The binding that was made last comes first, and keeps the place.
    for binding in sorted(bindings, key=lambda row: (-row.updated_at, row.binding_id)):
        entity = world_entity(binding.entity_kind, binding.entity_id)
        if entity is not None and _link(ctx.db, entity, binding.slot) is None:
            put_link(ctx, binding, entity)
    for link in _links(ctx.db, profile_id):
        open_object(ctx, link.asset_object_id)
        _stamp(ctx, link, version)


def withdraw_links(ctx: ReducerContext, profile_id: str) -> None:
    """Make a profile's links their owner's own again; the objects stay open (domain 8.6).

    Belongs into the transaction that takes the world out of the gallery.
    """
    for link in _links(ctx.db, profile_id):
        _stamp(ctx, link, 0)


def assets_of(db: DatabaseReader, profile_id: str) -> dict[str, str]:
    """The images of a profile by ``kind:key:slot``, as a compile takes them."""
    return {
        derived_id(
            link.entity_kind.name.lower(), link.entity_key, link.slot.name.lower()
        ): link.image_src
        for link in _links(db, profile_id)
    }


def link_owner(db: DatabaseReader, profile_id: str) -> str | None:
    """Whose the links of a profile are; None without any."""
    link = db[CustomWorldAssetLink].first(profile_id=profile_id)
    return None if link is None else link.owner_user_id


@message(CATALOG)
def drop_links(ctx: ReducerContext, payload: DropLinks) -> None:
    """Forget the links of a profile that its owner has deleted; objects and bindings stay."""
    for link in _links(ctx.db, payload.profile_id):
        if link.owner_user_id == payload.owner_user_id:
            ctx.db[CustomWorldAssetLink].delete(link.link_id)


def _links(db: DatabaseReader, profile_id: str) -> list[CustomWorldAssetLink]:
    return db[CustomWorldAssetLink].filter(profile_id=profile_id)


def _stamp(ctx: ReducerContext, link: CustomWorldAssetLink, version: int) -> None:
    if link.published_version != version:
        ctx.db[CustomWorldAssetLink].update(
            replace(link, published_version=version, updated_at=ctx.timestamp)
        )


def _link(db: DatabaseReader, entity: WorldEntity, slot: AssetSlot) -> CustomWorldAssetLink | None:
    return db[CustomWorldAssetLink].find(_link_id(entity, slot))


def _link_id(entity: WorldEntity, slot: AssetSlot) -> str:
    return derived_id(entity.profile_id, entity.kind.name.lower(), entity.key, slot.name.lower())
