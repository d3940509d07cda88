import pytest
from battles import BOSS, act, active, foe, hero

from actors.domains.domain_types import (
    ItemGrant,
    ItemUseEffect,
    SkillCooldown,
    SkillDef,
    SkillStatus,
    SkillTarget,
    StatusInstance,
    StatusKind,
)
from actors.domains.rules.combat import (
    BattleEventKind,
    BattleMode,
    CombatAction,
    CombatantKind,
    CombatOutcome,
)
from actors.domains.rules.combat.actions import escape_permille
from actors.domains.rules.combat.arena import Arena
from actors.domains.rules.errors import RuleError
from actors.domains.rules.items import CORE_ITEMS
from actors.module.types import replace
from actors.rng import SplitMix64

KINDS = BattleEventKind
SKILL, ITEM, ESCAPE = CombatAction.SKILL, CombatAction.USE_ITEM, CombatAction.ESCAPE
AID = SkillDef("aid", "Aid", SkillTarget.ALLY, 0, 200, 0, 7, 1, None)
NOVA = SkillDef("nova", "Nova", SkillTarget.ALL_ENEMIES, 1000, 0, 0, 4, 1, None)
STILL = {"statuses": [StatusInstance(StatusKind.STUN, 1, 0, 1)]}
"""A hostile that will not act, so that a test sees the player's action alone."""


def belt(*item_ids):
    return {"belt": [ItemGrant(item_id, 1) for item_id in item_ids]}


def code_of(battle, action, **request):
    with pytest.raises(RuleError) as refused:
        act(battle, action, **request)
    return refused.value.code


def seed_with(first_draw):
    """A seed whose first permille draw the predicate accepts."""
    return next(seed for seed in range(10_000) if first_draw(SplitMix64(seed).permille()))


@pytest.mark.parametrize("skill_id", [None, "nova", "basic_attack"])
def test_skills_of_others_are_unknown(skill_id):
    assert code_of(active(), SKILL, skill_id=skill_id) == "combat.skill_unknown"


def test_skills_wait_for_their_cooldown_first_and_then_for_mana():
    waiting = [SkillCooldown("mend", 1)]
    battle = active(changes={1: {"cooldowns": waiting, "mana": 0}})
    assert code_of(battle, SKILL, skill_id="mend") == "combat.skill_on_cooldown"
    assert code_of(battle, SKILL, skill_id="brace") == "combat.mana_insufficient"


def test_a_cooldown_of_two_is_ready_in_the_third_turn_after():
    battle = active(changes={2: {"hp": 9999}})
    battle, _ = act(battle, SKILL, skill_id="power_strike")
    ready = []
    for _ in range(3):
        row = battle.combatants[0]
        ready.append("power_strike" not in {one.skill_id for one in row.cooldowns})
        battle, _ = act(battle, CombatAction.GUARD)
    assert ready == [False, False, True]


def test_skills_cost_mana_and_a_turn_gives_two_back():
    after, events = act(active(changes={2: STILL}), SKILL, skill_id="power_strike")
    assert after.combatants[0].mana == 30 - 8 + 2
    used = events[0]
    assert (used.kind, used.detail_key, used.amount) == (KINDS.ACTION_USED, "power_strike", 8)


@pytest.mark.parametrize(
    ("action", "request_fields"),
    [
        (CombatAction.BASIC_ATTACK, {"target_seq": 1}),
        (CombatAction.BASIC_ATTACK, {"target_seq": 2}),
        (CombatAction.BASIC_ATTACK, {"target_seq": 3}),
        (CombatAction.BASIC_ATTACK, {"target_seq": 9}),
        (CombatAction.BASIC_ATTACK, {}),
        (SKILL, {"skill_id": "power_strike", "target_seq": 2}),
        (SKILL, {"skill_id": "nova", "target_seq": 2}),
        (SKILL, {"skill_id": "mend", "target_seq": 2}),
        (SKILL, {"skill_id": "aid", "target_seq": 4}),
        (SKILL, {"skill_id": "aid"}),
        (ITEM, {"item_id": "core_throwing_knife", "target_seq": 2}),
        (ITEM, {"item_id": "core_healing_herb", "target_seq": 4}),
    ],
)
def test_targets_must_be_alive_and_of_the_right_side(action, request_fields):
    # 1 and 2 are allies, 3 is a dead hostile, 4 and 5 live.
    allies = [hero(skills=[*hero().skills, AID, NOVA]), hero(user_id="u_2")]
    battle = active(
        allies,
        [foe(), foe(), foe()],
        changes={
            1: belt("core_throwing_knife", "core_healing_herb"),
            3: {"hp": 0, "alive": False},
        },
    )
    assert code_of(battle, action, **request_fields) == "combat.target_invalid"


