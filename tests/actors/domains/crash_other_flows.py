"""Flows beside the turns of a story: narration, time, visits, presence, dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from crash_course import Course, Step
from crash_story_flows import FOUGHT, at_the_mill, invite, join, playing, win
from scripted_model import ScriptedModel, said
from user_bench import SERVICE, only
from vale_bench import PROFILE, Player, Vale, claims

from actors.domains.ai.chunks import AiTextChunk
from actors.domains.ai.limits import CHUNKS_KEPT_MICROS
from actors.domains.ai.stages import AiStageKind
from actors.domains.ai.tasks import AiScope, AiTask, AiTaskKind, AiTaskStatus
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry
from actors.domains.domain_types import GrantSource, ThemeMode, WorkCard, WorldKind
from actors.domains.gameplay.limits import (
    BATTLE_IDLE_MICROS,
    BATTLE_LOG_MICROS,
    BATTLE_TURN_MICROS,
    NARRATION_MICROS_MAX,
    PLAY_SEGMENT_MS,
    STORY_IDLE_MICROS,
)
from actors.domains.gameplay.story import NarrativeState, StoryFunction
from actors.domains.gameplay.world import StoryWorldDocument
from actors.domains.kinds import CATALOG
from actors.errors import TextModelError
from actors.limits import OUTBOX_ATTEMPTS_MAX, OUTBOX_RETRY_SECONDS_MAX
from actors.module.system import DeadLetter

__all__ = ["OTHER_COURSES", "narration"]

_SECOND = 1_000_000


# Visits, levels, play time


def _card(profile_id: str) -> WorkCard:
    kind = WorldKind.CUSTOM_WORLD
    texts = ("What the client says", "", "", None, ThemeMode.LIGHT, "")
    return WorkCard(f"custom_world:{profile_id}", kind, "u_owner", profile_id, *texts)


async def _visit(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    assert vale.rows(CATALOG.shard_key(PROFILE), CustomWorldGalleryEntry)
    vale.mark()
    await player.call("upsert_browse_history", None, [_card(PROFILE)])


async def _visit_of_no_world(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    vale.mark()
    await player.call("upsert_browse_history", None, [_card(PROFILE), _card("cwp_none")])


async def _seeing_levels(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    service = await vale.enter(SERVICE)
    grant = (player.user_id, 400, GrantSource.ADMIN, "g1", None)
    vale.mark()
    await service.call("grant_player_progression_experience", *grant)
    await player.call("acknowledge_level_ups", 2)


async def _play_segment(vale: Vale) -> None:
    player = await at_the_mill(vale)
    await player.call("talk_to_npc", player.story_id, "scout")
    vale.clock.wait(PLAY_SEGMENT_MS * 1_000)
    vale.mark()
    await player.call("talk_to_npc", player.story_id, "scout")


async def _parting(vale: Vale) -> None:
    host = await playing(vale)
    guest = await invite(vale, host)
    await join(host, guest)
    vale.mark()


# Narration


def _teller() -> ScriptedModel:
    return ScriptedModel(*[('{"narration": "The mill ', 'stands black."}')] * 9)


def _broken_teller() -> ScriptedModel:
    down = TextModelError("dependency.unavailable", "no answer")
    return ScriptedModel(*[(down,)] * 9)


def _mended_teller() -> ScriptedModel:
    return ScriptedModel(*[("prose, no JSON",)] * 9, repairs=[said("It is repaired.")] * 9)


def _slow_teller() -> ScriptedModel:
    return ScriptedModel(*[('{"narration": "Half a sen', asyncio.Event())] * 9)


def _hasty_teller() -> ScriptedModel:
    """Nobody waits for the second one."""
    return ScriptedModel(['{"narration": "Half a sen', asyncio.Event()], [said("Well.")])


async def _until(vale: Vale, player: Player, happened: Callable[[], object]) -> None:
    """Wait for the story's actor to come so far."""
    while not happened():
        commit = await vale.host.next_commit(player.story)
        if not happened():
            await commit
    await vale.settle()


async def _until_told(vale: Vale, player: Player) -> None:
    await _until(vale, player, lambda: player.session.narrative_state is NarrativeState.IDLE)


async def narration(vale: Vale) -> None:
    player = await playing(vale)
    vale.mark()
    await player.choose(StoryFunction.TRAVEL, "mill")
    await _until_told(vale, player)


async def _narration_failed(vale: Vale) -> None:
    await narration(vale)


async def _narration_repaired(vale: Vale) -> None:
    await narration(vale)


async def _half_told(vale: Vale) -> tuple[Player, AiTask]:
    player = await playing(vale)
    await player.choose(StoryFunction.TRAVEL, "mill")
    await _until(vale, player, lambda: player.story_rows(AiTextChunk))
    return player, only(player.story_rows(AiTask))


async def _narration_called_off(vale: Vale) -> None:
    player, task = await _half_told(vale)
    vale.mark()
    await player.call("cancel_ai_task", task.ai_task_id)
    await _until_told(vale, player)


async def _narration_interrupted(vale: Vale) -> None:
    """The turn that interrupts is not told either, until its time is over."""
    player, _ = await _half_told(vale)
    choice = player.choice(StoryFunction.TRAVEL)
    turn = player.session.turn
    vale.mark()
    await player.call("continue_story", player.story_id, choice.choice_id, None, turn, True)
    await _until_told(vale, player)


# Time


