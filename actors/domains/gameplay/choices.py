"""Choices: what the host may do at a turn, computed and kept as rows (domain 5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from actors import ReducerContext, replace
from actors.domains.gameplay.encounters import fixed_uncleared, has_uncleared_fixed, repeatable
from actors.domains.gameplay.limits import (
    CHOICES_MAX,
    CHOICES_MIN,
    TALK_CHOICES_MAX,
    TRAVEL_CHOICES_MAX,
)
from actors.domains.gameplay.narration import Narrator, narrator_of
from actors.domains.gameplay.npc import npcs_here
from actors.domains.gameplay.quest import QuestRecord, QuestStatus, giver_is_here
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryFunction,
    StorySession,
    StoryStatus,
    players_of,
)
from actors.domains.gameplay.treasure import treasures_here
from actors.domains.rules.ids import local_id
from actors.domains.rules.progression import Encounter
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = ["Offer", "offered_choices", "offers", "refresh_choices"]

_FILLERS: Final = ("look_around", "wait_and_watch", "think_it_over")


class Offer(NamedTuple):
    """A choice before it has an id; a reason means that it cannot be taken now."""

    function: StoryFunction
    target_key: str
    label: str
    detail: str
    disabled_reason: str | None = None


def offers(db: DatabaseReader, session: StorySession, world: WorldDocument) -> list[Offer]:
    """What the host may do now, best first; nothing during battles and after the end."""
    narrator = narrator_of(db, session, world)
    if session.status is StoryStatus.CHAPTER_BREAK:
        found = [
            _onward(session, world, narrator),
            *_travels(session, world, narrator),
        ]
    elif session.status is StoryStatus.ACTIVE:
        found = [
            *_quests(db, session, narrator),
            *_fights(fixed_uncleared(db, session, world), world, narrator, "fight"),
            *_treasures(db, session, world, narrator),
            *_talks(db, session, narrator),
            *_travels(session, world, narrator),
            *_fights(repeatable(world, session), world, narrator, "prowl"),
            *_rest(db, session, world, narrator),
        ]
    else:
        return []
    found += [
        Offer(StoryFunction.NARRATIVE, key, narrator.label(key), narrator.detail(key))
        for key in _FILLERS[: max(0, CHOICES_MIN - len(found))]
    ]
    return found[:CHOICES_MAX]


def refresh_choices(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Bring the choice rows up to what can be done now, writing only rows that differ.

    Within a turn an id means one function and target, also of choices that went and came again, so
    that no id ever means something else than what the host saw; and a narrator's labels stay.
    """
    table = ctx.db[StoryChoice]
    kept: set[str] = set()
    rows: list[StoryChoice] = []
    for position, one in enumerate(offers(ctx.db, session, world), start=1):
        number = _number(session, world, one)
        choice_id = local_id(session.story_session_id, "c", session.turn, number)
        row = table.find(choice_id) or _new_row(ctx, session, choice_id, one)
        kept.add(choice_id)
        rows.append(
            replace(
                row,
                position=position,
                detail=one.detail,
                enabled=one.disabled_reason is None,
                disabled_reason=one.disabled_reason,
            )
        )
    for row in table:
        if row.choice_id not in kept:
            table.delete(row.choice_id)
    for row in rows:
        if table.find(row.choice_id) != row:
            table.upsert(row)


def offered_choices(
    db: DatabaseReader, session: StorySession, world: WorldDocument
) -> list[tuple[StoryChoice, str]]:
    """The current choices by position, with the names of what they are about."""
    rows = sorted(db[StoryChoice], key=lambda row: row.position)
    return [(row, _target_name(session, world, row)) for row in rows]


def _target_name(session: StorySession, world: WorldDocument, row: StoryChoice) -> str:
    match row.function:
        case StoryFunction.TRAVEL:
            return world.landmarks[row.target_key].name
        case StoryFunction.TALK:
            return world.npcs[row.target_key].name
        case StoryFunction.INSPECT:
            return world.treasures[row.target_key].title
        case StoryFunction.FIGHT:
            encounter = world.chapter(session.chapter_index).encounters[row.target_key]
            return " ".join(_hostile_names(world, encounter))
        case _:
            return ""


def _hostile_names(world: WorldDocument, encounter: Encounter) -> list[str]:
    return [world.hostiles[group.hostile_key].name for group in encounter.groups]


