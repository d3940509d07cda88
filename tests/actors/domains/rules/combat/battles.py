"""Battles made by hand for the tests of combat."""

from actors.domains.domain_types import EntityLevelKind, HostileRank, LevelSource
from actors.domains.rules.combat import (
    STARTER_SKILLS,
    ActionRequest,
    Battle,
    BattleMode,
    BattleStatus,
    CombatAction,
    Combatant,
    CombatantKind,
    CombatOutcome,
    apply_action,
    hostile_combatant,
    player_combatant,
    prepare_battle,
    start_battle,
)
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.progression import profile_at_level
from actors.module.types import replace

MINION, STANDARD, ELITE, BOSS = HostileRank

__all__ = [
    "BOSS",
    "ELITE",
    "MINION",
    "STANDARD",
    "LevelSource",
    "act",
    "active",
    "attack",
    "change",
    "foe",
    "fought",
    "hero",
    "policy",
    "run",
]


def hero(level=1, user_id="u_1", hp=9999, skills=STARTER_SKILLS) -> Combatant:
    return player_combatant(user_id, "wanderer", "Wanderer", level, hp, skills)


def foe(rank=STANDARD, level=1, key="wolf", skills=(), kind=CombatantKind.HOSTILE) -> Combatant:
    profile = profile_at_level(key, rank, level, EntityLevelKind.HOSTILE)
    return hostile_combatant(profile, key.title(), skills, kind)


def active(
    allies=None, hostiles=None, *, seed=0, mode=BattleMode.FIGHT, turn=1, changes=None
) -> Battle:
    """A battle in which a combatant has the turn, with combatants changed as a test needs."""
    battle = prepare_battle(mode, allies or [hero()], hostiles or [foe()], seed)
    order = [turn, *(row.seq for row in battle.combatants if row.seq != turn)]
    battle = replace(
        battle, status=BattleStatus.ACTIVE, round=1, turn_order=order, active_seq=turn, version=1
    )
    for seq, fields in (changes or {}).items():
        battle = change(battle, seq, **fields)
    return battle


def change(battle: Battle, seq: int, **fields: object) -> Battle:
    rows = list(battle.combatants)
    rows[seq - 1] = replace(rows[seq - 1], **fields)
    return replace(battle, combatants=rows)


def act(battle, action, user_id="u_1", items=CORE_ITEMS, **request):
    return apply_action(battle, ActionRequest(user_id, action, **request), items)


def weakest(battle):
    return min(
        (row for row in battle.combatants if row.side and row.alive),
        key=lambda row: (row.hp, row.seq),
    )


def attack(battle) -> ActionRequest:
    """Basic attacks on the weakest hostile."""
    user_id = battle.combatants[battle.active_seq - 1].user_id
    return ActionRequest(
        user_id, CombatAction.BASIC_ATTACK, battle.version, target_seq=weakest(battle).seq
    )


def policy(battle) -> ActionRequest:
    """Policy P of the acceptance stories: mend below 35 percent, else strike, else attack."""
    me = battle.combatants[battle.active_seq - 1]
    waiting = {cooldown.skill_id for cooldown in me.cooldowns}
    if me.hp * 1000 < me.stats.max_hp * 350 and "mend" not in waiting and me.mana >= 10:
        return ActionRequest(me.user_id, CombatAction.SKILL, battle.version, "mend")
    if "power_strike" not in waiting and me.mana >= 8:
        return ActionRequest(
            me.user_id,
            CombatAction.SKILL,
            battle.version,
            "power_strike",
            target_seq=weakest(battle).seq,
        )
    return attack(battle)


def run(battle, choose=policy, actions_max=200):
    """Play a started battle to its end; every battle on the way and every event."""
    battles, events = [battle], []
    while battles[-1].status is BattleStatus.ACTIVE:
        assert len(battles) <= actions_max
        after, more = apply_action(battles[-1], choose(battles[-1]), CORE_ITEMS)
        battles.append(after)
        events += more
    return battles, events


def fought(allies, hostiles, seed, choose=policy) -> tuple[CombatOutcome, int]:
    """Outcome and number of actions of a fight."""
    started, _ = start_battle(prepare_battle(BattleMode.FIGHT, allies, hostiles, seed))
    battles, _ = run(started, choose)
    return battles[-1].outcome, len(battles) - 1
