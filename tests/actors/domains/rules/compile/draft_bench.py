"""A small draft that nothing is to be said against, and ways to spoil it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from actors.domains.data.unsafe import UNSAFE
from actors.domains.domain_types import CardStatus, EntityKind
from actors.domains.rules.compile import CompiledWorld, DraftCard, DraftMeta, compile_cards

__all__ = ["ASSETS", "META", "Book", "codes", "compiled"]

META = DraftMeta("cwp_draft", "en", 1, "everyone", "cws_draft")

ASSETS = {
    "world:world:cover": "/objects/a/cover.svg",
    "role:diver:portrait": "/objects/a/diver.svg",
    "npc:elder:portrait": "/objects/a/elder.svg",
    "npc:smith:portrait": "/objects/a/smith.svg",
    "npc:guide:portrait": "/objects/a/guide.svg",
    "landmark:shore:scene": "/objects/a/shore.svg",
    "landmark:reef:scene": "/objects/a/reef.svg",
}

_LONG = "Somebody or something that is described at some length."


def _npc(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "name": key.title(),
        "role": "islander",
        "description": _LONG,
        "personality": [],
        "homeSceneKey": "shore",
    }


def _quest(key: str, kind: str, objective: str, target: str) -> dict[str, Any]:
    step = {"objectiveId": "step", "kind": objective, "targetKey": target, "required": 1}
    return {
        "key": key,
        "title": key.title(),
        "description": _LONG,
        "kind": kind,
        "objectives": [step],
    }


class Book:
    """The draft's payloads by kind, in document order; tests change them as they like."""

    def __init__(self) -> None:
        self.entries: dict[EntityKind, list[dict[str, Any]]] = {
            EntityKind.WORLD: [
                {
                    "name": "Reef",
                    "subtitle": "A small sea",
                    "summary": "Somebody dives.",
                    "premise": "Below the reef lies a town, and its bells ring when it storms.",
                    "tone": ["calm"],
                    "themeMode": "dark",
                    "coreConflict": "The sea wants its bells back.",
                    "playerFantasy": "Dive.",
                    "tags": ["sea"],
                }
            ],
            EntityKind.FACTION: [
                {"key": "divers", "name": "Divers", "goal": "Dive.", "stance": {}}
            ],
            EntityKind.ROLE: [
                {
                    "key": "diver",
                    "name": "Diver",
                    "title": "Diver",
                    "description": _LONG,
                    "background": "",
                    "skills": [],
                    "startingItems": [{"itemId": "core_coin", "quantity": 5}],
                }
            ],
            EntityKind.NPC: [_npc("elder"), _npc("smith"), _npc("guide")],
            EntityKind.HOSTILE: [
                {"key": "crab", "name": "Crab", "description": "", "rank": "minion"}
            ],
            EntityKind.ITEM: [
                {
                    "itemId": "bell",
                    "name": "Bell",
                    "description": "It rings.",
                    "category": "key",
                    "rarity": "common",
                }
            ],
            EntityKind.LANDMARK: [
                {
                    "key": key,
                    "name": key.title(),
                    "description": _LONG,
                    "mood": "wet",
                    "connections": connections,
                    "npcKeys": [],
                }
                for key, connections in (("shore", ["reef"]), ("reef", []))
            ],
            EntityKind.CHAPTER: [
                {
                    "chapterKey": "first",
                    "title": "First",
                    "synopsis": "One dives.",
                    "sceneKeys": ["shore", "reef"],
                    "openingSceneKey": "shore",
                    "mainQuestKey": "main",
                    "sideQuestKeys": ["side"],
                    "encounters": [_encounter("nest", "repeatable", ("crab", "minion", 2))],
                    "treasureKeys": ["chest"],
                }
            ],
            EntityKind.QUEST: [
                _quest("main", "main", "talk_npc", "elder"),
                _quest("side", "side", "enter_scene", "reef"),
            ],
            EntityKind.TREASURE: [
                {"key": "chest", "title": "Chest", "sceneKey": "reef", "lock": "none"}
            ],
            EntityKind.THREAD: [
                {
                    "key": "bells",
                    "title": "Bells",
                    "premise": "They ring.",
                    "relatedKeys": ["elder"],
                    "payoff": "They stop.",
                }
            ],
        }

    def of(self, kind: EntityKind, index: int = 0) -> dict[str, Any]:
        return self.entries[kind][index]

    def add(self, kind: EntityKind, index: int = 0, **changes: object) -> dict[str, Any]:
        """Another entry like one that is there."""
        entry = {**json.loads(json.dumps(self.of(kind, index))), **changes}
        self.entries[kind].append(entry)
        return entry

    def cards(self) -> list[DraftCard]:
        return [
            DraftCard(
                card_id=f"cws_draft.card_{kind}_{index}",
                kind=kind,
                key=_key(kind, entry),
                payload=entry,
                status=CardStatus.ACCEPTED,
                order_index=index,
            )
            for kind, entries in self.entries.items()
            for index, entry in enumerate(entries)
        ]


def _encounter(key: str, kind: str, *groups: tuple[str, str, int]) -> dict[str, Any]:
    return {
        "encounterKey": key,
        "sceneKey": "reef",
        "kind": kind,
        "groups": [
            {"hostileKey": hostile, "rank": rank, "count": count} for hostile, rank, count in groups
        ],
    }


encounter = _encounter
quest = _quest


def _key(kind: EntityKind, entry: dict[str, Any]) -> str:
    names = {EntityKind.ITEM: "itemId", EntityKind.CHAPTER: "chapterKey"}
    return str(entry.get(names.get(kind, "key"), "world"))


def compiled(
    cards: Iterable[DraftCard], meta: DraftMeta = META, assets: dict[str, str] | None = None
) -> CompiledWorld:
    return compile_cards(cards, meta, ASSETS if assets is None else assets, UNSAFE)


def codes(world: CompiledWorld) -> set[str]:
    return {finding.code for finding in world.findings}