def test_the_only_legal_target_need_not_be_named():
    battle = active(hostiles=[foe(), foe()], changes={2: {"hp": 0, "alive": False}, 3: STILL})
    _, events = act(battle, CombatAction.BASIC_ATTACK)
    assert events[0].target_seq == 3


def test_a_skill_for_allies_heals_the_one_it_names():
    allies = [hero(skills=[AID]), hero(user_id="u_2")]
    battle = active(allies, changes={2: {"hp": 100}, 3: {"hp": 9999}})
    _, events = act(battle, SKILL, skill_id="aid", target_seq=2)
    assert (events[1].kind, events[1].target_seq, events[1].amount) == (KINDS.HEAL, 2, 35)


def test_a_skill_for_all_hits_the_living_by_seq():
    battle = active(
        [hero(skills=[NOVA])],
        [foe(), foe(), foe()],
        changes={2: {"hp": 500, **STILL}, 3: {"hp": 0, "alive": False}, 4: {"hp": 500, **STILL}},
    )
    _, events = act(battle, SKILL, skill_id="nova")
    hits = [event.target_seq for event in events if event.detail_key == "nova"][1:]
    assert hits == [2, 4]


def test_heal_shield_and_their_bounds():
    battle = active(changes={1: {"hp": 170, "shield": 170}, 2: STILL})
    _, events = act(battle, SKILL, skill_id="mend")
    assert (events[1].kind, events[1].amount) == (KINDS.HEAL, 6)
    _, events = act(battle, SKILL, skill_id="brace")
    assert (events[1].kind, events[1].amount) == (KINDS.SHIELD, 6)


@pytest.mark.parametrize("item_id", [None, "core_healing_herb", "core_coin", "nothing"])
def test_only_consumables_of_the_belt_can_be_used(item_id):
    battle = active(changes={1: belt("core_antidote", "core_coin", "nothing")})
    assert code_of(battle, ITEM, item_id=item_id) == "combat.item_unavailable"


def test_a_herb_heals_and_is_gone():
    battle = active(changes={1: {"hp": 50, **belt("core_healing_herb", "core_antidote")}, 2: STILL})
    after, events = act(battle, ITEM, item_id="core_healing_herb")
    assert [(event.kind, event.amount) for event in events[:2]] == [
        (KINDS.ITEM_USED, 1),
        (KINDS.HEAL, 44),
    ]
    assert after.combatants[0].belt == [ItemGrant("core_antidote", 1)]
    assert after.combatants[0].hp == 94


def test_a_drop_restores_mana_and_a_stack_shrinks():
    stack = {"belt": [ItemGrant("core_mana_drop", 3)], "mana": 5}
    after, _ = act(active(changes={1: stack, 2: STILL}), ITEM, item_id="core_mana_drop")
    assert after.combatants[0].mana == 5 + 12 + 2
    assert after.combatants[0].belt == [ItemGrant("core_mana_drop", 2)]


def test_an_antidote_takes_harm_away_and_leaves_help():
    statuses = [
        StatusInstance(kind, 3, 10, 2)
        for kind in (StatusKind.POISON, StatusKind.REGEN, StatusKind.MARK)
    ]
    battle = active(changes={1: {"statuses": statuses, **belt("core_antidote")}, 2: STILL})
    after, events = act(battle, ITEM, item_id="core_antidote")
    assert [row.kind for row in after.combatants[0].statuses] == [StatusKind.REGEN]
    assert [event.detail_key for event in events[1:3]] == ["poison", "mark"]


