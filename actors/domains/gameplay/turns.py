"""Turns: the host drives the story by a choice or in free words (domain 5.2, 5.3)."""

from __future__ import annotations

from typing import NamedTuple

from actors import ReducerContext, ReducerError, reducer, replace, struct, u32
from actors.domains.domain_types import ObjectiveKind
from actors.domains.gameplay.battle_start import create_fight, find_encounter
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.encounters import has_uncleared_fixed
from actors.domains.gameplay.intent import meant_choice
from actors.domains.gameplay.lifecycle import advance_chapter, finish
from actors.domains.gameplay.limits import FREE_TEXT_CHARS_MAX
from actors.domains.gameplay.live_narration import make_way, narrate
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.play_time import count_play
from actors.domains.gameplay.quest import Signal, accept, find_quest, request_turn_in, signal
from actors.domains.gameplay.relations import talk
from actors.domains.gameplay.scenes import restore_players, travel
from actors.domains.gameplay.stock import restock_here
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryEventKind,
    StoryFunction,
    StorySession,
    StoryStatus,
    live_session,
    require_host,
    session_of,
    set_flag,
    tell,
    touch,
)
from actors.domains.gameplay.treasure import find_treasure, open_treasure
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.rules.ids import local_id
from actors.domains.rules.text import check_id, clean_text
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = ["ContinueStory", "continue_story"]

_REST_TURNS = 3


@struct
class ContinueStory:
    """Input of ``continue_story``: exactly one of a choice and free words."""

    story_session_id: str
    choice_id: str | None
    free_text: str | None
    expected_turn: u32
    interrupt_narration: bool
    request_id: str


class _Told(NamedTuple):
    """What a function did: the session, and the event that tells it."""

    session: StorySession
    kind: StoryEventKind
    text: str


@reducer(actor=STORY)
def continue_story(ctx: ReducerContext, input: ContinueStory) -> StorySession:
    """Resolve one turn: apply a function's effect, tell it, and offer new choices.

    Raises ``story.not_found``, ``auth.forbidden``, ``story.invalid_input``, the refusals of texts,
    ``story.not_active_state``, ``story.stale_version``, ``story.choice_not_found``,
    ``story.choice_disabled``, ``story.narration_in_progress``, and what the chosen function raises.
    """
    require_host(ctx.db, ctx.user_id)
    if (input.choice_id is None) == (input.free_text is None):
        raise ReducerError("story.invalid_input", "give a choice or free text, not both")
    words = None
    if input.free_text is not None:
        words = clean_text(input.free_text, FREE_TEXT_CHARS_MAX, required=True)
    session = live_session(ctx.db, StoryStatus.ACTIVE, StoryStatus.CHAPTER_BREAK)
    if input.expected_turn != session.turn:
        raise ReducerError(
            "story.stale_version", "the story went on meanwhile", current=session.turn
        )
    world = world_of(ctx.db, session)
    choice = (
        meant_choice(ctx.db, session, world, words or "")
        if input.choice_id is None
        else _find_choice(ctx.db, input.choice_id)
    )
    session = make_way(ctx, session, interrupt=input.interrupt_narration)
    session = _resolve(ctx, session, world, choice)
    function = StoryFunction.FREE_TEXT if choice is None else choice.function
    session = narrate(ctx, session, function, words or "")
    count_play(ctx, session, ctx.user_id)
    return session


def _find_choice(db: DatabaseReader, choice_id: str) -> StoryChoice:
    choice = db[StoryChoice].find(check_id(choice_id))
    if choice is None:
        raise ReducerError("story.choice_not_found", "there is no such choice")
    if not choice.enabled:
        raise ReducerError("story.choice_disabled", choice.disabled_reason or "")
    return choice


def _resolve(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    choice: StoryChoice | None,
) -> StorySession:
    session = replace(session, turn=session.turn + 1)
    choice_id = None if choice is None else choice.choice_id
    function = StoryFunction.FREE_TEXT if choice is None else choice.function
    target = "" if choice is None else choice.target_key
    if choice is not None:
        signal(ctx, session, Signal(ObjectiveKind.RESOLVE_CHOICE, function.name.lower()))
    if function is StoryFunction.FIGHT:
        encounter = find_encounter(ctx.db, session, world, target)
        key = encounter.encounter_key
        create_fight(ctx, session, world, encounter.groups, key, choice_id)
        return session_of(ctx.db)
    if function is StoryFunction.ADVANCE_CHAPTER:
        session = advance_chapter(ctx, session, world)
    elif function is StoryFunction.FINISH:
        session = finish(ctx, session, world)
    else:
        told = _apply(ctx, session, world, function, target)
        session = tell(
            ctx,
            told.session,
            told.kind,
            told.text,
            function,
            actor_user_id=ctx.user_id,
            choice_id=choice_id,
        )
    restock_here(ctx, session, world)
    session = touch(ctx, session)
    refresh_choices(ctx, session, world)
    return session


def _apply(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    function: StoryFunction,
    target: str,
) -> _Told:
    """The effect of a function that stays within the scene's story, and its text."""
    narrator = narrator_of(ctx.db, session, world)
    match function:
        case StoryFunction.TRAVEL:
            session = travel(ctx, session, world, target)
            text = narrator_of(ctx.db, session, world).text("travel")
            return _Told(session, StoryEventKind.SCENE_ENTERED, text)
        case StoryFunction.TALK:
            npc, facts = talk(ctx, session, world, target)
            text = narrator.text("talk", npc=npc.npc_name, facts=narrator.facts(facts))
            return _Told(session, StoryEventKind.NPC_TALK, text)
        case StoryFunction.INSPECT:
            treasure = find_treasure(ctx.db, session, target)
            treasure = open_treasure(ctx, session, world, treasure)
            text = narrator.text("inspect", item=treasure.title)
            return _Told(session, StoryEventKind.TREASURE, text)
        case StoryFunction.REST:
            if has_uncleared_fixed(ctx.db, session, world):
                raise ReducerError("story.choice_disabled", narrator.reason("rest"))
            restore_players(ctx)
            session = replace(session, turn=session.turn - 1 + _REST_TURNS)
            return _Told(session, StoryEventKind.REST, narrator.text("rest"))
        case StoryFunction.ACCEPT_QUEST:
            quest = accept(ctx, session, find_quest(ctx.db, _quest_id(session, target)))
            slots = {"quest": quest.title, "quest_line": quest.description}
            text = narrator.text("accept_quest", **slots)
            return _Told(session, StoryEventKind.QUEST_UPDATE, text)
        case StoryFunction.TURN_IN_QUEST:
            quest = find_quest(ctx.db, _quest_id(session, target))
            quest = request_turn_in(ctx, session, world, quest)
            text = narrator.text("report", quest=quest.title)
            return _Told(session, StoryEventKind.CHOICE_RESOLVED, text)
        case _:
            session = set_flag(session, f"n_{session.chapter_index}_{session.turn}")
            template = "free_text" if function is StoryFunction.FREE_TEXT else "narrative"
            return _Told(session, StoryEventKind.NARRATION, narrator.text(template))


def _quest_id(session: StorySession, quest_key: str) -> str:
    return local_id(session.story_session_id, "q", quest_key)
