"""Battle timers: what a battle does when nobody does anything (domain 4.5)."""

from __future__ import annotations

from actors import ReducerContext, Timestamp, replace, struct, u32
from actors.domains.gameplay.combat import BattleState, loadouts_of
from actors.domains.gameplay.limits import (
    BATTLE_ABSENT_TURNS_MAX,
    BATTLE_AWAY_TURN_MICROS,
    BATTLE_IDLE_MICROS,
    BATTLE_LOADOUT_MICROS,
    BATTLE_LOG_MICROS,
    BATTLE_TURN_MICROS,
)
from actors.domains.rules import combat as rules
from actors.domains.rules.combat import BattleStatus, CombatantKind

__all__ = [
    "BattleIdleTimer",
    "BattleLoadoutTimer",
    "BattleLogTimer",
    "BattleTurnTimer",
    "set_loadout_timer",
    "set_timers",
]


@struct
class BattleLoadoutTimer:
    """Players have had long enough to answer with their loadouts."""

    battle_state_id: str


@struct
class BattleTurnTimer:
    """The player whose turn it is has had long enough; void once the version went on."""

    battle_state_id: str
    version: u32


@struct
class BattleIdleTimer:
    """Nobody acted for long; void once the version went on."""

    battle_state_id: str
    version: u32


@struct
class BattleLogTimer:
    """The battle ended long ago; its events may go."""

    battle_state_id: str


def set_loadout_timer(ctx: ReducerContext, battle_state_id: str) -> None:
    """Wait for loadouts, but not for ever."""
    ctx.send_at(
        ctx.timestamp + BATTLE_LOADOUT_MICROS,
        BattleLoadoutTimer(battle_state_id),
        timer_id=_timer_id(battle_state_id, "loadout"),
    )


def set_timers(ctx: ReducerContext, row: BattleState, battle: rules.Battle) -> BattleState:
    """Set what the battle's new state waits for, instead of what the old one did.

    Returns:
        The battle with its turn's deadline, not yet written.
    """
    battle_state_id = row.battle_state_id
    ctx.cancel(_timer_id(battle_state_id, "turn"))
    ctx.cancel(_timer_id(battle_state_id, "loadout"))
    if row.status is BattleStatus.ENDED:
        ctx.cancel(_timer_id(battle_state_id, "idle"))
        ctx.send_at(
            ctx.timestamp + BATTLE_LOG_MICROS,
            BattleLogTimer(battle_state_id),
            timer_id=_timer_id(battle_state_id, "log"),
        )
        return replace(row, turn_deadline=None)
    ctx.send_at(
        ctx.timestamp + BATTLE_IDLE_MICROS,
        BattleIdleTimer(battle_state_id, row.version),
        timer_id=_timer_id(battle_state_id, "idle"),
        guard=row.version,
    )
    deadline = _turn_deadline(ctx, row, battle)
    if deadline is not None:
        ctx.send_at(
            deadline,
            BattleTurnTimer(battle_state_id, row.version),
            timer_id=_timer_id(battle_state_id, "turn"),
            guard=row.version,
        )
    return replace(row, turn_deadline=deadline)


def _turn_deadline(ctx: ReducerContext, row: BattleState, battle: rules.Battle) -> Timestamp | None:
    """When the running turn is over by itself; solo battles have no hurry."""
    players = [each for each in battle.combatants if each.kind is CombatantKind.PLAYER]
    if len(players) < 2:
        return None
    active = next(each for each in players if each.seq == battle.active_seq)
    absent = next(
        each.absent_turns
        for each in loadouts_of(ctx.db, row.battle_state_id)
        if each.user_id == active.user_id
    )
    is_away = absent >= BATTLE_ABSENT_TURNS_MAX
    wait = BATTLE_AWAY_TURN_MICROS if is_away else BATTLE_TURN_MICROS
    return Timestamp(ctx.timestamp + wait)


def _timer_id(battle_state_id: str, what: str) -> str:
    return f"{battle_state_id}:{what}"
