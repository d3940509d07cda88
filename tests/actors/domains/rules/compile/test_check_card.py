"""Domain 7.5, 7.8: a card's payload is an entry of its section, or its fault is told exactly."""

from __future__ import annotations

from typing import Any

import pytest
from draft_bench import Book

from actors.domains.domain_types import EntityKind
from actors.domains.rules.compile import KEY_FIELD, check_card
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import FINDING_CHARS_MAX


def entry(kind: EntityKind, **changes: object) -> dict[str, Any]:
    return {**Book().of(kind), **changes}


@pytest.mark.parametrize("kind", EntityKind)
def test_entries_of_every_section_pass_as_they_are(kind: EntityKind) -> None:
    payload = entry(kind)
    assert check_card(kind, payload) is payload


@pytest.mark.parametrize("kind", KEY_FIELD)
def test_the_key_may_be_left_to_the_card(kind: EntityKind) -> None:
    payload = entry(kind)
    del payload[KEY_FIELD[kind]]
    assert check_card(kind, payload) == payload


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (EntityKind.NPC, {"name": "x" * 500, "key": "ELDER"}),
        (EntityKind.QUEST, {"weight": 5000}),
        (EntityKind.QUEST, {"affinity": [{"npcKey": "elder", "delta": -99, "reason": ""}]}),
        (
            EntityKind.ROLE,
            {"skills": [{"skillId": "Hit", "name": "Hit", "target": "self", "healPermille": 999}]},
        ),
        (EntityKind.ITEM, {"category": "weapon", "mods": {"attack": 999}}),
        (EntityKind.NPC, {"homeSceneKey": "moon"}),
    ],
)
def test_what_the_compile_adjusts_or_finds_passes(
    kind: EntityKind, changes: dict[str, object]
) -> None:
    payload = entry(kind, **changes)
    assert check_card(kind, payload) == payload


@pytest.mark.parametrize(
    ("kind", "changes", "path", "rule"),
    [
        (EntityKind.NPC, {"rank": "god"}, "npc.rank", "'god' is no HostileRank"),
        (EntityKind.NPC, {"initialAffinity": 51}, "npc.initialAffinity", "less than"),
        (EntityKind.NPC, {"key": "the elder"}, "npc.key", "match pattern"),
        (EntityKind.NPC, {"personality": ["x"] * 7}, "npc.personality", "at most 6"),
        (EntityKind.NPC, {"likes": 1}, "npc.likes", "Unexpected"),
        (EntityKind.NPC, {"name": 1}, "npc.name", "string"),
        (EntityKind.WORLD, {"tone": "calm"}, "world.tone", "array"),
        (EntityKind.WORLD, {"themeMode": "pink"}, "world.themeMode", "no ThemeMode"),
        (EntityKind.ROLE, {"skills": [{}]}, "role.skills.0", "skillId must be a str"),
        (EntityKind.ITEM, {"rarity": "divine"}, "item", "'divine' is no Rarity"),
        (EntityKind.ITEM, {"tags": ["x"] * 7}, "item", "at most 6 tags"),
        (EntityKind.ITEM, {"tags": ["not a slug"]}, "item", "lower-case"),
        (EntityKind.QUEST, {"objectives": []}, "quest.objectives", "at least 1"),
        (
            EntityKind.QUEST,
            {"rewardItems": [{"itemId": "core_coin", "quantity": 10_000}]},
            "quest.rewardItems.0",
            "1 to 9999",
        ),
        (
            EntityKind.HOSTILE,
            {"lootTable": [{"itemId": "bell", "min": 2, "max": 1}]},
            "hostile.lootTable.0",
            "min <= max",
        ),
        (EntityKind.CHAPTER, {"sceneKeys": []}, "chapter.sceneKeys", "at least 1"),
        (
            EntityKind.CHAPTER,
            {
                "encounters": [
                    {
                        "encounterKey": "x",
                        "sceneKey": "shore",
                        "kind": "fixed",
                        "groups": [{"hostileKey": "crab", "rank": "minion", "count": 4}],
                    }
                ]
            },
            "chapter.encounters.0.groups.0",
            "1 to 3",
        ),
        (EntityKind.TREASURE, {"trapPermille": 301}, "treasure.trapPermille", "less than"),
        (EntityKind.TREASURE, {"lock": None}, "treasure.lock", "None is no TreasureLock"),
        (EntityKind.NPC, {"rank": "x" * 5000}, "npc.rank", "'xxx"),
        (EntityKind.NPC, {"name": "\ud800"}, "npc", "hex escape"),
    ],
)
def test_faults_are_told_with_path_and_rule(
    kind: EntityKind, changes: dict[str, object], path: str, rule: str
) -> None:
    with pytest.raises(RuleError) as refused:
        check_card(kind, entry(kind, **changes))
    assert refused.value.code == "agent.payload_malformed"
    assert refused.value.details["path"] == path
    assert rule in str(refused.value.details["rule"])
    assert len(str(refused.value)) <= FINDING_CHARS_MAX + len("agent.payload_malformed: ")


@pytest.mark.parametrize("payload", [None, 1, "{}", []])
def test_a_payload_is_an_object(payload: object) -> None:
    with pytest.raises(RuleError) as refused:
        check_card(EntityKind.NPC, payload)
    assert refused.value.details == {"path": "npc", "rule": "the payload must be an object"}
