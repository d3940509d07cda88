"""Decisions of a player, each from a few rows."""

from __future__ import annotations

from enum import IntEnum
from types import SimpleNamespace as Row
from typing import Any

import pytest

from loadtest.policy import Policy

ME = "u_me"


class Rarity(IntEnum):
    COMMON = 0
    UNCOMMON = 1


def named(name: str) -> Row:
    return Row(name=name)


def session(**changes: Any) -> Row:
    columns = {
        "story_session_id": "ss_1",
        "runtime_session_id": "rs_1",
        "status": named("Active"),
        "current_scene_key": "here",
        "turn": 7,
        "chapter_index": 1,
        "total_chapters": 5,
    }
    return Row(**columns | changes)


def choice(position: int, function: str, target: str = "there", *, enabled: bool = True) -> Row:
    return Row(
        choice_id=f"c.{position}",
        position=position,
        function=named(function),
        target_key=target,
        enabled=enabled,
    )


def slot(item_id: str, quantity: int = 1, index: int = 0, **changes: Any) -> Row:
    columns = {
        "runtime_session_id": "rs_1",
        "container": named("Backpack"),
        "category": named("Consumable"),
        "rarity": Rarity.COMMON,
        "item_id": item_id,
        "quantity": quantity,
        "slot_index": index,
        "locked_by": None,
    }
    return Row(**columns | changes)


def player(hp: int) -> Row:
    return Row(user_id=ME, hp=hp, max_hp=100)


def npc(**changes: Any) -> Row:
    columns = {
        "npc_key": "scout",
        "scene_key": "here",
        "affinity": 0,
        "talk_count": 4,
        "talk_count_this_visit": 3,
        "gifts_given": 0,
        "recruitable": False,
        "recruited": False,
        "trade_stock": [],
    }
    return Row(**columns | changes)


def quest(status: str, kind: str = "Main", **changes: Any) -> Row:
    columns = {
        "quest_key": "quest",
        "kind": named(kind),
        "status": named(status),
        "objectives": [],
        "deliver_items": [],
        "giver_npc_key": None,
    }
    return Row(**columns | changes)


def objective(kind: str, target: str = "any") -> Row:
    return Row(kind=named(kind), target_key=target, progress=0, required=1)


def policy(chapters: int = 5, **tables: list[Any]) -> Policy:
    tables = {"story_session": [session()], "story_participant": [player(100)], **tables}
    return Policy(ME, lambda table: tables.get(table, []), chapters)


LOOK = choice(9, "Narrative")


def chosen(**tables: list[Any]) -> Any:
    step = policy(**tables).step()
    return step.fields.get("choice_id", step.name)


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([choice(1, "Fight"), choice(2, "Travel"), LOOK], "c.1"),
        ([choice(1, "Travel"), choice(2, "Fight"), LOOK], "c.1"),
        ([choice(1, "Fight"), choice(2, "AcceptQuest")], "c.2"),
        ([choice(1, "Fight"), choice(2, "Inspect")], "c.1"),
        ([choice(1, "Travel"), choice(2, "Inspect")], "c.2"),
        ([LOOK], "c.9"),
    ],
    ids=["in the way", "not in the way", "quests first", "danger first", "chest", "nothing"],
)
def test_choices_are_taken_in_order_of_worth(choices, expected) -> None:
    assert chosen(story_choice=choices) == expected


def test_a_hunt_goes_on_where_there_is_something_to_fight() -> None:
    hunt = quest("Active", objectives=[objective("DefeatHostile")])
    choices = [choice(1, "Travel"), choice(2, "Fight"), LOOK]
    assert chosen(story_choice=choices, quest_record=[hunt]) == "c.2"


def test_who_is_hurt_rests_or_uses_herbs_or_goes_where_rest_is() -> None:
    fight, way = choice(1, "Fight"), choice(2, "Travel")
    hurt = [player(59)]
    rest, barred = choice(3, "Rest"), choice(3, "Rest", enabled=False)
    herbs = [slot("core_healing_herb", 2, 5)]
    assert chosen(story_choice=[fight, way, rest], story_participant=hurt) == "c.3"
    tables = {"story_choice": [fight, way, barred], "story_participant": hurt}
    step = policy(**tables, inventory_slot=herbs).step()
    assert (step.name, step.fields["slot_index"]) == ("use_inventory_item", 5)
    assert chosen(**tables) == "c.2"
    owed = quest("Active", deliver_items=[Row(item_id="core_healing_herb", quantity=2)])
    assert chosen(**tables, inventory_slot=herbs, quest_record=[owed]) == "c.2"
    assert chosen(**tables | {"story_participant": [player(60)]}) == "c.1"


def test_quests_are_turned_in_side_quests_first_and_only_with_the_goods() -> None:
    herbs = [Row(item_id="core_healing_herb", quantity=2)]
    side = quest("Completed", "Side", quest_key="side", deliver_items=herbs)
    main = quest("Completed", "Main", quest_key="main")
    choices = [choice(1, "TurnInQuest", "main"), choice(2, "TurnInQuest", "side"), LOOK]
    tables = {"story_choice": choices, "quest_record": [side, main]}
    assert chosen(**tables) == "c.1"
    assert chosen(**tables, inventory_slot=[slot("core_healing_herb", 2)]) == "c.2"


