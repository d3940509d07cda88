import pytest

from actors.domains.domain_types import (
    HostileRank,
    ItemMods,
    RuntimeItemDefinition,
    SkillDef,
    SkillStatus,
    SkillTarget,
    StatusKind,
)
from actors.domains.rules.struct_json import (
    camel_case,
    enum_from_json,
    struct_from_json,
    struct_to_json,
)

SKILL = {"skillId": "sting", "name": "Sting", "target": "all_enemies"}
ITEM = {
    "itemId": "x",
    "name": "X",
    "description": "",
    "category": "material",
    "rarity": "common",
}


def test_names():
    assert camel_case("chance_permille") == "chancePermille"
    assert camel_case("name") == "name"
    assert enum_from_json(HostileRank, "elite") is HostileRank.ELITE


@pytest.mark.parametrize("value", ["ELITE", "god", "", 2, None])
def test_other_values_are_no_members(value):
    with pytest.raises(ValueError, match="HostileRank"):
        enum_from_json(HostileRank, value)


def test_what_is_left_out_is_nothing():
    assert struct_from_json(SkillDef, SKILL) == SkillDef(
        "sting", "Sting", SkillTarget.ALL_ENEMIES, 0, 0, 0, 0, 0, None
    )
    item = struct_from_json(RuntimeItemDefinition, ITEM)
    assert (item.mods, item.tags, item.use_effect) == (ItemMods(0, 0, 0, 0, 0), [], None)


def test_structs_hold_structs_and_lists():
    status = {"kind": "burn", "turns": 2, "potency": 30, "chancePermille": 500}
    skill = struct_from_json(SkillDef, {**SKILL, "status": status})
    assert skill.status == SkillStatus(StatusKind.BURN, 2, 30, 500)
    item = struct_from_json(
        RuntimeItemDefinition,
        {**ITEM, "mods": {"attack": -3}, "tags": ["metal"], "tradeable": True},
    )
    assert (item.mods.attack, item.tags, item.tradeable) == (-3, ["metal"], True)
    assert struct_from_json(SkillDef, skill) is skill


@pytest.mark.parametrize(
    "change",
    [
        {"name": None},
        {"name": 1},
        {"target": None},
        {"manaCost": -1},
        {"manaCost": 2**32},
        {"manaCost": True},
        {"manaCost": 1.0},
        {"manaCost": "1"},
        {"mana_cost": 1},
        {"status": []},
        {"status": {}},
    ],
)
def test_what_does_not_fit_is_refused(change):
    with pytest.raises(ValueError):
        struct_from_json(SkillDef, {**SKILL, **change})


@pytest.mark.parametrize("change", [{"tags": "x"}, {"tags": [1]}, {"tradeable": 1}, {"mods": 3}])
def test_lists_and_booleans_are_strict(change):
    with pytest.raises(ValueError):
        struct_from_json(RuntimeItemDefinition, {**ITEM, **change})


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_a_struct_is_an_object(value):
    with pytest.raises(ValueError, match="must be an object"):
        struct_from_json(SkillDef, value)


def test_structs_are_written_as_they_are_read():
    status = {"kind": "burn", "turns": 2, "potency": 30, "chancePermille": 500}
    skill = struct_from_json(SkillDef, {**SKILL, "status": status})
    written = struct_to_json(skill)
    assert (written["target"], written["status"]) == ("all_enemies", status)
    assert struct_from_json(SkillDef, written) == skill
    item = struct_from_json(RuntimeItemDefinition, {**ITEM, "tags": ["metal"]})
    written = struct_to_json(item)
    assert "useEffect" not in written
    assert struct_from_json(RuntimeItemDefinition, written) == item
