"""Narration prompt: what a model is told about a turn, from the rows of its story (domain 8.3)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from actors import Prompt
from actors.domains.ai.limits import DIGEST_CHARS_MAX, HISTORY_CHARS_MAX, HISTORY_EVENTS_MAX
from actors.domains.ai.prompts import fenced
from actors.domains.ai.tasks import AiTask
from actors.domains.data import narrator_prompt
from actors.domains.gameplay.live_narration import request_of
from actors.domains.gameplay.npc import npcs_here
from actors.domains.gameplay.quest import QuestRecord, QuestStatus
from actors.domains.gameplay.story import (
    StoryChoice,
    StorySession,
    events_back,
    players_of,
    session_of,
)
from actors.domains.gameplay.story_language import story_language
from actors.domains.gameplay.world import world_of
from actors.domains.rules.text import cut_text
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = ["narration_prompt"]


def narration_prompt(db: DatabaseReader, task: AiTask) -> Prompt:
    """What a model is asked for the narration of a turn."""
    session = session_of(db)
    world = world_of(db, session)
    language = story_language(db, session.story_session_id, world)
    request = request_of(task)
    user = "\n".join(
        (
            fenced("world", cut_text("\n".join(_digest(db, session, world)), DIGEST_CHARS_MAX)),
            fenced("told before", _history(db)),
            fenced("choices", _offered(db, request["choices"])),
            fenced("player's words", request["words"]),
            fenced("function", request["function"].lower()),
            fenced("outline of what happened", request["fallback"]),
        )
    )
    return Prompt(narrator_prompt(language), user)


def _digest(db: DatabaseReader, session: StorySession, world: WorldDocument) -> Iterator[str]:
    """Lines on the world, the more important ones first."""
    text = world.world
    scene = world.landmarks[session.current_scene_key]
    chapter = world.chapter(session.chapter_index)
    yield f"World: {text.name} ({', '.join(text.tone)})"
    yield f"Chapter {chapter.index}: {chapter.title}. {chapter.synopsis}"
    yield f"Scene: {scene.name} ({scene.mood}). {scene.description}"
    for player in players_of(db):
        role = world.roles[player.role_key]
        yield f"Party: {role.name}, {role.title}. {role.description}"
    for npc in npcs_here(db, session):
        authored = world.npcs[npc.npc_key]
        stage = npc.relation_stage.name.lower()
        character = f"{', '.join(authored.personality)}. {authored.description}"
        yield f"Here: {npc.npc_key} = {npc.npc_name}, {authored.role} ({stage}). {character}"
    for quest in db[QuestRecord].filter(status=QuestStatus.ACTIVE):
        yield f"Quest: {quest.title}. {quest.description}"
    yield f"Premise: {text.premise}"
    yield f"Conflict: {text.core_conflict}"


def _history(db: DatabaseReader) -> list[str]:
    """What was told last, oldest first."""
    told = (event.text for event in events_back(db) if event.text)
    room = HISTORY_CHARS_MAX
    texts: list[str] = []
    for text in islice(told, HISTORY_EVENTS_MAX):
        room -= len(text)
        if room < 0:
            break
        texts.append(text)
    return texts[::-1]


def _offered(db: DatabaseReader, choice_ids: list[str]) -> dict[str, str]:
    found = ((place, db[StoryChoice].find(row)) for place, row in enumerate(choice_ids, start=1))
    return {str(place): choice.label for place, choice in found if choice is not None}
