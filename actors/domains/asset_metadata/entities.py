"""Entities: what an asset can be bound to, and which world and session that belongs to (8.6).

The id of a world's entity is ``{holder}:{kind}:{key}``, where the holder is a library profile or a
creation session; the key of a world itself is ``world``. It is the one derived id that is taken
apart again: whoever binds names nothing but the entity, and links need its parts.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from actors.domains.custom_world.agent.session import session_profile_id
from actors.domains.domain_types import AssetEntityKind, AssetSlot, EntityKind
from actors.domains.kinds import AGENT
from actors.domains.rules.errors import RuleError
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id, check_slug

__all__ = ["WorldEntity", "check_slot", "entity_id_of", "entity_ref", "world_entity"]

_SLOT_KINDS: Final = {
    AssetSlot.COVER: (
        AssetEntityKind.WORLD,
        AssetEntityKind.BIG_FISH_WORK,
        AssetEntityKind.PUZZLE_WORK,
    ),
    AssetSlot.PORTRAIT: (AssetEntityKind.ROLE, AssetEntityKind.NPC),
    AssetSlot.SCENE: (AssetEntityKind.LANDMARK,),
    AssetSlot.ICON: (AssetEntityKind.ITEM,),
    AssetSlot.LEVEL_IMAGE: (AssetEntityKind.BIG_FISH_LEVEL,),
    AssetSlot.LEVEL_MOTION: (AssetEntityKind.BIG_FISH_LEVEL,),
    AssetSlot.BACKGROUND: (AssetEntityKind.BIG_FISH_STAGE,),
    AssetSlot.PUZZLE_IMAGE: (AssetEntityKind.PUZZLE_LEVEL,),
}


class WorldEntity(NamedTuple):
    """An entity of a world.

    Attributes:
        holder: the library profile or the creation session that it is in.
    """

    holder: str
    kind: EntityKind
    key: str

    @property
    def agent_session_id(self) -> str | None:
        """The session that it is in; None for an entity of a profile."""
        return self.holder if self.holder.startswith(AGENT.names) else None

    @property
    def profile_id(self) -> str:
        """The profile whose entity it is; for one of a session, the profile that it makes."""
        session = self.agent_session_id
        return self.holder if session is None else session_profile_id(session)


def entity_id_of(holder: str, kind: AssetEntityKind, key: str) -> str:
    """The id of a world's entity; ``world_entity`` takes it apart."""
    return derived_id(holder, kind.name.lower(), key)


def entity_ref(kind: AssetEntityKind, entity_id: str) -> str:
    """The kind and id of an entity as one id."""
    return derived_id(kind.name.lower(), entity_id)


def world_entity(kind: AssetEntityKind, entity_id: str) -> WorldEntity | None:
    """The parts of a world's entity; None for kinds of other games.

    Raises:
        RuleError: ``input.invalid_id``; ``asset.entity_not_found`` when the id is not of the kind.
    """
    check_id(entity_id)
    if kind > AssetEntityKind.THREAD:
        return None
    holder, _, rest = entity_id.partition(":")
    named, _, key = rest.partition(":")
    if named != kind.name.lower() or not holder:
        raise RuleError("asset.entity_not_found", "there is no such entity")
    return WorldEntity(holder, EntityKind(kind), check_slug(key))


def check_slot(kind: AssetEntityKind, slot: AssetSlot) -> None:
    """Refuse a slot that such entities do not have: ``asset.invalid_slot``."""
    if kind not in _SLOT_KINDS[slot]:
        raise RuleError("asset.invalid_slot", f"a {kind.name.lower()} has no {slot.name.lower()}")
