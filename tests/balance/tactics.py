"""Tactics: how a simulated player fights, from the battle as a client sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from actors.domains.rules.combat import ActionRequest, Battle, BattleSide, CombatAction, Combatant

__all__ = ["TACTICS", "Tactic", "basic_only", "cautious", "policy"]

Tactic = Callable[[Battle], ActionRequest]


def basic_only(battle: Battle) -> ActionRequest:
    """Basic attacks on the weakest hostile, whatever happens."""
    me = _me(battle)
    target = _weakest(battle).seq
    return ActionRequest(me.user_id or "", CombatAction.BASIC_ATTACK, target_seq=target)


def policy(battle: Battle) -> ActionRequest:
    """Policy P (domain 13.0): mend below 35 percent, else strike when ready, else attack."""
    me = _me(battle)
    if me.hp * 100 < me.stats.max_hp * 35 and _is_ready(me, "mend"):
        return _use(me, "mend")
    if _is_ready(me, "power_strike"):
        return _use(me, "power_strike", _weakest(battle))
    return basic_only(battle)


def cautious(battle: Battle) -> ActionRequest:
    """Mend below 60 percent, brace below 80, weaken the strongest that lasts, then policy P."""
    me = _me(battle)
    if me.hp * 100 < me.stats.max_hp * 60 and _is_ready(me, "mend"):
        return _use(me, "mend")
    if me.hp * 100 < me.stats.max_hp * 80 and _is_ready(me, "brace"):
        return _use(me, "brace")
    strongest = max(_hostiles(battle), key=lambda row: (row.stats.attack, row.hp, -row.seq))
    lasts = strongest.hp > 3 * me.stats.attack
    if lasts and not strongest.statuses and _is_ready(me, "hinder"):
        return _use(me, "hinder", strongest)
    return policy(battle)


TACTICS: Final[dict[str, Tactic]] = {
    "policy P": policy,
    "basic only": basic_only,
    "cautious": cautious,
}


def _me(battle: Battle) -> Combatant:
    return battle.combatants[battle.active_seq - 1]


def _hostiles(battle: Battle) -> list[Combatant]:
    return [row for row in battle.combatants if row.side is BattleSide.HOSTILE and row.alive]


def _weakest(battle: Battle) -> Combatant:
    return min(_hostiles(battle), key=lambda row: (row.hp, row.seq))


def _is_ready(me: Combatant, skill_id: str) -> bool:
    waiting = {cooldown.skill_id for cooldown in me.cooldowns}
    return any(
        skill.skill_id == skill_id and skill_id not in waiting and skill.mana_cost <= me.mana
        for skill in me.skills
    )


def _use(me: Combatant, skill_id: str, target: Combatant | None = None) -> ActionRequest:
    return ActionRequest(
        me.user_id or "",
        CombatAction.SKILL,
        skill_id=skill_id,
        target_seq=None if target is None else target.seq,
    )
