"""Foundation: a whole small world from what an author has said, without a model (domain 7.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from actors.domains.domain_types import EntityKind, HostileRank
from actors.domains.rules.agent.book import DEFAULT_TONE, AgentBook
from actors.domains.rules.agent.chapters import ChapterPlot, add_chapter, rank_of, scenes_for
from actors.domains.rules.agent.draft import NewCard, Wish, name_of
from actors.domains.rules.agent.entities import Generator
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.limits import PREMISE_CHARS_MIN

__all__ = ["FOUNDATION_CARDS", "generate_foundation"]

FOUNDATION_CARDS: Final[Mapping[EntityKind, int]] = MappingProxyType(
    {
        EntityKind.WORLD: 1,
        EntityKind.FACTION: 2,
        EntityKind.ROLE: 3,
        EntityKind.NPC: 5,
        EntityKind.HOSTILE: 5,
        EntityKind.ITEM: 6,
        EntityKind.LANDMARK: 4,
        EntityKind.CHAPTER: 3,
        EntityKind.QUEST: 6,
        EntityKind.TREASURE: 3,
        EntityKind.THREAD: 1,
    }
)
"""How many cards of each kind a foundation has: 39 in all."""

_RANKS: Final = (
    HostileRank.MINION,
    HostileRank.MINION,
    HostileRank.STANDARD,
    HostileRank.ELITE,
    HostileRank.BOSS,
)
_STANCE: Final = -25
"""What two factions of a new world think of each other: enough to disagree about."""

_LIMITS: Final = {"summary": 400, "premise": 1200, "coreConflict": 400, "playerFantasy": 300}


def generate_foundation(wish: Wish, book: AgentBook, kept: Sequence[NewCard] = ()) -> list[NewCard]:
    """The cards that make a foundation of those that are kept, by kind.

    With nothing kept it compiles without a blocker and with ten warnings, all of them missing
    images (domain 7.7). Kept cards count as part of the set, and stay as they are.
    """
    generator = Generator(wish, book, kept)
    _add_world(generator)
    _add_factions(generator)
    _add_landmarks(generator)
    for _ in _missing(generator, EntityKind.ROLE):
        generator.role()
    _add_hostiles(generator)
    _add_npcs(generator)
    for _ in _missing(generator, EntityKind.ITEM):
        generator.item()
    _add_chapters(generator)
    _add_thread(generator)
    return sorted(generator.draft.made, key=lambda card: card.kind)


def _missing(generator: Generator, kind: EntityKind) -> range:
    """The places of the set that no card of a kind has yet, counted from 0."""
    return range(len(generator.draft.of(kind)), FOUNDATION_CARDS[kind])


def _add_world(generator: Generator) -> None:
    if generator.draft.of(EntityKind.WORLD):
        return
    book, anchors = generator.book, generator.draft.wish.anchors
    name = generator.name(EntityKind.WORLD, "world_name", "{place_a}{place_b}").text
    conflict = anchors.get("core_conflict") or book.text("world_conflict", name=name)
    fantasy = anchors.get("player_fantasy") or book.text("world_fantasy", name=name)
    gap = book.reply["gap"]
    premise = gap.join(dict.fromkeys(filter(None, anchors.values())))
    if len(premise) < PREMISE_CHARS_MIN:
        premise = gap.join(filter(None, (premise, book.text("world_premise", name=name))))
    tones = _tones(anchors.get("tone", ""), book)
    entry: dict[str, Any] = {
        "name": name,
        "subtitle": book.text("world_subtitle", name=name),
        "summary": book.text("world_summary", name=name, conflict=conflict),
        "premise": premise,
        "tone": [book.tones[tone].name for tone in tones],
        "themeMode": book.tones[tones[0]].theme,
        "coreConflict": conflict,
        "playerFantasy": fantasy,
        "tags": tones,
    }
    entry |= {field: entry[field][:limit].strip() for field, limit in _LIMITS.items()}
    generator.draft.put(NewCard(EntityKind.WORLD, "world", entry))


def _tones(words: str, book: AgentBook) -> list[str]:
    """The tones that an author speaks of, at most as many as a world has."""
    spoken = [key for key, tone in book.tones.items() if DenyList(tone.keywords).finds_in(words)]
    return spoken[:6] or [DEFAULT_TONE]


def _add_factions(generator: Generator) -> None:
    new = [generator.faction() for _ in _missing(generator, EntityKind.FACTION)]
    for card in new:
        others = (other.key for other in generator.draft.of(EntityKind.FACTION))
        card.payload["stance"] = {key: _STANCE for key in others if key != card.key}


def _add_landmarks(generator: Generator) -> None:
    """Scenes in a ring, and a way across from the third to the first."""
    new = [generator.landmark() for _ in _missing(generator, EntityKind.LANDMARK)]
    scenes = generator.draft.of(EntityKind.LANDMARK)
    for place in (2, len(scenes) - 1):
        scene, first = scenes[place], scenes[0]
        if scene in new and first.key not in scene.payload["connections"]:
            scene.payload["connections"].append(first.key)


def _add_hostiles(generator: Generator) -> None:
    there = Counter(map(rank_of, generator.draft.of(EntityKind.HOSTILE)))
    for rank in _RANKS:
        if there[rank]:
            there[rank] -= 1
        else:
            generator.hostile(rank)


def _add_npcs(generator: Generator) -> None:
    """Somebody in every scene, then anywhere."""
    scenes = generator.draft.of(EntityKind.LANDMARK)
    for place in _missing(generator, EntityKind.NPC):
        generator.npc(scenes[place].key if place < FOUNDATION_CARDS[EntityKind.LANDMARK] else None)
    made = [card.key for card in generator.draft.made]
    for scene in scenes:
        if scene.key in made:
            homes = [
                npc.key
                for npc in generator.draft.of(EntityKind.NPC)
                if npc.payload.get("homeSceneKey") == scene.key
            ]
            scene.payload["npcKeys"] = homes[:8]


def _add_chapters(generator: Generator) -> None:
    """Three chapters, each a little harder than the one before; the boss waits in the last."""
    draft = generator.draft
    scenes = draft.of(EntityKind.LANDMARK)
    items = draft.of(EntityKind.ITEM)
    ranked = sorted(draft.of(EntityKind.HOSTILE), key=rank_of)
    by_rank = {rank: [one for one in ranked if rank_of(one) is rank] for rank in HostileRank}
    weak, other = by_rank[HostileRank.MINION][:2]
    middle, strong, boss = (by_rank[rank][0] for rank in (*HostileRank,)[1:])
    fights = (
        ([(weak, 2), (middle, 1)], [(weak, 1), (other, 1)]),
        ([(strong, 1), (other, 1)], [(other, 1), (middle, 1)]),
        ([(boss, 1)], [(middle, 1), (weak, 1)]),
    )
    for place in _missing(generator, EntityKind.CHAPTER):
        where = scenes_for(scenes, place)
        treasures = draft.of(EntityKind.TREASURE)[place : place + 1]
        treasures = treasures or [generator.treasure(where[-1].key)]
        fixed, repeatable = fights[place]
        rewards = items[2 * place : 2 * place + 2]
        add_chapter(generator, ChapterPlot(where, fixed, repeatable, treasures, rewards))


def _add_thread(generator: Generator) -> None:
    draft = generator.draft
    world = name_of(draft.of(EntityKind.WORLD)[0])
    related = (*draft.of(EntityKind.NPC)[:1], *draft.of(EntityKind.FACTION)[:1])
    for _ in _missing(generator, EntityKind.THREAD):
        generator.thread(world, related)
