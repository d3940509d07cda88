import json

import pytest

from actors.domains.domain_types import HostileGroup, HostileRank, ItemGrant, LootEntry, QuestKind
from actors.domains.fixtures import vale_document
from actors.domains.rules.combat import STARTER_SKILLS
from actors.domains.rules.errors import RuleError
from actors.domains.rules.progression import Encounter, EncounterKind, plan_chapter
from actors.domains.rules.world import quest_coins, read_world

VALE = json.loads(vale_document())


def changed(**sections):
    return json.dumps({**VALE, **sections})


def edited(section, index, **fields):
    entities = [dict(entity) for entity in VALE[section]]
    entities[index].update(fields)
    return changed(**{section: entities})


def test_the_first_chapter_of_the_fixture():
    chapter = read_world(vale_document()).chapter(1)
    assert chapter.chapter_id == "cwp_fixture_vale:c1"
    assert chapter.quest_xp == {"clear_mill": 438, "meet_scout": 131, "herb_help": 87}
    assert chapter.plan[:11] == plan_chapter(5, 1)[:11]
    assert chapter.plan.authored_fixed_defeats == 3
    assert chapter.encounters == {
        "slime_pack": Encounter(
            "slime_pack",
            "mill",
            EncounterKind.FIXED,
            (
                HostileGroup("vale_slime", HostileRank.MINION, 2),
                HostileGroup("vale_wolf", HostileRank.STANDARD, 1),
            ),
        ),
        "mill_prowl": Encounter(
            "mill_prowl",
            "mill",
            EncounterKind.REPEATABLE,
            (HostileGroup("vale_wolf", HostileRank.STANDARD, 1),),
        ),
    }


def test_who_and_what_is_in_the_fixture():
    world = read_world(vale_document())
    role = world.roles["wanderer"]
    assert role.skills == STARTER_SKILLS
    assert role.starting_items == (ItemGrant("core_healing_herb", 3), ItemGrant("core_coin", 20))
    scout = world.npcs["scout"]
    assert (scout.initial_affinity, scout.recruitable, scout.liked_tags) == (50, True, ("herb",))
    assert world.npcs["smith"].trade_tags == ("metal", "medicine")
    herb = (LootEntry("core_healing_herb", 1000, 1, 1),)
    loot = {key: hostile.loot_table for key, hostile in world.hostiles.items()}
    assert loot == {"vale_slime": herb, "vale_wolf": herb, "mill_brute": (), "keep_drake": ()}
    assert world.quests["herb_help"].deliver_items == (ItemGrant("core_healing_herb", 2),)
    assert world.treasures["mill_chest"].loot_table == (LootEntry("core_antidote", 1000, 1, 1),)
    assert world.findings == ()


def test_the_road_of_the_fixture():
    world = read_world(vale_document())
    scenes = [chapter.opening_scene_key for chapter in world.chapters]
    assert scenes == ["square", "gate", "ridge", "cave", "keep"]
    assert world.landmarks["square"].connections == ("mill",)
    assert world.landmarks["ridge"].connections == ("gate", "cave")
    assert world.chapter(5).encounters["keep_drake"].kind is EncounterKind.FIXED
    for chapter in world.chapters:
        assert sum(chapter.quest_xp.values()) == chapter.plan.planned_quest_xp


def test_quest_coins():
    assert quest_coins(1, QuestKind.MAIN) == 20
    assert quest_coins(5, QuestKind.SIDE) == 50


def test_connections_go_both_ways():
    scenes = [{**scene, "connections": []} for scene in VALE["landmarks"]]
    scenes[0]["connections"] = ["mill", "gate"]
    landmarks = read_world(changed(landmarks=scenes)).landmarks
    assert landmarks["square"].connections == ("mill", "gate")
    assert landmarks["gate"].connections == landmarks["mill"].connections == ("square",)


def test_values_are_brought_within_bounds():
    wild = {"skillId": "wild", "name": "Wild", "target": "enemy", "powerPermille": 99_999}
    world = read_world(edited("roles", 0, skills=[wild], description="x " * 400))
    (skill,) = world.roles["wanderer"].skills
    assert (skill.power_permille, skill.mana_cost, skill.status) == (2500, 15, None)
    assert len(world.roles["wanderer"].description) <= 400
    sword = {
        "itemId": "great_sword",
        "name": "Sword",
        "description": "",
        "category": "weapon",
        "rarity": "common",
        "mods": {"attack": 10, "defense": 4},
    }
    item = read_world(changed(items=[sword])).items["great_sword"]
    assert (item.mods.attack, item.mods.defense, item.stack_limit) == (3, 1, 1)


def test_a_role_without_skills_has_the_starter_skills():
    assert read_world(edited("roles", 0, skills=[])).roles["wanderer"].skills == STARTER_SKILLS


def test_side_quests_weigh_between_fifty_and_three_hundred():
    heavy = read_world(edited("quests", 1, weight=900)).chapter(1).quest_xp
    assert heavy["meet_scout"] == 656 * 300 // 900
    light = read_world(edited("quests", 1, weight=1)).chapter(1).quest_xp
    assert light["meet_scout"] == 656 * 50 // 650
    plain = read_world(edited("quests", 1, weight=None)).chapter(1).quest_xp
    assert plain["meet_scout"] == 656 * 100 // 700


