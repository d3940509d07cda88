"""Chapters: a new chapter with its quests and encounters, on scenes that are there (domain 7.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from actors.domains.domain_types import EntityKind, HostileRank, QuestKind
from actors.domains.rules.agent.book import AgentBook
from actors.domains.rules.agent.draft import NewCard, Wish, name_of
from actors.domains.rules.agent.entities import Generator
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import CHAPTERS_MAX

__all__ = ["ChapterPlot", "add_chapter", "expand_chapter", "rank_of", "scenes_for"]

_KEY_CHARS: Final = 40
"""What is left of a chapter's key in the keys of its encounters."""


class ChapterPlot(NamedTuple):
    """What a chapter is made of besides its quests.

    Attributes:
        scenes: where it plays; it opens in the first one and leaves from the last.
        fixed: hostiles and their numbers in the fight that can be won once, in the last scene.
        repeatable: those of the fight that can be had again and again.
        treasures: what can be found in it.
        rewards: items for the main and the side quest.
    """

    scenes: Sequence[NewCard]
    fixed: Sequence[tuple[NewCard, int]]
    repeatable: Sequence[tuple[NewCard, int]]
    treasures: Sequence[NewCard] = ()
    rewards: Sequence[NewCard] = ()


def expand_chapter(wish: Wish, book: AgentBook, known: Sequence[NewCard]) -> list[NewCard]:
    """The chapter after the last one: main quest, side quest, and the chapter with its encounters.

    Its hostiles are the strongest for once and the weakest for ever.

    Raises:
        RuleError: ``agent.action_disabled_state``: there is no scene, or no room for a chapter.
    """
    generator = Generator(wish, book, known)
    scenes = generator.draft.of(EntityKind.LANDMARK)
    count = len(generator.draft.of(EntityKind.CHAPTER))
    if not scenes or count >= CHAPTERS_MAX:
        reason = "chapters_full" if scenes else "no_scene"
        raise RuleError("agent.action_disabled_state", "no chapter can be added", reasonCode=reason)
    hostiles = sorted(generator.draft.of(EntityKind.HOSTILE), key=rank_of)
    plot = ChapterPlot(
        scenes=scenes_for(scenes, count),
        fixed=[(hostile, 1) for hostile in hostiles[-1:]],
        repeatable=[(hostile, 1) for hostile in hostiles[:2]],
    )
    add_chapter(generator, plot)
    return generator.draft.made


def add_chapter(generator: Generator, plot: ChapterPlot) -> NewCard:
    """Add a chapter's quests, then the chapter itself.

    The main quest is a fight that the chapter never runs out of; the side quest is a talk with
    somebody of its scenes, or another such fight.
    """
    draft, book = generator.draft, generator.book
    people = [npc for scene in plot.scenes for npc in _living_in(scene, draft.of(EntityKind.NPC))]
    giver = people[0] if people else None
    fights = [hostile for hostile, _ in plot.repeatable]
    main_reward, side_reward = (*plot.rewards, None, None)[:2]
    main = generator.quest(QuestKind.MAIN, giver, fights, main_reward)
    side = generator.quest(QuestKind.SIDE, giver, people[1:] or fights, side_reward)
    name = generator.name(EntityKind.CHAPTER, "chapter_title", "{adjective}_{place_a}")
    scenes = book.text("chapter_scenes").join(name_of(scene) for scene in plot.scenes)
    card = draft.add(
        EntityKind.CHAPTER,
        name,
        {
            "title": name.text,
            "synopsis": book.text("chapter_synopsis", scenes=scenes),
            "sceneKeys": [scene.key for scene in plot.scenes],
            "openingSceneKey": plot.scenes[0].key,
            "mainQuestKey": main.key,
            "sideQuestKeys": [side.key],
            "encounters": [],
            "treasureKeys": [treasure.key for treasure in plot.treasures],
            "exitSceneKey": plot.scenes[-1].key,
        },
    )
    card.payload["encounters"] += _encounters(card.key, plot)
    return card


def scenes_for(scenes: Sequence[NewCard], index: int) -> list[NewCard]:
    """The scenes of a chapter, counted from 0: one after the other, around for ever.

    Where the next scene cannot be reached from the one before, another neighbour takes its place;
    a scene without neighbours stands alone.
    """
    opening, after = scenes[index % len(scenes)], scenes[(index + 1) % len(scenes)]
    near = [scene for scene in scenes if scene is not opening and _are_connected(opening, scene)]
    return [opening, after] if after in near else [opening, *near[:1]]


def rank_of(hostile: NewCard) -> HostileRank:
    """The rank of a hostile's card."""
    rank = str(hostile.payload.get("rank", "")).upper()
    return HostileRank.__members__.get(rank, HostileRank.STANDARD)


def _encounters(chapter_key: str, plot: ChapterPlot) -> list[dict[str, Any]]:
    fights = (("stand", "fixed", plot.fixed), ("prowl", "repeatable", plot.repeatable))
    return [
        {
            "encounterKey": f"{chapter_key[:_KEY_CHARS]}_{key}",
            "sceneKey": plot.scenes[-1].key,
            "kind": kind,
            "groups": [
                {"hostileKey": hostile.key, "rank": rank_of(hostile).name.lower(), "count": count}
                for hostile, count in groups
            ],
        }
        for key, kind, groups in fights
        if groups
    ]


def _living_in(scene: NewCard, npcs: Iterable[NewCard]) -> list[NewCard]:
    return [npc for npc in npcs if npc.payload.get("homeSceneKey") == scene.key]


def _are_connected(one: NewCard, other: NewCard) -> bool:
    return other.key in one.payload.get("connections", ()) or one.key in other.payload.get(
        "connections", ()
    )
