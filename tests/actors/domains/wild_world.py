"""A world with everything that Test Vale lacks, so that random play meets every rule there is.

Three chapters of three scenes; locks, traps and keys; npcs who sell, fight, follow and refuse;
chained quests of every objective; items and skills with every status and every target.
"""

from __future__ import annotations

import json
from typing import Any

from actors.domains.domain_types import StatusKind

__all__ = ["WILD_PROFILE", "wild_document"]

WILD_PROFILE = "cwp_fixture_vale_wild"

Entity = dict[str, Any]

_STATUSES = [kind.name.lower() for kind in StatusKind if kind is not StatusKind.STUN_IMMUNE]
_TARGETS = ("enemy", "all_enemies", "self", "ally")
_RARITIES = ("common", "uncommon", "rare", "epic", "legendary")
_CHAPTERS = ("shore", "marsh", "tower")
_OBJECTIVES = (
    ("talk_npc", "elder", 2),
    ("enter_scene", "any", 3),
    ("obtain_item", "core_healing_herb", 2),
    ("open_treasure", "any", 1),
    ("win_spar", "any", 1),
    ("give_gift", "any", 1),
    ("reach_affinity", "friend_0", 55),
    ("resolve_choice", "travel", 2),
)


def wild_document() -> str:
    """The world document of the wild world."""
    return json.dumps(
        {
            "meta": {
                "schemaVersion": 1,
                "profileId": WILD_PROFILE,
                "locale": "en",
                "startLevel": 1,
                "contentRating": "everyone",
            },
            "world": {
                "name": "The Wilds",
                "subtitle": "Everything at once",
                "summary": "A coast, a marsh and a tower, and something to try at every corner.",
                "premise": "Whoever comes ashore here will find out what the rules are made of.",
                "tone": ["wild"],
                "themeMode": "dark",
                "coreConflict": "Everything is against everything.",
                "playerFantasy": "Try it.",
                "tags": ["fixture"],
            },
            "roles": [_role(number) for number in range(3)],
            "npcs": _npcs(),
            "hostiles": _hostiles(),
            "items": _items(),
            "landmarks": _landmarks(),
            "sceneChapterBlueprints": [_chapter(number) for number in range(3)],
            "quests": _quests(),
            "treasures": _treasures(),
        }
    )


def _status(number: int, chance: int = 800) -> Entity:
    kind = _STATUSES[number % len(_STATUSES)]
    return {"kind": kind, "turns": 1 + number % 4, "potency": 300, "chancePermille": chance}


def _skill(number: int) -> Entity:
    target = _TARGETS[number % len(_TARGETS)]
    is_attack = target in {"enemy", "all_enemies"}
    return {
        "skillId": f"skill_{number}",
        "name": f"Skill {number}",
        "target": target,
        "powerPermille": 1200 if is_attack else 0,
        "healPermille": 0 if is_attack else 150,
        "shieldPermille": 0 if is_attack else 100,
        "manaCost": 4,
        "cooldownTurns": 1 + number % 3,
        "status": _status(number),
    }


def _role(number: int) -> Entity:
    return {
        "key": f"role_{number}",
        "name": f"Role {number}",
        "title": "One who tries",
        "description": "Someone who came to try what there is.",
        "background": "Nobody knows.",
        "skills": [_skill(4 * number + each) for each in range(4)],
        "startingItems": [
            {"itemId": "core_coin", "quantity": 150},
            {"itemId": "core_smoke_bomb", "quantity": 2},
            {"itemId": f"flask_{number}", "quantity": 3},
            {"itemId": "wild_blade_common", "quantity": 1},
        ],
    }


def _npc(key: str, scene: str, **changes: object) -> Entity:
    npc = {
        "key": key,
        "name": key.replace("_", " ").title(),
        "role": "Somebody of the wilds",
        "description": "Somebody who has been here for longer than anybody else.",
        "personality": [],
        "homeSceneKey": scene,
        "facts": ["The tide turns.", "The marsh remembers."],
    }
    return {**npc, **changes}


def _npcs() -> list[Entity]:
    return [
        _npc("elder", "shore_0", canBeFought=True, initialAffinity=10, dislikedTags=["weapon"]),
        _npc("trader", "shore_0", tradeTags=["medicine", "wild"], likedTags=["metal"]),
        _npc("grump", "shore_1", initialAffinity=-45, rank="elite", canBeFought=True),
        _npc("sulker", "marsh_0", initialAffinity=-12, tradeTags=["charm"]),
        *[
            _npc(
                f"friend_{number}",
                f"{_CHAPTERS[number % 3]}_{number % 2}",
                recruitable=True,
                initialAffinity=50,
                likedTags=["herb", "wild"],
                rank="minion",
            )
            for number in range(4)
        ],
    ]


def _hostiles() -> list[Entity]:
    return [
        {
            "key": f"beast_{number}",
            "name": f"Beast {number}",
            "description": "It is hungry.",
            "rank": rank,
            "skills": [_skill(20 + number), _skill(27 + number)],
            "lootTable": [] if number % 2 else _loot(number),
            **({"levelHint": 3} if number == 2 else {}),
        }
        for number, rank in enumerate(("minion", "standard", "elite", "boss", "minion"))
    ]


def _loot(number: int) -> list[Entity]:
    return [
        {"itemId": f"flask_{number}", "chancePermille": 700, "min": 1, "max": 3},
        {"itemId": "wild_key", "chancePermille": 300, "min": 1, "max": 1},
        {"itemId": "wild_hide", "chancePermille": 1000, "min": 1, "max": 9},
        {"itemId": f"wild_charm_{_RARITIES[number]}", "chancePermille": 200, "min": 1, "max": 2},
    ]


