"""Encounters: the fights that scenes offer and those that were won already (domain 3.5, 4.6)."""

from __future__ import annotations

from actors import ReducerContext
from actors.domains.gameplay.story import StorySession, has_mark, put_mark
from actors.domains.gameplay.world import encounters_here
from actors.domains.rules.progression import Encounter, EncounterKind
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = [
    "fixed_uncleared",
    "has_uncleared_fixed",
    "is_cleared",
    "mark_cleared",
    "repeatable",
]

_CLEARED = "enc"


def is_cleared(db: DatabaseReader, session: StorySession, encounter: Encounter) -> bool:
    """Whether a fixed encounter was won in the running chapter."""
    return encounter.kind is EncounterKind.FIXED and has_mark(
        db, _CLEARED, session.chapter_index, encounter.encounter_key
    )


def mark_cleared(ctx: ReducerContext, session: StorySession, encounter_key: str) -> None:
    """Remember that a fixed encounter was won."""
    put_mark(ctx, session.turn, _CLEARED, session.chapter_index, encounter_key)


def fixed_uncleared(
    db: DatabaseReader, session: StorySession, world: WorldDocument
) -> list[Encounter]:
    """Fixed encounters of the scene that still bar the way, as authored."""
    return [
        one
        for one in encounters_here(world, session)
        if one.kind is EncounterKind.FIXED and not is_cleared(db, session, one)
    ]


def has_uncleared_fixed(db: DatabaseReader, session: StorySession, world: WorldDocument) -> bool:
    """Whether a fixed encounter still bars the way here."""
    return bool(fixed_uncleared(db, session, world))


def repeatable(world: WorldDocument, session: StorySession) -> list[Encounter]:
    """Encounters of the scene that never end, as authored."""
    return [one for one in encounters_here(world, session) if one.kind is EncounterKind.REPEATABLE]