async def _missed_turn(vale: Vale) -> None:
    host = await at_the_mill(vale)
    guest = await invite(vale, host)
    await join(host, guest)
    await host.choose(StoryFunction.FIGHT, "slime_pack")
    vale.mark()


async def _idle_battle(vale: Vale) -> None:
    player = await at_the_mill(vale)
    await player.choose(StoryFunction.FIGHT, "slime_pack")
    vale.mark()


async def _old_battle(vale: Vale) -> None:
    await win(vale, await at_the_mill(vale))
    vale.mark()


async def _idle_story(vale: Vale) -> None:
    await playing(vale)
    vale.mark()


async def _old_chunks_of_a_story(vale: Vale) -> None:
    await narration(vale)
    vale.mark()


async def _old_chunks_of_a_user(vale: Vale) -> None:
    player = await vale.enter(claims(1))
    service = await vale.enter(SERVICE)
    scope = (AiScope.USER, player.user_id)
    kind, stages = AiTaskKind.DRAFT_FOUNDATION, [AiStageKind.REQUEST_MODEL]
    new = (*scope, kind, "Draft", "{}", stages, None)
    task_id = (await service.ask("create_ai_task_and_return", *new)).task.ai_task_id
    await service.call("start_ai_task", *scope, task_id)
    await service.call("start_ai_task_stage", task_id, 0)
    await service.call("append_ai_text_chunk", task_id, 0, 1, 0, "words")
    await service.call("complete_ai_stage", task_id, 0, 1, None, None, [])
    assert only(vale.rows(player.home, AiTask)).status is AiTaskStatus.RUNNING
    vale.mark()


# Dead letters

_LAST_ATTEMPTS = 4


async def _without_its_world(vale: Vale) -> tuple[Player, StoryWorldDocument]:
    """An item is used in a story whose document is lost: the message breaks its handler."""
    player = await at_the_mill(vale)
    documents = vale.host.core(player.story).database[StoryWorldDocument]
    document = only(documents)
    documents.delete(document.world_document_ref)
    # The change is written with the next record of its actor.
    await player.call("create_story_invite", player.story_id)
    slot = next(row for row in player.rows("inventory_slot") if row.item_id.endswith("herb"))
    await player.call("use_inventory_item", slot.runtime_session_id, slot.slot_index)
    return player, document


async def _try(vale: Vale, player: Player, times: int) -> None:
    for _ in range(times):
        vale.clock.wait(OUTBOX_RETRY_SECONDS_MAX * _SECOND)
        await vale.wake(player.home)


async def _replay(vale: Vale, player: Player) -> None:
    letter = only(player.story_rows(DeadLetter))
    assert letter.kind == "story.use_item"
    await vale.host.replay_dead_letter(player.story, letter.message_key)


def _mend(vale: Vale, player: Player, document: StoryWorldDocument) -> None:
    vale.host.core(player.story).database[StoryWorldDocument].insert(document)


async def _letter_parked(vale: Vale) -> None:
    player, document = await _without_its_world(vale)
    await _try(vale, player, OUTBOX_ATTEMPTS_MAX - _LAST_ATTEMPTS)
    vale.mark()
    await _try(vale, player, _LAST_ATTEMPTS)
    _mend(vale, player, document)
    await _replay(vale, player)


async def _letter_replayed(vale: Vale) -> None:
    player, document = await _without_its_world(vale)
    await _try(vale, player, OUTBOX_ATTEMPTS_MAX)
    _mend(vale, player, document)
    await player.call("create_story_invite", player.story_id)
    vale.mark()
    await _replay(vale, player)


_TOLD = frozenset({"attempt", "chunk_id"})
"""A stage says how often it was begun."""

OTHER_COURSES: Mapping[Step, Course] = {
    _visit: Course(),
    _visit_of_no_world: Course(),
    _seeing_levels: Course(),
    _play_segment: Course(),
    _parting: Course(people=2, is_parting=True),
    narration: Course(_TOLD, model=_teller),
    _narration_failed: Course(_TOLD, model=_broken_teller),
    # Of an answer that a process before has heard, the narration is left: the fault is another.
    _narration_repaired: Course(_TOLD | {"warning_messages"}, model=_mended_teller),
    _narration_called_off: Course(_TOLD, model=_slow_teller),
    _narration_interrupted: Course(
        _TOLD, model=_slow_teller, told=_hasty_teller, waits=(NARRATION_MICROS_MAX // _SECOND,)
    ),
    _missed_turn: Course(FOUGHT, people=2, waits=(BATTLE_TURN_MICROS // _SECOND,)),
    _idle_battle: Course(waits=(BATTLE_IDLE_MICROS // _SECOND,)),
    _old_battle: Course(waits=(BATTLE_LOG_MICROS // _SECOND,)),
    # An archived story is not told who comes.
    _idle_story: Course(frozenset({"connected"}), waits=(STORY_IDLE_MICROS // _SECOND,)),
    _old_chunks_of_a_story: Course(model=_teller, waits=(CHUNKS_KEPT_MICROS // _SECOND,)),
    _old_chunks_of_a_user: Course(waits=(CHUNKS_KEPT_MICROS // _SECOND,)),
    _letter_parked: Course(
        waits=tuple(OUTBOX_RETRY_SECONDS_MAX * number for number in range(1, _LAST_ATTEMPTS + 1)),
        is_parked=True,
    ),
    _letter_replayed: Course(is_replay=True),
}
