"""Binding calls: files are put into the slots of entities, taken out, and deleted (domain 8.6).

Whose an entity is, only its owner's actor knows. So an owner binds through the procedure, which
asks there first, and then binds in the server's name; services bind by the reducer itself.
"""

from __future__ import annotations

from actors import (
    ProcedureContext,
    ReducerContext,
    ReducerError,
    ViewContext,
    procedure,
    reducer,
    replace,
    struct,
)
from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.entities import (
    WorldEntity,
    check_slot,
    entity_ref,
    world_entity,
)
from actors.domains.asset_metadata.links import drop_link, link_owner, put_link
from actors.domains.asset_metadata.objects import AssetObject, asset_of
from actors.domains.custom_world.headers import CustomWorldSession
from actors.domains.custom_world.profile import find_profile
from actors.domains.domain_types import AssetEntityKind, AssetSlot
from actors.domains.kinds import AGENT, CATALOG, USER
from actors.domains.rules.assets.object_keys import image_src
from actors.domains.rules.ids import content_hash, derived_id
from actors.domains.rules.text import check_id
from actors.domains.world_messages import AssetBound

__all__ = [
    "AssetObjectCall",
    "BindAssetObjectToEntity",
    "UnbindAssetObjectFromEntity",
    "bind_asset_object_to_entity",
    "bind_asset_object_to_entity_and_return",
    "check_entity",
    "delete_asset_object",
    "unbind_asset_object_from_entity",
]


@struct
class BindAssetObjectToEntity:
    """Input of ``bind_asset_object_to_entity``."""

    asset_object_id: str
    entity_kind: AssetEntityKind
    entity_id: str
    slot: AssetSlot
    profile_id: str | None
    request_id: str


@struct
class UnbindAssetObjectFromEntity:
    """Input of ``unbind_asset_object_from_entity``."""

    binding_id: str
    request_id: str


@struct
class AssetObjectCall:
    """Input of ``delete_asset_object``."""

    asset_object_id: str
    request_id: str


@reducer(actor=CATALOG, roles=["service"])
def bind_asset_object_to_entity(
    ctx: ReducerContext, input: BindAssetObjectToEntity
) -> AssetEntityBinding:
    """Put an object into a slot of an entity; what was in it before stays an object.

    The entity is the object's owner's: the service has seen to that. A session's entity that gets
    an image tells its session, a world's has its link with it.

    Raises ``asset.not_found``, ``asset.invalid_slot``, ``asset.entity_not_found`` for an entity
    that another user has bound already, and the refusals of ids.
    """
    asset = asset_of(ctx.db, input.asset_object_id)
    check_slot(input.entity_kind, input.slot)
    entity = _entity_of(input)
    ref = entity_ref(input.entity_kind, input.entity_id)
    binding_id = check_id(derived_id(ref, input.slot.name.lower()))
    bindings = ctx.db[AssetEntityBinding]
    known = bindings.find(binding_id)
    owners = {asset.owner_user_id if known is None else known.owner_user_id}
    if entity is not None:
        owners.add(link_owner(ctx.db, entity.profile_id) or asset.owner_user_id)
    if owners != {asset.owner_user_id}:
        raise ReducerError("asset.entity_not_found", "there is no such entity")
    binding = AssetEntityBinding(
        binding_id=binding_id,
        asset_object_id=asset.asset_object_id,
        entity_kind=input.entity_kind,
        entity_id=input.entity_id,
        entity_ref=ref,
        slot=input.slot,
        asset_kind=asset.asset_kind,
        owner_user_id=asset.owner_user_id,
        profile_id=input.profile_id if entity is None else entity.profile_id,
        created_at=ctx.timestamp if known is None else known.created_at,
        updated_at=ctx.timestamp,
    )
    if known is not None and replace(binding, updated_at=known.updated_at) == known:
        binding = known
    else:
        bindings.upsert(binding)
    if entity is not None:
        put_link(ctx, binding, entity)
        _tell_session(ctx, binding, entity, image_src(asset.bucket, asset.object_key))
    return binding


