"""Assets on the bench: files of players, and worlds that they belong to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vale_bench import Player, Vale

from actors.domains.asset_metadata.entities import entity_id_of
from actors.domains.custom_world.headers import open_header
from actors.domains.domain_types import AccessPolicy, AssetEntityKind, AssetSlot, AssetSource
from actors.domains.kinds import AGENT, CATALOG, USER
from actors.domains.rules.assets.object_keys import PRIVATE_BUCKET, image_src, object_key
from actors.domains.rules.ids import content_hash
from actors.domains.world_messages import AgentBegin
from actors.keys import ActorKey
from actors.module.context import ReducerContext

CATALOG_KEY = CATALOG.key("0")
SESSION = "cws_00000000000000000000000001"
PROFILE = "cwp_00000000000000000000000001"
"""The profile that the session makes."""

HERO = entity_id_of(SESSION, AssetEntityKind.ROLE, "hero")


def file_fields(owner: str, name: str = "a", **others: object) -> list[object]:
    """The fields of ``confirm_asset_object`` for a file of a user."""
    digest = content_hash(name.encode())
    fields: dict[str, object] = {
        "bucket": PRIVATE_BUCKET,
        "object_key": object_key(owner, "role", digest, "png"),
        "access_policy": AccessPolicy.OWNER_READ,
        "content_type": "image/png",
        "content_length": 900,
        "content_hash": digest,
        "owner_user_id": owner,
        "profile_id": None,
        "asset_kind": "role",
        "source_kind": AssetSource.GENERATED,
        "source_job_id": None,
        "width": 512,
        "height": 512,
    }
    assert others.keys() <= fields.keys()
    return list((fields | others).values())


async def stored(service: Player, owner: str, name: str = "a", **others: object) -> Any:
    """The row of a file that the service has stored for a user."""
    fields = file_fields(owner, name, **others)
    return await service.ask("confirm_asset_object_and_return", *fields)


async def turn(vale: Vale, key: ActorKey, act: Callable[[ReducerContext], object]) -> None:
    """Let an actor act, as in a turn of its own."""
    core = vale.host.core(key)
    act(core.context(vale.clock()))
    core.commit("test", b"", b"")
    await vale.settle()


async def begin_session(player: Player, session: str = SESSION) -> None:
    """Begin a creation session under an id that tests know beforehand."""

    def begin(ctx: ReducerContext) -> None:
        open_header(ctx, session, "Untitled")
        ctx.send(AGENT.key(session), AgentBegin(session, player.user_id, None, None))

    await turn(player.vale, USER.key(player.user_id), begin)


async def bind(player: Player, asset: Any, entity_id: str = HERO) -> Any:
    """Bind a portrait of a role."""
    return await player.ask(
        "bind_asset_object_to_entity_and_return",
        asset.asset_object_id,
        AssetEntityKind.ROLE,
        entity_id,
        AssetSlot.PORTRAIT,
        None,
    )


def src_of(asset: Any) -> str:
    """The address of an object's file."""
    return image_src(asset.bucket, asset.object_key)


def held(player: Player, table: str) -> list[Any]:
    """A player's rows of a table."""
    return sorted(player.cache.table(table).values())
