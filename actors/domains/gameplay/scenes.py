"""Scenes: what happens when the party comes into one (domain 5.3, 5.6, 5.8)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, replace
from actors.domains.domain_types import ObjectiveKind
from actors.domains.gameplay.npc import enter_scene
from actors.domains.gameplay.quest import Signal, offer_in_scene, signal
from actors.domains.gameplay.story import StoryParticipant, StorySession, players_of
from actors.domains.gameplay.treasure import reveal_treasures
from actors.domains.rules.world import WorldDocument

__all__ = ["enter", "restore_players", "travel"]


def travel(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, scene_key: str
) -> StorySession:
    """Go to a connected scene.

    Raises:
        ReducerError: ``story.choice_not_found``: no way leads there.
    """
    if scene_key not in world.landmarks[session.current_scene_key].connections:
        raise ReducerError("story.choice_not_found", "no way leads there")
    return enter(ctx, session, world, scene_key)


def enter(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, scene_key: str
) -> StorySession:
    """Put the party into a scene: a new visit begins, quests are offered, treasures are found.

    Returns:
        The session in that scene, not yet written.
    """
    session = replace(session, current_scene_key=scene_key)
    enter_scene(ctx, session)
    offer_in_scene(ctx, session, world)
    reveal_treasures(ctx, session, world)
    signal(ctx, session, Signal(ObjectiveKind.ENTER_SCENE, scene_key))
    return session


def restore_players(ctx: ReducerContext) -> None:
    """Give every player full hit points."""
    for player in players_of(ctx.db):
        if player.hp != player.max_hp:
            ctx.db[StoryParticipant].update(
                replace(player, hp=player.max_hp, updated_at=ctx.timestamp)
            )