@procedure(actor=CATALOG)
async def bind_asset_object_to_entity_and_return(
    ctx: ProcedureContext, input: BindAssetObjectToEntity
) -> AssetEntityBinding:
    """Put one's own object into a slot of one's own entity.

    Raises what ``bind_asset_object_to_entity`` raises, and ``asset.not_owner``.
    """
    if "service" in ctx.claims.roles:
        return await ctx.call(bind_asset_object_to_entity, input)
    check_id(input.request_id)
    asset = await ctx.read(
        CATALOG.shard_key(input.asset_object_id),
        lambda view: asset_of(view.db, input.asset_object_id),
    )
    _check_owner(asset, ctx.user_id)
    check_slot(input.entity_kind, input.slot)
    entity = _entity_of(input)
    if entity is None:
        raise ReducerError("asset.entity_not_found", "there is no such entity")
    await check_entity(ctx, ctx.user_id, entity.holder)
    # The receipts of the server's calls are all users': each one's request ids are apart.
    request_id = content_hash(f"{ctx.user_id}:{input.request_id}".encode())
    call = replace(input, request_id=request_id)
    return await ctx.as_service().call(bind_asset_object_to_entity, call)


async def check_entity(ctx: ProcedureContext, user_id: str, holder: str) -> None:
    """Refuse entities of a profile or session that is not this user's.

    Args:
        ctx: of any caller.
        user_id: whose it must be.
        holder: a profile's or a creation session's id.

    Raises:
        ReducerError: ``asset.entity_not_found``.
    """

    def is_theirs(view: ViewContext) -> bool:
        session = view.db[CustomWorldSession].find(holder)
        return session is not None or find_profile(view.db, holder) is not None

    if not await ctx.read(USER.key(user_id), is_theirs):
        raise ReducerError("asset.entity_not_found", "there is no such entity")


@reducer(actor=CATALOG)
def unbind_asset_object_from_entity(
    ctx: ReducerContext, input: UnbindAssetObjectFromEntity
) -> None:
    """Take an object out of a slot, and its link with it; no binding is no error.

    A session's entity that loses its image tells its session.

    Raises ``asset.not_owner``.
    """
    binding = ctx.db[AssetEntityBinding].find(check_id(input.binding_id))
    if binding is None:
        return
    if binding.owner_user_id != ctx.user_id and not ctx.has_role("service"):
        raise ReducerError("asset.not_owner", "the binding is another user's")
    ctx.db[AssetEntityBinding].delete(binding.binding_id)
    entity = world_entity(binding.entity_kind, binding.entity_id)
    if entity is not None:
        drop_link(ctx, binding, entity)
        _tell_session(ctx, binding, entity, None)


@reducer(actor=CATALOG)
def delete_asset_object(ctx: ReducerContext, input: AssetObjectCall) -> None:
    """Forget an object that nothing shows; its file goes with the next sweep.

    Raises ``asset.not_found``, ``asset.not_owner`` and ``asset.in_use_conflict``.
    """
    asset = asset_of(ctx.db, input.asset_object_id)
    if not ctx.has_role("service"):
        _check_owner(asset, ctx.user_id)
    if ctx.db[AssetEntityBinding].filter(asset_object_id=asset.asset_object_id):
        raise ReducerError("asset.in_use_conflict", "the object is bound to an entity")
    ctx.db[AssetObject].delete(asset.asset_object_id)


def _entity_of(input: BindAssetObjectToEntity) -> WorldEntity | None:
    """The entity that a call names; the profile that it names must be the entity's own."""
    if input.profile_id is not None:
        check_id(input.profile_id)
    entity = world_entity(input.entity_kind, input.entity_id)
    if entity is not None and input.profile_id not in (None, entity.profile_id):
        raise ReducerError("asset.entity_not_found", "the profile has no such entity")
    return entity


def _check_owner(asset: AssetObject, user_id: str) -> None:
    if asset.owner_user_id != user_id:
        raise ReducerError("asset.not_owner", "the object is another user's")


def _tell_session(
    ctx: ReducerContext, binding: AssetEntityBinding, entity: WorldEntity, source: str | None
) -> None:
    """Tell the session whose entity it is what is bound to it now."""
    session = entity.agent_session_id
    if session is None:
        return
    bound = AssetBound(
        binding_id=binding.binding_id,
        version=ctx.seq,
        agent_session_id=session,
        entity_kind=entity.kind,
        entity_key=entity.key,
        slot=binding.slot,
        image_src=source,
    )
    key = derived_id(binding.binding_id, bound.version)
    ctx.send(AGENT.key(session), bound, idempotency_key=key)
