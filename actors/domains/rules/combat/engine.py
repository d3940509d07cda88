"""The battle engine: a battle and a player's intent in, the next battle and its events out (4.4).

Every function is pure: the battle given stays as it is, and equal battles with equal intents give
equal results. One call resolves a player's action and every turn after it up to the next turn of a
player, or to the end.
"""

from __future__ import annotations

from collections.abc import Mapping

from actors.domains.domain_types import RuntimeItemDefinition
from actors.domains.rules.combat.actions import ActionRequest, guard, perform
from actors.domains.rules.combat.arena import Arena, Fighter, spar_limit
from actors.domains.rules.combat.decision import take_ai_turn
from actors.domains.rules.combat.state import (
    Battle,
    BattleEvent,
    BattleEventKind,
    BattleStatus,
    CombatantKind,
    CombatOutcome,
)
from actors.domains.rules.combat.statuses import begin_turn, end_turn
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import TURNS_PER_ACTION_MAX

__all__ = [
    "abort_battle",
    "apply_action",
    "apply_automatic",
    "apply_timeout",
    "round_order",
    "spar_won",
    "start_battle",
]


def start_battle(battle: Battle) -> tuple[Battle, list[BattleEvent]]:
    """Open round 1 of a prepared battle and run to the first turn of a player, or to the end."""
    assert battle.status is BattleStatus.PREPARING
    arena = Arena(battle)
    _run_on(arena)
    return arena.freeze()


def apply_action(
    battle: Battle, request: ActionRequest, items: Mapping[str, RuntimeItemDefinition]
) -> tuple[Battle, list[BattleEvent]]:
    """Resolve a user's action.

    Args:
        battle: as stored.
        request: what the user wants.
        items: definitions of everything that can be on a belt.

    Raises:
        RuleError: a code of domain 4.6, of the first check that fails in the order of its table.
    """
    _check_active(battle)
    if request.expected_version not in {None, battle.version}:
        raise RuleError(
            "combat.stale_version", "the battle went on meanwhile", current=battle.version
        )
    arena = Arena(battle)
    fighter = arena.fighters[battle.active_seq]
    if fighter.row.user_id != request.user_id:
        if any(row.user_id == request.user_id for row in battle.combatants):
            raise RuleError("combat.not_your_turn", "another combatant has the turn")
        raise RuleError("combat.not_participant", "the user controls no combatant")
    perform(arena, fighter, request, items)
    return _finish(arena, fighter)


def apply_timeout(battle: Battle) -> tuple[Battle, list[BattleEvent]]:
    """Guard for a player who let the turn's deadline pass (domain 4.5).

    Raises:
        RuleError: ``combat.not_active_state``.
    """
    _check_active(battle)
    arena = Arena(battle)
    fighter = arena.fighters[battle.active_seq]
    guard(arena, fighter, BattleEventKind.TIMEOUT_GUARD)
    return _finish(arena, fighter)


def apply_automatic(battle: Battle) -> tuple[Battle, list[BattleEvent]]:
    """Let the rules play the turn of a player who is away for long (domain 4.5).

    Raises:
        RuleError: ``combat.not_active_state``.
    """
    _check_active(battle)
    arena = Arena(battle)
    fighter = arena.fighters[battle.active_seq]
    take_ai_turn(arena, fighter)
    return _finish(arena, fighter)


def abort_battle(battle: Battle) -> tuple[Battle, list[BattleEvent]]:
    """End a battle without rewards and penalties.

    Raises:
        RuleError: ``combat.not_active_state``: it has ended already.
    """
    if battle.status is BattleStatus.ENDED:
        raise RuleError("combat.not_active_state", "the battle has ended")
    arena = Arena(battle)
    arena.outcome = CombatOutcome.ABORTED
    return arena.freeze()


def spar_won(battle: Battle) -> bool:
    """Whether a spar was completed in the players' favour: their partner had enough."""
    return battle.outcome is CombatOutcome.SPAR_COMPLETE and any(
        row.hp <= spar_limit(row.stats.max_hp)
        for row in battle.combatants
        if row.kind is CombatantKind.SPAR_PARTNER
    )


def round_order(arena: Arena) -> list[int]:
    """Who acts when in a new round: one draw for every living combatant, by seq."""
    initiative = [
        (-(fighter.speed + arena.rng.below(21)), fighter.row.side, fighter.seq)
        for fighter in arena.fighters.values()
        if fighter.alive
    ]
    return [seq for _, _, seq in sorted(initiative)]


def _check_active(battle: Battle) -> None:
    if battle.status is not BattleStatus.ACTIVE:
        raise RuleError("combat.not_active_state", "the battle is not active")


def _finish(arena: Arena, fighter: Fighter) -> tuple[Battle, list[BattleEvent]]:
    """Close the turn that was just played and go on from there."""
    _close_turn(arena, fighter)
    _run_on(arena)
    return arena.freeze()


def _run_on(arena: Arena) -> None:
    """Play turns until a player has one or the battle ends."""
    for _ in range(TURNS_PER_ACTION_MAX):
        if arena.has_ended:
            return
        fighter = _next_fighter(arena)
        can_act = begin_turn(arena, fighter)
        arena.decide()
        if can_act and not arena.has_ended:
            if fighter.row.kind is CombatantKind.PLAYER:
                return
            take_ai_turn(arena, fighter)
        _close_turn(arena, fighter)
    raise AssertionError("a battle does not come back to its players")


def _close_turn(arena: Arena, fighter: Fighter) -> None:
    arena.decide()
    if fighter.alive and not arena.has_ended:
        end_turn(arena, fighter)


def _next_fighter(arena: Arena) -> Fighter:
    """The next living combatant of the turn order, in a new round if this one is over."""
    position = arena.turn_index + 1 if arena.active_seq else 0
    while True:
        for index in range(position, len(arena.turn_order)):
            fighter = arena.fighters[arena.turn_order[index]]
            if fighter.alive:
                arena.turn_index, arena.active_seq = index, fighter.seq
                return fighter
        arena.round += 1
        arena.turn_order = round_order(arena)
        arena.emit(BattleEventKind.ROUND_STARTED, 0, 0, 0, "round")
        position = 0
