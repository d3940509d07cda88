"""The world of a session: its pinned document and what is looked up in it (domain 5.1, 6.2)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from actors import ReducerContext, table
from actors.domains.domain_types import ItemGrant, RuntimeItemDefinition
from actors.domains.gameplay.limits import WORLDS_CACHED_MAX
from actors.domains.gameplay.story import StorySecret, StorySession
from actors.domains.kinds import STORY
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.progression import Encounter
from actors.domains.rules.world import WorldDocument, read_world
from actors.module import DatabaseReader

__all__ = [
    "StoryWorldDocument",
    "authored_items",
    "encounters_here",
    "keep_world",
    "world_of",
    "world_owner",
]


@table(primary_key="world_document_ref", actor=STORY)
class StoryWorldDocument:
    """The published document that the session is pinned to, whatever its author does later."""

    world_document_ref: str
    owner_user_id: str
    document_json: str


def keep_world(
    ctx: ReducerContext, published_profile_id: str, owner_user_id: str, document_json: str
) -> WorldDocument:
    """Pin the session to a document.

    Raises:
        RuleError: ``world.document_malformed``; nothing was written then.
    """
    world = _read(document_json)
    ctx.db[StoryWorldDocument].insert(
        StoryWorldDocument(published_profile_id, owner_user_id, document_json)
    )
    return world


def world_of(db: DatabaseReader, session: StorySession) -> WorldDocument:
    """The document of a session that has begun; read once and kept for other turns."""
    return _read(_pinned(db, session).document_json)


def world_owner(db: DatabaseReader, session: StorySession) -> str:
    """The user who published the session's world."""
    return _pinned(db, session).owner_user_id


def authored_items(
    world: WorldDocument, grants: Iterable[ItemGrant]
) -> list[RuntimeItemDefinition]:
    """Definitions of those granted items that only this world knows, each once."""
    own = {grant.item_id for grant in grants} - CORE_ITEMS.keys()
    return [world.items[item_id] for item_id in sorted(own)]


def encounters_here(world: WorldDocument, session: StorySession) -> list[Encounter]:
    """The running chapter's encounters in the scene where the party stands, as authored."""
    encounters = world.chapter(session.chapter_index).encounters.values()
    return [one for one in encounters if one.scene_key == session.current_scene_key]


def _pinned(db: DatabaseReader, session: StorySession) -> StoryWorldDocument:
    secret = db[StorySecret].get(session.story_session_id)
    return db[StoryWorldDocument].get(secret.world_document_ref)


# A document is a pure function of its text, so keeping it changes no outcome.
@lru_cache(maxsize=WORLDS_CACHED_MAX)
def _read(document_json: str) -> WorldDocument:
    return read_world(document_json)