def test_encounters_are_cut_and_the_cut_is_told():
    chapters = json.loads(json.dumps(VALE["sceneChapterBlueprints"]))
    chapters[0]["encounters"][0]["groups"][1]["count"] = 3
    world = read_world(changed(sceneChapterBlueprints=chapters))
    groups = world.chapter(1).encounters["slime_pack"].groups
    assert [group.count for group in groups] == [2, 2]
    assert [finding.code for finding in world.findings] == ["INF_STAT_NORMALISED"]


def test_compiled_sections_are_not_trusted():
    assert read_world(changed(chapterPlans=[{"x": 1}], counts={"roles": 99})) == read_world(
        vale_document()
    )


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("{", ""),
        (changed(roles=[]), "roles"),
        (changed(meta={**VALE["meta"], "schemaVersion": 2}), "meta.schemaVersion"),
        (changed(meta={**VALE["meta"], "startLevel": 31}), "meta.startLevel"),
        (changed(surprise=1), "surprise"),
        (edited("roles", 0, key="Wanderer"), "roles.0.key"),
        (edited("npcs", 1, key="mayor"), "npcs.mayor"),
        (edited("npcs", 0, homeSceneKey="moon"), "npcs.mayor.homeSceneKey"),
        (edited("npcs", 0, rank="god"), "npcs.0.rank"),
        (edited("npcs", 0, initialAffinity=51), "npcs.0.initialAffinity"),
        (edited("factions", 0, stance={"moon": 1}), "factions.vale_folk.stance"),
        (edited("hostiles", 0, factionKey="moon"), "hostiles.vale_slime.factionKey"),
        (edited("npcs", 0, factionKey="moon"), "npcs.mayor.factionKey"),
        (edited("landmarks", 0, connections=["moon"]), "landmarks.square.connections"),
        (edited("landmarks", 0, npcKeys=["moon"]), "landmarks.square.npcKeys"),
        (edited("quests", 0, giverNpcKey="moon"), "quests.clear_mill.giverNpcKey"),
        (edited("quests", 0, nextQuestKey="moon"), "quests.clear_mill.nextQuestKey"),
        (edited("quests", 0, objectives=[]), "quests.0.objectives"),
        (
            edited("quests", 0, deliverItems=[{"itemId": "moon", "quantity": 1}]),
            "quests.clear_mill.deliverItems",
        ),
        (
            edited("quests", 0, deliverItems=[{"itemId": "core_coin", "quantity": 0}]),
            "quests.0.deliverItems.0",
        ),
        (
            edited("quests", 0, affinity=[{"npcKey": "mayor", "delta": 11, "reason": ""}]),
            "quests.0.affinity.0",
        ),
        (
            edited("hostiles", 0, lootTable=[{"itemId": "x", "min": 2, "max": 1}]),
            "hostiles.0.lootTable.0",
        ),
        (
            edited("hostiles", 0, lootTable=[{"itemId": "x", "min": 1, "max": 10_000}]),
            "hostiles.0.lootTable.0",
        ),
        (
            edited("hostiles", 0, lootTable=[{"itemId": "X", "min": 1, "max": 1}]),
            "hostiles.0.lootTable.0",
        ),
        (
            edited("hostiles", 0, lootTable=[{"itemId": "x", "min": 1, "max": 1}]),
            "hostiles.vale_slime.lootTable",
        ),
        (edited("treasures", 0, sceneKey="moon"), "treasures.mill_chest.sceneKey"),
        (edited("treasures", 0, lock="key_item"), "treasures.mill_chest.keyItemId"),
        (
            edited("sceneChapterBlueprints", 0, openingSceneKey="gate"),
            "sceneChapterBlueprints.first_smoke.openingSceneKey",
        ),
        (
            edited("sceneChapterBlueprints", 0, mainQuestKey="meet_scout"),
            "sceneChapterBlueprints.first_smoke.mainQuestKey",
        ),
        (
            edited("sceneChapterBlueprints", 1, mainQuestKey="clear_mill"),
            "sceneChapterBlueprints.gate_chapter.mainQuestKey",
        ),
        (
            edited("sceneChapterBlueprints", 0, sideQuestKeys=["clear_ridge"]),
            "sceneChapterBlueprints.first_smoke.sideQuestKeys",
        ),
        (
            edited("sceneChapterBlueprints", 1, exitSceneKey="moon"),
            "sceneChapterBlueprints.gate_chapter.exitSceneKey",
        ),
        (
            edited("sceneChapterBlueprints", 1, treasureKeys=["moon"]),
            "sceneChapterBlueprints.gate_chapter.treasureKeys",
        ),
    ],
)
def test_malformed_documents(document, path):
    with pytest.raises(RuleError) as refused:
        read_world(document)
    assert refused.value.code == "world.document_malformed"
    assert refused.value.details == {"path": path}
