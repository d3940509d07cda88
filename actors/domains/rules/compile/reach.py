"""Reach: which scenes, foes and things a story can come to (domain 6.3 step 4, 6.5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from actors.domains.domain_types import ObjectiveKind
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.world_sections import (
    ChapterBlueprint,
    Landmark,
    Objective,
    Sections,
    Treasure,
)

__all__ = [
    "ANY_TARGET",
    "CHOICE_TARGETS",
    "Reach",
    "obtainable_items",
    "quest_chapters",
    "reach_of_chapter",
    "reachable_scenes",
]

ANY_TARGET: Final = "any"
"""The objective's target that everything matches."""

CHOICE_TARGETS: Final = frozenset(
    {
        "narrative",
        "free_text",
        "travel",
        "talk",
        "help",
        "gift",
        "trade",
        "recruit",
        "dismiss",
        "spar",
        "fight",
        "inspect",
        "rest",
        "accept_quest",
        "turn_in_quest",
        "advance_chapter",
        "finish",
    }
)
"""Functions of choices, which objectives can ask for."""

_NPC_OBJECTIVES: Final = frozenset(
    {
        ObjectiveKind.TALK_NPC,
        ObjectiveKind.WIN_SPAR,
        ObjectiveKind.GIVE_GIFT,
        ObjectiveKind.REACH_AFFINITY,
    }
)


class Reach(NamedTuple):
    """What can be come to while a chapter lasts."""

    scenes: Collection[str]
    npcs: Collection[str]
    foes: Collection[str]
    treasures: Collection[str]

    def meets(self, objective: Objective, items: Collection[str]) -> bool:
        """Whether the objective can make progress, given the items that the world knows."""
        targets: Collection[str]
        if objective.kind in _NPC_OBJECTIVES:
            targets = self.npcs
        elif objective.kind is ObjectiveKind.DEFEAT_HOSTILE:
            targets = self.foes
        elif objective.kind is ObjectiveKind.ENTER_SCENE:
            targets = self.scenes
        elif objective.kind is ObjectiveKind.OPEN_TREASURE:
            targets = self.treasures
        elif objective.kind is ObjectiveKind.OBTAIN_ITEM:
            targets = items
        else:
            targets = CHOICE_TARGETS
        return (
            bool(targets)
            if objective.target_key == ANY_TARGET
            else (objective.target_key in targets)
        )


def reachable_scenes(
    landmarks: Mapping[str, Landmark], start: str, within: Collection[str]
) -> set[str]:
    """Scenes that connections lead to from a start, passing through some scenes only.

    Args:
        landmarks: the scenes; their connections go both ways.
        start: one of ``within`` and of the scenes.
        within: keys of the scenes that may be entered.
    """
    reached = {start}
    ahead = [start]
    while ahead:
        for key in landmarks[ahead.pop()].connections:
            if key not in reached and key in within and key in landmarks:
                reached.add(key)
                ahead.append(key)
    return reached


def reach_of_chapter(
    chapter: ChapterBlueprint, sections: Sections, landmarks: Mapping[str, Landmark]
) -> Reach | None:
    """What a chapter's quests can count on; None when it has no opening scene to begin in.

    The party may walk beyond the chapter's scenes; fights and treasures are the chapter's own.

    Args:
        chapter: one of the draft's.
        sections: the draft.
        landmarks: its scenes; their connections go both ways.
    """
    if chapter.opening_scene_key not in landmarks:
        return None
    scenes = reachable_scenes(landmarks, chapter.opening_scene_key, landmarks)
    met = [npc for npc in sections.npcs if npc.home_scene_key in scenes]
    fought = {
        group.hostile_key
        for encounter in chapter.encounters
        if encounter.scene_key in scenes
        for group in encounter.groups
    }
    return Reach(
        scenes=scenes,
        npcs={npc.key for npc in met},
        foes={hostile.key for hostile in sections.hostiles if hostile.key in fought}
        | {npc.key for npc in met if npc.can_be_fought},
        treasures={
            treasure.key
            for treasure in sections.treasures
            if treasure.key in chapter.treasure_keys and treasure.scene_key in scenes
        },
    )


def quest_chapters(sections: Sections) -> dict[str, list[int]]:
    """In which chapters, counted from 0, each quest can come up: listed there or following one."""
    following = {quest.key: quest.next_quest_key for quest in sections.quests}
    found: dict[str, list[int]] = {quest.key: [] for quest in sections.quests}
    for index, chapter in enumerate(sections.scene_chapter_blueprints):
        for listed in (chapter.main_quest_key, *chapter.side_quest_keys):
            key: str | None = listed
            while key in found and index not in found[key]:
                found[key].append(index)
                key = following[key]
    return found


def obtainable_items(sections: Sections, without: Treasure) -> set[str]:
    """Items that a party can come by before it opens a treasure.

    Roles start with them, hostiles that are met and other treasures drop them, quests reward them,
    npcs trade in them; core items come anyway.
    """
    met = {
        key for chapter in sections.scene_chapter_blueprints for key in chapter.encounter_hostiles
    }
    come_up = quest_chapters(sections)
    tables = [hostile.loot_table for hostile in sections.hostiles if hostile.key in met]
    tables += [
        treasure.loot_table
        for treasure in sections.treasures
        if treasure.key != without.key and without.key_item_id not in treasure.lock_keys
    ]
    grants = [role.starting_items for role in sections.roles]
    grants += [quest.reward_items for quest in sections.quests if come_up[quest.key]]
    found = {entry.item_id for table in tables for entry in table}
    found |= {grant.item_id for granted in grants for grant in granted}
    dealt_in = {tag for npc in sections.npcs for tag in npc.trade_tags}
    found |= {
        item.item_id for item in sections.items if item.tradeable and dealt_in & set(item.tags)
    }
    return found | CORE_ITEMS.keys()