@pytest.mark.parametrize(
    ("changes", "held", "expected"),
    [
        ({"talk_count": 0}, [], "talk_to_npc"),
        ({"recruitable": True, "affinity": 50, "talk_count_this_visit": 2}, [], "talk_to_npc"),
        ({"recruitable": True, "affinity": 56}, [slot("core_healing_herb")], "gift_npc"),
        ({"recruitable": True, "affinity": 60}, [], "recruit_npc"),
        ({"recruitable": True, "affinity": 60, "recruited": True}, [], "c.9"),
        ({"recruitable": True, "affinity": 56}, [], "c.9"),
        ({"talk_count": 0, "scene_key": "elsewhere"}, [], "c.9"),
    ],
)
def test_company_is_sought_by_talk_then_gifts(changes, held, expected) -> None:
    tables = {"npc_state": [npc(**changes)], "inventory_slot": held, "story_choice": [LOOK]}
    assert chosen(**tables) == expected


def test_before_a_chapter_ends_a_player_sells_and_buys() -> None:
    stock = [
        Row(item_id="core_mail_t1", quantity=1, unit_price=52),
        Row(item_id="core_blade_t1", quantity=1, unit_price=52),
    ]
    tables = {
        "story_choice": [choice(1, "TurnInQuest", "quest"), LOOK],
        "quest_record": [quest("Completed")],
        "npc_state": [npc(affinity=20, trade_stock=stock)],
    }
    worn = slot("core_mail_t1", container=named("Equipment"), category=named("Armor"))
    coins = slot("core_coin", 52, 1)
    useless = slot("core_antidote", 3, 2)
    sold = policy(**tables, inventory_slot=[worn, coins, useless]).step()
    assert sold.name == "trade_with_npc"
    assert (sold.fields["kind"], sold.fields["item_id"]) == ("Sell", "core_antidote")
    assert (sold.fields["quantity"], sold.fields["expected_unit_price"]) == (3, 4)
    bought = policy(**tables, inventory_slot=[worn, coins]).step()
    assert (bought.fields["kind"], bought.fields["item_id"]) == ("Buy", "core_blade_t1")
    poor = slot("core_coin", 51, 1)
    assert chosen(**tables, inventory_slot=[worn, poor]) == "c.1"


def test_gear_is_worn_when_it_is_better_and_the_level_is_high_enough() -> None:
    blade = slot("core_blade_t2", 1, 4, category=named("Weapon"), rarity=Rarity.UNCOMMON)
    tables = {"inventory_slot": [blade], "story_choice": [LOOK]}
    low = [Row(pending_level_ups=0, level=8)]
    high = [Row(pending_level_ups=0, level=9)]
    assert policy(**tables, my_player_progression=low).upkeep() is None
    step = policy(**tables, my_player_progression=high).upkeep()
    assert step is not None
    assert (step.name, step.fields["slot_index"]) == ("equip_item", 4)
    worn = slot(
        "core_blade_t2", 1, 0,
        category=named("Weapon"), rarity=Rarity.UNCOMMON, container=named("Equipment"),
    )  # fmt: skip
    tables = {"inventory_slot": [worn, blade], "my_player_progression": high}
    assert policy(**tables).upkeep() is None


def test_the_way_leads_to_where_a_quest_asks_for_somebody() -> None:
    ways = [choice(1, "Travel", "a"), choice(2, "Travel", "b"), LOOK]
    seek = quest("Active", objectives=[objective("TalkNpc", "scout")])
    away = npc(scene_key="b", talk_count=0)
    assert chosen(story_choice=ways, quest_record=[seek], npc_state=[away]) == "c.2"
    giver = quest("Completed", giver_npc_key="scout")
    assert chosen(story_choice=ways, quest_record=[giver], npc_state=[away]) == "c.2"


@pytest.mark.parametrize(
    ("chapters", "offered", "expected"),
    [(5, "AdvanceChapter", "c.1"), (5, "Finish", "c.1"), (1, "Travel", "abandon_story_session")],
)
def test_a_finished_chapter_is_left(chapters, offered, expected) -> None:
    tables = {
        "story_session": [session(status=named("ChapterBreak"))],
        "story_choice": [choice(1, offered)],
        "story_participant": [player(1)],
    }
    step = policy(chapters, **tables).step()
    assert step.fields.get("choice_id", step.name) == expected


def combatant(seq: int, side: str, hp: int, **changes: Any) -> Row:
    skills = [Row(skill_id="power_strike", mana_cost=8), Row(skill_id="mend", mana_cost=10)]
    columns = {
        "battle_state_id": "bt_1",
        "seq": seq,
        "side": named(side),
        "user_id": ME if seq == 1 else None,
        "hp": hp,
        "mana": 30,
        "alive": hp > 0,
        "stats": Row(max_hp=100),
        "skills": skills,
        "cooldowns": [],
    }
    return Row(**columns | changes)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"hp": 100}, ("Skill", "power_strike", 3)),
        ({"hp": 34}, ("Skill", "mend", None)),
        ({"hp": 35}, ("Skill", "power_strike", 3)),
        ({"hp": 34, "mana": 9}, ("Skill", "power_strike", 3)),
        ({"hp": 100, "mana": 7}, ("BasicAttack", None, 3)),
        (
            {"hp": 100, "cooldowns": [Row(skill_id="power_strike", turns_left=1)]},
            ("BasicAttack", None, 3),
        ),
    ],
)
def test_fights_follow_policy_p(own, expected) -> None:
    rows = [
        combatant(1, "Ally", **own),
        combatant(2, "Hostile", 50),
        combatant(3, "Hostile", 20),
        combatant(4, "Hostile", 20),
        combatant(5, "Hostile", 0),
    ]
    battle = Row(battle_state_id="bt_1", version=3)
    fields = policy(battle_combatant=rows).action(battle).fields
    assert fields["expected_version"] == 3
    assert (fields["action"], fields.get("skill_id"), fields["target_seq"]) == expected