def test_a_knife_strikes_with_the_own_attack():
    battle = active(
        seed=seed_with(lambda draw: draw < 900), changes={1: belt("core_throwing_knife"), 2: STILL}
    )
    after, events = act(battle, ITEM, item_id="core_throwing_knife")
    assert events[1].kind in {KINDS.HIT, KINDS.CRIT}
    assert after.combatants[1].hp == 80 - events[1].amount
    assert after.combatants[0].belt == []


def test_a_harmful_status_item_is_thrown_at_enemies():
    net = replace(
        CORE_ITEMS["core_antidote"],
        item_id="net",
        use_effect=ItemUseEffect(0, 0, False, SkillStatus(StatusKind.SLOW, 3, 300, 1000), 0, False),
    )
    seed = seed_with(lambda draw: draw < 900)
    battle = active(seed=seed, changes={1: belt("net"), 2: STILL})
    after, events = act(battle, ITEM, items={"net": net}, item_id="net")
    assert [event.kind for event in events[:2]] == [KINDS.ITEM_USED, KINDS.STATUS_APPLIED]
    slow = [row for row in after.combatants[1].statuses if row.kind is StatusKind.SLOW]
    assert slow == [StatusInstance(StatusKind.SLOW, 2, 300, 1)]
    assert after.combatants[1].hp == 80


def test_smoke_covers_an_escape_without_a_draw():
    battle = active(changes={1: belt("core_smoke_bomb")})
    after, events = act(battle, ITEM, item_id="core_smoke_bomb")
    assert after.outcome is CombatOutcome.ESCAPED
    assert after.rng_state == battle.rng_state
    assert [event.kind for event in events] == [KINDS.ITEM_USED, KINDS.ESCAPED, KINDS.ENDED]
    assert after.combatants[0].belt == []


def test_nobody_escapes_from_a_boss_or_a_spar():
    boss = active(hostiles=[foe(BOSS)], changes={1: belt("core_smoke_bomb")})
    partner = foe(kind=CombatantKind.SPAR_PARTNER)
    spar = active(hostiles=[partner], mode=BattleMode.SPAR, changes={1: belt("core_smoke_bomb")})
    for battle in (boss, spar):
        assert code_of(battle, ESCAPE) == "combat.escape_blocked"
        assert code_of(battle, ITEM, item_id="core_smoke_bomb") == "combat.escape_blocked"


def test_escapes_succeed_and_fail_by_one_draw():
    fled, events = act(active(seed=seed_with(lambda draw: draw < 500)), ESCAPE)
    assert fled.outcome is CombatOutcome.ESCAPED
    assert [event.kind for event in events] == [KINDS.ESCAPED, KINDS.ENDED]
    stayed, events = act(active(seed=seed_with(lambda draw: draw >= 500)), ESCAPE)
    assert events[0].kind is KINDS.ESCAPE_FAILED
    assert stayed.escape_attempts == 1


@pytest.mark.parametrize(
    ("speeds", "attempts", "expected"),
    [
        ([100, 100], 0, 500),
        ([110, 100], 0, 550),
        ([100, 110, 105], 0, 465),
        ([100, 100], 2, 800),
        ([100, 100], 9, 950),
        ([50, 300], 0, 100),
    ],
)
def test_escape_chances(speeds, attempts, expected):
    battle = active(hostiles=[foe() for _ in speeds[1:]])
    for seq, speed in enumerate(speeds, start=1):
        stats = replace(battle.combatants[seq - 1].stats, speed=speed)
        battle.combatants[seq - 1] = replace(battle.combatants[seq - 1], stats=stats)
    arena = Arena(replace(battle, escape_attempts=attempts))
    assert escape_permille(arena, arena.fighters[1]) == expected
