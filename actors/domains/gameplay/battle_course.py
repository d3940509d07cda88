"""Battle course: a battle runs on with every answer, action and deadline (domain 4.4, 4.5)."""

from __future__ import annotations

from collections.abc import Sequence

from actors import ReducerContext, message, replace
from actors.domains.gameplay.battle_end import close_battle, release
from actors.domains.gameplay.battle_timers import (
    BattleIdleTimer,
    BattleLoadoutTimer,
    BattleLogTimer,
    BattleTurnTimer,
    set_timers,
)
from actors.domains.gameplay.combat import (
    BattleCombatant,
    BattleEvent,
    BattleLoadout,
    BattleState,
    load_battle,
    loadouts_of,
    write_battle,
)
from actors.domains.gameplay.limits import BATTLE_ABSENT_TURNS_MAX
from actors.domains.gameplay.story import StoryPace, pace_of, participant_of
from actors.domains.kinds import STORY
from actors.domains.messages import Loadout
from actors.domains.rules import combat as rules
from actors.domains.rules.combat import (
    BattleStatus,
    abort_battle,
    apply_automatic,
    apply_timeout,
    start_battle,
    with_loadout,
)
from actors.domains.rules.ids import derived_id
from actors.module import DatabaseReader

__all__ = [
    "abort",
    "advance",
    "battle_idle",
    "battle_log_expired",
    "count_absence",
    "loadout_arrived",
    "loadout_overdue",
    "turn_overdue",
]


def advance(
    ctx: ReducerContext,
    row: BattleState,
    battle: rules.Battle,
    events: Sequence[rules.BattleEvent],
) -> tuple[BattleState, list[BattleEvent]]:
    """Write what the rules made of a battle and go on from there: deadlines, or the outcome."""
    row, written = write_battle(ctx, row, battle, events)
    row = ctx.db[BattleState].update(set_timers(ctx, row, battle))
    if row.status is BattleStatus.ENDED:
        close_battle(ctx, row, battle)
        row = ctx.db[BattleState].get(row.battle_state_id)
    return row, written


def abort(ctx: ReducerContext, row: BattleState) -> BattleState:
    """End a battle without rewards and penalties.

    Raises:
        RuleError: ``combat.not_active_state``: it has ended already.
    """
    return advance(ctx, row, *abort_battle(load_battle(ctx.db, row)))[0]


def count_absence(ctx: ReducerContext, row: BattleState, user_id: str, *, is_absent: bool) -> int:
    """Count a missed turn, or forget those before because the user acted.

    Returns:
        Turns missed in a row.
    """
    loadouts = ctx.db[BattleLoadout]
    loadout = loadouts.get(derived_id(row.battle_state_id, user_id))
    turns = loadout.absent_turns + 1 if is_absent else 0
    if turns != loadout.absent_turns:
        loadouts.update(replace(loadout, absent_turns=turns))
    return turns


@message(STORY)
def loadout_arrived(ctx: ReducerContext, payload: Loadout) -> None:
    """Give a player's gear to its combatant; the last one opens the battle."""
    loadouts = ctx.db[BattleLoadout]
    loadout = loadouts.find(derived_id(payload.battle_state_id, payload.user_id))
    row = ctx.db[BattleState].find(payload.battle_state_id)
    if loadout is None or row is None or loadout.has_arrived:
        return
    if row.status is BattleStatus.ENDED:
        release(ctx, row, loadout, [])
        return
    if row.status is not BattleStatus.PREPARING:
        # Too late for this battle; its end frees what was locked.
        return
    loadouts.update(replace(loadout, has_arrived=True, belt=payload.belt))
    _take_level(ctx, payload)
    battle = _armed(ctx.db, load_battle(ctx.db, row), payload)
    if all(each.has_arrived for each in loadouts_of(ctx.db, row.battle_state_id)):
        advance(ctx, row, *start_battle(battle))
    else:
        write_battle(ctx, row, battle, [])


@message(STORY)
def loadout_overdue(ctx: ReducerContext, payload: BattleLoadoutTimer) -> None:
    """Begin without the loadouts that are missing."""
    row = ctx.db[BattleState].find(payload.battle_state_id)
    if row is not None and row.status is BattleStatus.PREPARING:
        advance(ctx, row, *start_battle(load_battle(ctx.db, row)))


@message(STORY)
def turn_overdue(ctx: ReducerContext, payload: BattleTurnTimer) -> None:
    """Guard for a player who let the deadline pass; play for one who is away for long."""
    row = ctx.db[BattleState].find(payload.battle_state_id)
    if row is None or row.status is not BattleStatus.ACTIVE or row.version != payload.version:
        return
    active = ctx.db[BattleCombatant].get(derived_id(row.battle_state_id, row.active_seq))
    assert active.user_id is not None, "a battle waits for players only"
    turns = count_absence(ctx, row, active.user_id, is_absent=True)
    battle = load_battle(ctx.db, row)
    play = apply_timeout if turns <= BATTLE_ABSENT_TURNS_MAX else apply_automatic
    advance(ctx, row, *play(battle))


@message(STORY)
def battle_idle(ctx: ReducerContext, payload: BattleIdleTimer) -> None:
    """Abort a battle that nobody cares for."""
    row = ctx.db[BattleState].find(payload.battle_state_id)
    if row is None or row.status is BattleStatus.ENDED or row.version != payload.version:
        return
    abort(ctx, row)


@message(STORY)
def battle_log_expired(ctx: ReducerContext, payload: BattleLogTimer) -> None:
    """Drop the events of a battle that ended long ago."""
    events = ctx.db[BattleEvent]
    for event in events.filter(battle_state_id=payload.battle_state_id):
        events.delete(event.battle_event_id)


def _take_level(ctx: ReducerContext, loadout: Loadout) -> None:
    """Later hostiles meet the level that the player has by now, wherever it was gained."""
    player = participant_of(ctx.db, loadout.user_id)
    if player is not None:
        ctx.db[StoryPace].upsert(replace(pace_of(ctx.db, player), level=loadout.level))


def _armed(db: DatabaseReader, battle: rules.Battle, loadout: Loadout) -> rules.Battle:
    player = participant_of(db, loadout.user_id)
    return with_loadout(
        battle,
        loadout.user_id,
        loadout.effective_level,
        1 if player is None else player.hp,
        loadout.equipment,
        loadout.belt,
    )