def _number(session: StorySession, world: WorldDocument, offer: Offer) -> int:
    """The number of a function and a target, among all that a turn could offer."""
    targets: Iterable[str]
    match offer.function:
        case StoryFunction.NARRATIVE:
            targets = _FILLERS
        case StoryFunction.TRAVEL | StoryFunction.REST:
            targets = world.landmarks
        case StoryFunction.TALK:
            targets = world.npcs
        case StoryFunction.INSPECT:
            targets = world.treasures
        case StoryFunction.FIGHT:
            targets = world.chapter(session.chapter_index).encounters
        case StoryFunction.ACCEPT_QUEST | StoryFunction.TURN_IN_QUEST:
            targets = world.quests
        case _:
            targets = (offer.target_key,)
    return list(targets).index(offer.target_key) * len(StoryFunction) + offer.function


def _new_row(
    ctx: ReducerContext, session: StorySession, choice_id: str, offer: Offer
) -> StoryChoice:
    return StoryChoice(
        choice_id=choice_id,
        story_session_id=session.story_session_id,
        turn=session.turn,
        position=0,
        function=offer.function,
        target_key=offer.target_key,
        label=offer.label,
        detail=offer.detail,
        enabled=True,
        disabled_reason=None,
        created_at=ctx.timestamp,
    )


def _onward(session: StorySession, world: WorldDocument, narrator: Narrator) -> Offer:
    if session.chapter_index >= session.total_chapters:
        function, key, target = StoryFunction.FINISH, "finish", session.chapter_key
        slots = {}
    else:
        following = world.chapter(session.chapter_index + 1)
        function, key, target = StoryFunction.ADVANCE_CHAPTER, "advance_chapter", following.key
        slots = {"next_chapter": following.title}
    return Offer(function, target, narrator.label(key), narrator.detail(key, **slots))


def _quests(db: DatabaseReader, session: StorySession, narrator: Narrator) -> Iterator[Offer]:
    functions = (
        (QuestStatus.COMPLETED, StoryFunction.TURN_IN_QUEST),
        (QuestStatus.OFFERED, StoryFunction.ACCEPT_QUEST),
    )
    for status, function in functions:
        key = function.name.lower()
        for row in db[QuestRecord].filter(status=status):
            if giver_is_here(db, session, row):
                slots = {"quest": row.title, "quest_line": row.description}
                label, detail = narrator.label(key, **slots), narrator.detail(key, **slots)
                yield Offer(function, row.quest_key, label, detail)


def _fights(
    encounters: list[Encounter], world: WorldDocument, narrator: Narrator, key: str
) -> Iterator[Offer]:
    for encounter in encounters:
        slots = {"hostile": narrator.enumeration(_hostile_names(world, encounter))}
        label, detail = narrator.label(key, **slots), narrator.detail(key, **slots)
        yield Offer(StoryFunction.FIGHT, encounter.encounter_key, label, detail)


def _treasures(
    db: DatabaseReader, session: StorySession, world: WorldDocument, narrator: Narrator
) -> Iterator[Offer]:
    for row in treasures_here(db, session, world):
        label = narrator.label("inspect", item=row.title)
        detail = narrator.detail("inspect", item=row.title)
        yield Offer(StoryFunction.INSPECT, row.treasure_key, label, detail)


def _talks(db: DatabaseReader, session: StorySession, narrator: Narrator) -> Iterator[Offer]:
    here = sorted(npcs_here(db, session), key=lambda row: (row.talk_count, row.npc_key))
    for row in here[:TALK_CHOICES_MAX]:
        label = narrator.label("talk", npc=row.npc_name)
        detail = narrator.detail("talk", npc=row.npc_name)
        yield Offer(StoryFunction.TALK, row.npc_key, label, detail)


def _travels(session: StorySession, world: WorldDocument, narrator: Narrator) -> Iterator[Offer]:
    connected = world.landmarks[session.current_scene_key].connections
    scenes = [scene for key, scene in world.landmarks.items() if key in connected]
    for scene in scenes[:TRAVEL_CHOICES_MAX]:
        label = narrator.label("travel", scene=scene.name)
        detail = narrator.detail("travel", scene_line=scene.description)
        yield Offer(StoryFunction.TRAVEL, scene.key, label, detail)


def _rest(
    db: DatabaseReader, session: StorySession, world: WorldDocument, narrator: Narrator
) -> Iterator[Offer]:
    if any(player.hp < player.max_hp for player in players_of(db)):
        is_watched = has_uncleared_fixed(db, session, world)
        reason = narrator.reason("rest") if is_watched else None
        label, detail = narrator.label("rest"), narrator.detail("rest")
        yield Offer(StoryFunction.REST, session.current_scene_key, label, detail, reason)
