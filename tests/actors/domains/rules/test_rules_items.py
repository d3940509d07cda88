import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import (
    EquipSlot,
    ItemCategory,
    ItemMods,
    ItemUseEffect,
    Rarity,
    SkillStatus,
    StatusKind,
)
from actors.domains.rules.errors import RuleError
from actors.domains.rules.items import CORE_ITEMS, gear_tier, item_definition, normalise_item
from actors.domains.rules.text import check_slug
from actors.module.types import replace

BLADE = CORE_ITEMS["core_blade_t1"]
GEAR = (ItemCategory.WEAPON, ItemCategory.ARMOR, ItemCategory.CHARM)


@pytest.mark.parametrize(
    ("item_id", "category", "value", "tags"),
    [
        ("core_coin", ItemCategory.CURRENCY, 1, []),
        ("core_healing_herb", ItemCategory.CONSUMABLE, 12, ["herb", "medicine"]),
        ("core_mana_drop", ItemCategory.CONSUMABLE, 12, ["medicine"]),
        ("core_antidote", ItemCategory.CONSUMABLE, 10, ["medicine"]),
        ("core_smoke_bomb", ItemCategory.CONSUMABLE, 30, ["trick"]),
        ("core_throwing_knife", ItemCategory.CONSUMABLE, 8, ["weapon", "metal"]),
        ("core_blade_t3", ItemCategory.WEAPON, 300, ["weapon", "metal"]),
        ("core_mail_t5", ItemCategory.ARMOR, 1500, ["armor", "metal"]),
        ("core_charm_t2", ItemCategory.CHARM, 120, ["charm"]),
    ],
)
def test_the_catalogue(item_id, category, value, tags):
    item = CORE_ITEMS[item_id]
    assert (item.category, item.value_coins, item.tags) == (category, value, tags)


def test_the_catalogue_is_whole():
    assert len(CORE_ITEMS) == 6 + 3 * 5
    for item_id, item in CORE_ITEMS.items():
        assert item.item_id == check_slug(item_id)
        assert len(item.name) <= 24


def test_gear_by_tier():
    tiers = range(1, 6)
    blades = [CORE_ITEMS[f"core_blade_t{tier}"].mods.attack for tier in tiers]
    mails = [CORE_ITEMS[f"core_mail_t{tier}"].mods for tier in tiers]
    charms = [CORE_ITEMS[f"core_charm_t{tier}"].mods for tier in tiers]
    assert blades == [3, 7, 12, 18, 25]
    assert [(mods.defense, mods.max_hp) for mods in mails] == [
        (2, 10),
        (5, 25),
        (9, 45),
        (14, 70),
        (20, 100),
    ]
    assert [(mods.max_hp, mods.crit_permille) for mods in charms] == [
        (15, 10),
        (35, 20),
        (60, 30),
        (90, 40),
        (125, 50),
    ]


@pytest.mark.parametrize(("level", "tier"), [(1, 1), (10, 1), (11, 2), (20, 2), (41, 5), (50, 5)])
def test_tiers(level, tier):
    assert gear_tier(level) == tier


def gear(mods, rarity=Rarity.COMMON):
    return normalise_item(replace(BLADE, mods=mods, rarity=rarity))


def test_gear_over_budget_shrinks():
    assert gear(ItemMods(10, 4, 0, 0, 0)).mods == ItemMods(3, 1, 0, 0, 0)
    assert gear(ItemMods(10, 4, 0, 0, 0), Rarity.RARE).mods == ItemMods(10, 4, 0, 0, 0)
    assert gear(ItemMods(10, 4, -50, 0, 0)).mods == ItemMods(3, 1, -50, 0, 0)


mods = st.builds(ItemMods, *[st.integers(-2000, 2000)] * 5)


@given(mods, st.sampled_from(Rarity))
def test_gear_keeps_its_budget(mods, rarity):
    made = gear(mods, rarity).mods
    budget = {0: 20, 1: 45, 2: 90, 3: 150, 4: 220}[rarity]
    attack, defense, hp, speed, crit = (
        max(0, mod)
        for mod in (made.attack, made.defense, made.max_hp, made.speed, made.crit_permille)
    )
    assert 4 * attack + 5 * defense + hp + 3 * speed + 2 * crit <= budget
    assert normalise_item(gear(mods, rarity)) == gear(mods, rarity)


@pytest.mark.parametrize("category", ItemCategory)
def test_the_category_decides(category):
    limits = {ItemCategory.CONSUMABLE: 20, ItemCategory.MATERIAL: 99, ItemCategory.QUEST: 99}
    limits[ItemCategory.CURRENCY] = 9999
    status = SkillStatus(StatusKind.BURN, 9, 900, 1000)
    effect = ItemUseEffect(0, 0, False, status, 900, False)
    item = normalise_item(
        replace(BLADE, category=category, stack_limit=7, use_effect=effect, equip_slot=None)
    )
    assert item.stack_limit == limits.get(category, 1)
    assert item.equip_slot == (EquipSlot(GEAR.index(category)) if category in GEAR else None)
    assert (item.mods.attack == 3) == (category in GEAR)
    assert (item.use_effect is not None) == (category is ItemCategory.CONSUMABLE)
    if item.use_effect:
        assert item.use_effect.status == SkillStatus(StatusKind.BURN, 4, 80, 1000)


def test_unknown_items():
    assert item_definition(CORE_ITEMS, "core_coin") is CORE_ITEMS["core_coin"]
    with pytest.raises(RuleError) as refused:
        item_definition(CORE_ITEMS, "core_nothing")
    assert refused.value.code == "inventory.item_unknown"
