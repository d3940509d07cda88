"""Domain 6.5: each finding is found where it should be, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from draft_bench import ASSETS, META, Book, codes, compiled, encounter, quest

from actors.domains.domain_types import EntityKind, Finding, Severity
from actors.domains.rules.compile import FINDING_CODES, quality_score
from actors.domains.rules.compile.findings import FindingSet
from actors.domains.rules.compile.reach import CHOICE_TARGETS
from actors.domains.rules.limits import FINDING_CHARS_MAX

WORLD, ROLE, NPC, HOSTILE = EntityKind.WORLD, EntityKind.ROLE, EntityKind.NPC, EntityKind.HOSTILE
ITEM, SCENE, CHAPTER = EntityKind.ITEM, EntityKind.LANDMARK, EntityKind.CHAPTER
QUEST, TREASURE, FACTION = EntityKind.QUEST, EntityKind.TREASURE, EntityKind.FACTION

Spoil = Callable[[Book], object]


def sets(kind: EntityKind, index: int = 0, /, **fields: object) -> Spoil:
    return lambda book: book.of(kind, index).update(fields)


def clears(*kinds: EntityKind) -> Spoil:
    return lambda book: [book.entries[kind].clear() for kind in kinds]


def every(*spoils: Spoil) -> Spoil:
    return lambda book: [spoil(book) for spoil in spoils]


def fixed(count: int, many: int = 1) -> dict[str, Any]:
    groups = [("crab", "minion", count)]
    return {"encounters": [encounter(f"nest_{at}", "fixed", *groups) for at in range(many)]}


NO_FIGHT = {"encounters": []}

SPOILED: list[tuple[str, Spoil, str, str | None, str | None]] = [
    ("BLK_WORLD_NAME", sets(WORLD, name=" x "), "world", "world", "name"),
    ("BLK_PREMISE", sets(WORLD, premise="short"), "world", "world", "premise"),
    ("BLK_NO_ROLE", clears(ROLE), "role", None, None),
    (
        "BLK_OPENING_SCENE",
        sets(CHAPTER, openingSceneKey="moon"),
        "chapter",
        "first",
        "openingSceneKey",
    ),
    ("BLK_MAIN_QUEST", sets(CHAPTER, mainQuestKey="moon"), "chapter", "first", "mainQuestKey"),
    ("BLK_MAIN_QUEST", sets(QUEST, kind="side"), "chapter", "first", "mainQuestKey"),
    (
        "BLK_QUEST_UNREACHABLE",
        lambda book: book.entries.update(
            {QUEST: [quest("main", "main", "talk_npc", "moon"), book.of(QUEST, 1)]}
        ),
        "quest",
        "main",
        "objectives",
    ),
    (
        "BLK_SCENE_UNREACHABLE",
        every(
            sets(SCENE, connections=[]),
            sets(
                QUEST,
                1,
                objectives=[
                    {
                        "objectiveId": "x",
                        "kind": "resolve_choice",
                        "targetKey": "rest",
                        "required": 1,
                    }
                ],
            ),
        ),
        "chapter",
        "first",
        "sceneKeys",
    ),
    ("BLK_REFERENCE", sets(NPC, homeSceneKey="moon", key="other"), "npc", "other", "homeSceneKey"),
    (
        "BLK_REFERENCE",
        lambda book: book.of(CHAPTER)["encounters"].append(
            encounter("x", "fixed", ("moon", "boss", 1))
        ),
        "chapter",
        "first",
        "encounters",
    ),
    ("BLK_REFERENCE", sets(TREASURE, lock="key_item"), "treasure", "chest", "keyItemId"),
    ("BLK_REFERENCE", sets(TREASURE, sceneKey="moon"), "treasure", "chest", "sceneKey"),
    (
        "BLK_KEY_ITEM",
        sets(TREASURE, lock="key_item", keyItemId="bell"),
        "treasure",
        "chest",
        "keyItemId",
    ),
    (
        "BLK_UNSAFE_TEXT",
        sets(HOSTILE, description="It says XX-blocked-XX."),
        "hostile",
        "crab",
        "description",
    ),
    ("BLK_SCHEMA", sets(FACTION, stance={"divers": 101}), "faction", "divers", "stance"),
    ("WRN_FEW_SCENES", sets(CHAPTER, sceneKeys=["shore"], encounters=[]), "landmark", None, None),
    ("WRN_SHORT_TEXT", sets(ROLE, description="Short."), "role", "diver", "description"),
    ("WRN_SHORT_TEXT", sets(SCENE, 1, description="Short."), "landmark", "reef", "description"),
    ("WRN_DUPLICATE_NAME", sets(NPC, 1, name="ELDER"), "npc", "smith", "name"),
    ("WRN_ENCOUNTER_OVER_BUDGET", sets(CHAPTER, **fixed(3, 7)), "chapter", "first", "encounters"),
    ("WRN_NO_SIDE_QUEST", sets(CHAPTER, sideQuestKeys=[]), "chapter", "first", "sideQuestKeys"),
    ("INF_TEXT_CUT", sets(WORLD, subtitle="x" * 121), "world", "world", "subtitle"),
    ("INF_TEXT_CUT", sets(ITEM, name="x" * 25), "item", "bell", "name"),
    ("INF_REF_DROPPED", sets(NPC, factionKey="moon"), "npc", "elder", "factionKey"),
    ("INF_REF_DROPPED", sets(FACTION, stance={"moon": 5}), "faction", "divers", "stance"),
    ("INF_REF_DROPPED", sets(SCENE, 1, connections=["moon"]), "landmark", "reef", "connections"),
    ("INF_REF_DROPPED", sets(CHAPTER, exitSceneKey="moon"), "chapter", "first", "exitSceneKey"),
    ("INF_REF_DROPPED", sets(TREASURE, keyItemId="moon"), "treasure", "chest", "keyItemId"),
    ("INF_STAT_NORMALISED", sets(QUEST, 1, weight=5000), "quest", "side", "weight"),
    ("INF_STAT_NORMALISED", sets(QUEST, 1, weight=301), "quest", "side", "weight"),
    (
        "INF_STAT_NORMALISED",
        sets(QUEST, affinity=[{"npcKey": "elder", "delta": 11, "reason": ""}]),
        "quest",
        "main",
        "affinity",
    ),
    (
        "INF_STAT_NORMALISED",
        sets(
            ROLE,
            skills=[{"skillId": "hit", "name": "Hit", "target": "enemy", "powerPermille": 9999}],
        ),
        "role",
        "diver",
        "skills",
    ),
    ("INF_STAT_NORMALISED", sets(ITEM, stackLimit=99), "item", "bell", "stackLimit"),
    (
        "INF_STAT_NORMALISED",
        sets(CHAPTER, encounters=[encounter("nest", "repeatable", ("crab", "boss", 2))]),
        "chapter",
        "first",
        "encounters",
    ),
]


def place(finding: Finding) -> tuple[str, str, str | None, str | None]:
    kind = finding.entity_kind.name.lower()
    return finding.code, kind, finding.entity_key, finding.field


def test_there_is_nothing_to_say_against_the_book() -> None:
    world = compiled(Book().cards())
    assert world.findings == ()
    assert world.world is not None
    assert quality_score(world.findings) == 1000


@pytest.mark.parametrize(("code", "spoil", "kind", "key", "field"), SPOILED)
def test_one_fault_is_one_finding(
    code: str, spoil: Spoil, kind: str, key: str | None, field: str | None
) -> None:
    book = Book()
    spoil(book)
    assets = ASSETS | {"npc:other:portrait": "/objects/a/other.svg"}
    found = {place(finding) for finding in compiled(book.cards(), assets=assets).findings}
    # Somebody who lives nowhere is in no chapter either, and talks to nobody.
    followed = {
        ("WRN_ORPHAN_NPC", "npc", "other", "homeSceneKey"),
        ("INF_REF_DROPPED", "thread", "bells", "relatedKeys"),
        ("BLK_QUEST_UNREACHABLE", "quest", "main", "objectives"),
    }
    assert found - (followed if key == "other" else set()) == {(code, kind, key, field)}


def test_a_world_without_scenes() -> None:
    book = Book()
    clears(SCENE, TREASURE, NPC, QUEST, CHAPTER, EntityKind.THREAD)(book)
    assert codes(compiled(book.cards())) == {"BLK_NO_SCENE", "BLK_NO_CHAPTER", "WRN_FEW_NPCS"}


def test_a_world_without_hostiles() -> None:
    book = Book()
    every(clears(HOSTILE), sets(CHAPTER, **NO_FIGHT))(book)
    assert codes(compiled(book.cards())) == {"BLK_NO_HOSTILE", "BLK_CHAPTER_NO_ENCOUNTER"}


def test_a_world_without_chapters() -> None:
    book = Book()
    clears(CHAPTER)(book)
    assert codes(compiled(book.cards())) == {"BLK_NO_CHAPTER", "WRN_ORPHAN_NPC"}


def test_few_npcs() -> None:
    book = Book()
    book.entries[NPC].pop()
    assert codes(compiled(book.cards())) == {"WRN_FEW_NPCS"}


def test_an_npc_whom_no_chapter_visits() -> None:
    book = Book()
    book.add(SCENE, key="deep", name="Deep", connections=["reef"])
    book.of(NPC, 1)["homeSceneKey"] = "deep"
    world = compiled(book.cards(), assets=ASSETS | {"landmark:deep:scene": "/objects/a/deep.svg"})
    assert [place(finding) for finding in world.findings] == [
        ("WRN_ORPHAN_NPC", "npc", "smith", "homeSceneKey")
    ]


def test_too_few_fights_and_none_to_repeat() -> None:
    book = Book()
    sets(CHAPTER, openingSceneKey="moon", **fixed(1))(book)
    assert codes(compiled(book.cards())) == {"BLK_OPENING_SCENE", "WRN_ENCOUNTER_UNDER_BUDGET"}


def test_images_that_are_missing_are_listed_up_to_five() -> None:
    book = Book()
    for number in range(7):
        book.add(SCENE, key=f"cove_{number}", name=f"Cove {number}", connections=["shore"])
        book.add(NPC, key=f"diver_{number}", name=f"Diver {number}")
    found = [finding.code for finding in compiled(book.cards(), assets={}).findings]
    assert found == ["WRN_NO_COVER", *["WRN_ROLE_PORTRAIT"] * 5, *["WRN_SCENE_IMAGE"] * 5]


def test_the_later_of_two_main_quests_is_none() -> None:
    book = Book()
    book.add(CHAPTER, chapterKey="second")
    world = compiled(book.cards())
    assert [place(finding) for finding in world.findings] == [
        ("BLK_MAIN_QUEST", "chapter", "second", "mainQuestKey")
    ]


@pytest.mark.parametrize(
    ("objective", "target"),
    [
        ("defeat_hostile", "crab"),
        ("defeat_hostile", "guide"),
        ("defeat_hostile", "any"),
        ("talk_npc", "any"),
        ("win_spar", "smith"),
        ("give_gift", "smith"),
        ("reach_affinity", "smith"),
        ("enter_scene", "reef"),
        ("obtain_item", "core_coin"),
        ("obtain_item", "bell"),
        ("open_treasure", "chest"),
        ("open_treasure", "any"),
        ("resolve_choice", "rest"),
    ],
)
def test_objectives_that_can_be_reached(objective: str, target: str) -> None:
    book = Book()
    book.of(NPC, 2)["canBeFought"] = True
    book.entries[QUEST][1] = quest("side", "side", objective, target)
    assert codes(compiled(book.cards())) == set()


@pytest.mark.parametrize(
    ("objective", "target"),
    [
        ("defeat_hostile", "smith"),  # Nobody may fight the smith.
        ("defeat_hostile", "eel"),  # No encounter of the chapter holds it.
        ("enter_scene", "deep"),  # No way leads there.
        ("talk_npc", "crab"),
        ("obtain_item", "moon"),
        ("open_treasure", "coffer"),  # Of no chapter.
        ("resolve_choice", "dance"),
    ],
)
def test_objectives_that_cannot(objective: str, target: str) -> None:
    book = Book()
    book.add(HOSTILE, key="eel", name="Eel")
    book.add(TREASURE, key="coffer")
    book.add(SCENE, key="deep", name="Deep", connections=[])
    book.entries[QUEST][1] = quest("side", "side", objective, target)
    world = compiled(book.cards(), assets=ASSETS | {"landmark:deep:scene": "/objects/a/deep.svg"})
    assert codes(world) == {"BLK_QUEST_UNREACHABLE"}


def test_a_quest_that_follows_another_comes_up_where_that_one_does() -> None:
    book = Book()
    book.of(QUEST, 1)["nextQuestKey"] = "next"
    book.entries[QUEST].append(quest("next", "side", "talk_npc", "moon"))
    world = compiled(book.cards())
    assert [finding.entity_key for finding in world.findings] == ["next"]
    book.of(QUEST, 1).pop("nextQuestKey")
    assert codes(compiled(book.cards())) == set()


@pytest.mark.parametrize(
    "gives",
    [
        sets(ROLE, startingItems=[{"itemId": "bell", "quantity": 1}]),
        sets(QUEST, rewardItems=[{"itemId": "bell", "quantity": 1}]),
        sets(HOSTILE, lootTable=[{"itemId": "bell", "chancePermille": 1, "min": 1, "max": 1}]),
        every(sets(ITEM, tradeable=True, tags=["brass"]), sets(NPC, tradeTags=["brass"])),
    ],
)
def test_keys_that_can_be_had(gives: Spoil) -> None:
    book = Book()
    every(sets(TREASURE, lock="key_item", keyItemId="bell"), gives)(book)
    assert codes(compiled(book.cards())) == set()


def test_a_key_that_is_not_there_is_told_once() -> None:
    book = Book()
    sets(TREASURE, lock="key_item", keyItemId="moon")(book)
    assert [place(finding) for finding in compiled(book.cards()).findings] == [
        ("BLK_REFERENCE", "treasure", "chest", "keyItemId")
    ]


def test_a_way_through_scenes_of_another_chapter_is_none() -> None:
    book = Book()
    book.add(SCENE, key="deep", name="Deep", connections=["shore", "reef"])
    book.of(SCENE)["connections"] = []
    world = compiled(book.cards(), assets=ASSETS | {"landmark:deep:scene": "/objects/a/deep.svg"})
    assert [place(finding) for finding in world.findings] == [
        ("BLK_SCENE_UNREACHABLE", "chapter", "first", "sceneKeys")
    ]


def test_a_key_behind_its_own_lock_cannot() -> None:
    book = Book()
    loot = [{"itemId": "bell", "chancePermille": 1000, "min": 1, "max": 1}]
    sets(TREASURE, lock="key_item", keyItemId="bell", lootTable=loot)(book)
    book.add(TREASURE, key="coffer", sceneKey="shore")
    world = compiled(book.cards())
    assert [finding.entity_key for finding in world.findings] == ["chest", "coffer"]
    book.of(TREASURE, 1).update(lock="none")
    assert codes(compiled(book.cards())) == set()


def test_unsafe_texts_are_told_field_by_field() -> None:
    book = Book()
    sets(WORLD, tone=["xx-blocked-xx"], summary="No xx-blocked-xx here.")(book)
    sets(QUEST, title="Kill", description="yourself a crab, for the elder is hungry.")(book)
    assert [place(finding)[2:] for finding in compiled(book.cards()).findings] == [
        ("world", "summary"),
        ("world", "tone"),
    ]


def test_the_start_level_is_brought_within_bounds() -> None:
    world = compiled(Book().cards(), META._replace(start_level=31))
    assert [place(finding) for finding in world.findings] == [
        ("INF_STAT_NORMALISED", "world", "world", "startLevel")
    ]
    assert world.sections.meta.start_level == 30


def test_too_many_cards_of_a_kind() -> None:
    book = Book()
    for number in range(6):
        book.add(ROLE, key=f"diver_{number}", name=f"Diver {number}", portrait="/objects/a/b.svg")
    book.add(WORLD)
    world = compiled(book.cards())
    assert [place(finding)[:3] for finding in world.findings] == [
        ("BLK_SCHEMA", "world", "world"),
        ("BLK_SCHEMA", "role", "diver_5"),
    ]
    assert len(world.sections.roles) == 6


def test_every_code_is_tried() -> None:
    elsewhere = {
        "BLK_NO_SCENE",
        "BLK_NO_CHAPTER",
        "BLK_NO_HOSTILE",
        "BLK_CHAPTER_NO_ENCOUNTER",
        "WRN_FEW_NPCS",
        "WRN_NO_COVER",
        "WRN_ROLE_PORTRAIT",
        "WRN_SCENE_IMAGE",
        "WRN_ENCOUNTER_UNDER_BUDGET",
        "WRN_ORPHAN_NPC",
    }
    assert {code for code, *_ in SPOILED} | elsewhere == set(FINDING_CODES)


def test_a_code_comes_once_for_a_field_and_its_message_is_bounded() -> None:
    findings = FindingSet()
    findings.add("WRN_NO_COVER", WORLD, "world", "cover", "x" * 300)
    findings.add("WRN_NO_COVER", WORLD, "world", "cover", "again")
    findings.add("BLK_PREMISE", WORLD, "world", "premise", "blockers first")
    first, second = findings.listed()
    assert first.severity is Severity.BLOCKER
    assert len(second.message) == FINDING_CHARS_MAX


@pytest.mark.parametrize(
    ("blockers", "warnings", "infos", "score"),
    [(0, 0, 0, 1000), (0, 10, 0, 600), (0, 9, 0, 640), (1, 2, 3, 655), (4, 1, 0, 0)],
)
def test_the_quality_score(blockers: int, warnings: int, infos: int, score: int) -> None:
    counts = (blockers, warnings, infos)
    found = [
        Finding("", severity, WORLD, None, None, "")
        for severity, count in zip(Severity, counts, strict=True)
        for _ in range(count)
    ]
    assert quality_score(found) == score


def test_choices_of_objectives_are_those_of_stories() -> None:
    from actors.domains.gameplay.story import StoryFunction

    assert {function.name.lower() for function in StoryFunction} == CHOICE_TARGETS