def _item(item_id: str, category: str, **changes: object) -> Entity:
    item = {
        "itemId": item_id,
        "name": item_id.replace("_", " ").title()[:24],
        "description": "A thing of the wilds.",
        "category": category,
        "rarity": "common",
        "stackLimit": 99,
        "valueCoins": 20,
        "tradeable": True,
        "tags": ["wild"],
    }
    return {**item, **changes}


def _items() -> list[Entity]:
    gear = [
        _item(
            f"wild_{name}_{rarity}",
            category,
            rarity=rarity,
            equipSlot=category,
            valueCoins=30 * (number + 1),
            mods={"attack": 9, "defense": -4, "maxHp": -60 if number == 1 else 40, "speed": 5},
        )
        for name, category in (("blade", "weapon"), ("mail", "armor"), ("charm", "charm"))
        for number, rarity in enumerate(_RARITIES)
    ]
    flasks = [
        _item(
            f"flask_{number}",
            "consumable",
            tags=["wild", "medicine"],
            useEffect={
                "healPermille": 100 * (number % 3),
                "manaPermille": 100 * (number % 2),
                "cure": number % 4 == 0,
                "status": _status(number, 1000),
                "damagePower": 500 if number % 5 == 0 else 0,
            },
        )
        for number in range(len(_STATUSES))
    ]
    return [
        *gear,
        *flasks,
        _item("wild_hide", "material"),
        _item("wild_key", "key", tradeable=False, valueCoins=0),
        _item("wild_relic", "quest", tradeable=False, valueCoins=0),
        _item("wild_token", "currency", valueCoins=5),
    ]


def _landmarks() -> list[Entity]:
    keys = [f"{chapter}_{number}" for chapter in _CHAPTERS for number in range(3)]
    npcs = _npcs()
    return [
        {
            "key": key,
            "name": f"Place {key}",
            "description": "A place like no other, and it knows.",
            "mood": "wind",
            "connections": [other for other in keys if other[:-1] == key[:-1] and other != key]
            + ([keys[at + 1]] if at % 3 == 2 and at < len(keys) - 1 else []),
            "npcKeys": [npc["key"] for npc in npcs if npc["homeSceneKey"] == key],
        }
        for at, key in enumerate(keys)
    ]


def _encounter(key: str, scene: str, kind: str, *beasts: int) -> Entity:
    ranks = ("minion", "standard", "elite", "boss", "minion")
    groups = [
        {"hostileKey": f"beast_{beast}", "rank": ranks[beast], "count": 1} for beast in beasts
    ]
    return {"encounterKey": key, "sceneKey": scene, "kind": kind, "groups": groups}


def _chapter(number: int) -> Entity:
    name = _CHAPTERS[number]
    return {
        "chapterKey": name,
        "title": f"The {name.title()}",
        "synopsis": "There is always more of it.",
        "sceneKeys": [f"{name}_{each}" for each in range(3)],
        "openingSceneKey": f"{name}_0",
        "mainQuestKey": f"main_{number}",
        "sideQuestKeys": [f"side_{number}_{each}" for each in range(6)],
        "encounters": [
            _encounter(f"{name}_guard", f"{name}_2", "fixed", *((3,) if number == 2 else (0, 1))),
            _encounter(f"{name}_trio", f"{name}_1", "repeatable", 0, 4, 0),
            _encounter(f"{name}_elite", f"{name}_0", "repeatable", 2),
        ],
        "treasureKeys": [f"{name}_{lock}" for lock in ("none", "key_item", "danger")],
    }


def _quest(key: str, kind: str, objectives: list[tuple[str, str, int]], **more: object) -> Entity:
    return {
        "key": key,
        "title": f"Quest {key}",
        "description": "Somebody wants something done, and it might as well be done by you.",
        "kind": kind,
        "objectives": [
            {
                "objectiveId": f"step_{at}",
                "kind": objective,
                "targetKey": target,
                "required": required,
                "optional": at == 2,
            }
            for at, (objective, target, required) in enumerate(objectives)
        ],
        **more,
    }


def _quests() -> list[Entity]:
    quests = []
    for number in range(3):
        giver = {"giverNpcKey": "trader"} if number == 0 else {}
        quests.append(_quest(f"main_{number}", "main", [("defeat_hostile", "any", 2)], **giver))
        for each in range(6):
            at = (6 * number + each) % len(_OBJECTIVES)
            steps = [_OBJECTIVES[at]]
            if each == 5:
                steps += [("talk_npc", "any", 1), ("defeat_hostile", "beast_3", 1)]
            more: Entity = {"affinity": [{"npcKey": "elder", "delta": 8, "reason": "done"}]}
            if each % 2 == 0:
                # Every second quest is followed by the next one.
                more |= {"nextQuestKey": f"side_{number}_{each + 1}", "giverNpcKey": "elder"}
            if each == 3:
                more["deliverItems"] = [{"itemId": "wild_hide", "quantity": 4}]
            if each == 4:
                more.pop("giverNpcKey")
                more["rewardItems"] = [
                    {"itemId": "wild_key", "quantity": 1},
                    {"itemId": "wild_relic", "quantity": 2},
                ]
            quests.append(_quest(f"side_{number}_{each}", "side", steps, **more))
    return quests


def _treasures() -> list[Entity]:
    return [
        {
            "key": f"{name}_{lock}",
            "title": f"Chest {name} {lock}",
            "sceneKey": f"{name}_{scene}",
            "lock": lock,
            "trapPermille": 300,
            **({"keyItemId": "wild_key"} if lock == "key_item" else {}),
            "lootTable": _loot(number) if number % 2 == 0 else [],
        }
        for number, name in enumerate(_CHAPTERS)
        for scene, lock in enumerate(("none", "key_item", "danger"))
    ]
