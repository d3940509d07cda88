"""Lasting effects: how they come, act at the start of a turn, and run out (domain 4.3, 4.4)."""

from __future__ import annotations

from actors.domains.domain_types import SkillStatus, StatusInstance, StatusKind
from actors.domains.rules.combat.arena import Arena, Fighter
from actors.domains.rules.combat.state import BattleEventKind
from actors.domains.rules.effects import DOT_KINDS, HARMFUL_KINDS
from actors.module.types import replace

__all__ = ["apply_status", "begin_turn", "cure", "end_turn", "roll_status"]


def roll_status(arena: Arena, source: Fighter, target: Fighter, status: SkillStatus) -> None:
    """Apply a status if chance lets it; one draw unless it is certain."""
    if status.chance_permille < 1000 and arena.rng.permille() >= status.chance_permille:
        return
    apply_status(arena, source, target, status)


def apply_status(arena: Arena, source: Fighter, target: Fighter, status: SkillStatus) -> None:
    """Put a status on a living fighter, or refresh the one of its kind.

    One's own status gets a turn more, because the end of the running turn already counts. A stun
    is neither renewed nor put on while the immunity that follows it lasts.
    """
    if not target.alive:
        return
    held = target.statuses.get(status.kind)
    if status.kind is StatusKind.STUN and (held or StatusKind.STUN_IMMUNE in target.statuses):
        return
    turns = status.turns + (1 if source is target else 0)
    potency = status.potency
    if held is not None:
        turns, potency = max(turns, held.turns_left), max(potency, held.potency)
    target.set_status(StatusInstance(status.kind, turns, potency, source.seq))
    arena.emit(
        BattleEventKind.STATUS_APPLIED, source.seq, target.seq, turns, status.kind.name.lower()
    )


def cure(arena: Arena, source: Fighter, target: Fighter) -> None:
    """Take every harmful status off."""
    for kind in [kind for kind in target.statuses if kind in HARMFUL_KINDS]:
        _expire(arena, source.seq, target, kind)


def begin_turn(arena: Arena, fighter: Fighter) -> bool:
    """What happens before a fighter acts.

    Returns:
        Whether the fighter can act: it lives and is not stunned.
    """
    fighter.shield //= 2
    regen = fighter.statuses.get(StatusKind.REGEN)
    if regen is not None:
        points = fighter.stats.max_hp * regen.potency // 1000
        arena.gain_hp(fighter, points, regen.source_seq, "regen")
    for kind in DOT_KINDS:
        dot = fighter.statuses.get(kind)
        if dot is not None and fighter.alive:
            points = max(1, fighter.stats.max_hp * dot.potency // 1000)
            cause = kind.name.lower()
            arena.emit(BattleEventKind.DOT_TICK, dot.source_seq, fighter.seq, points, cause)
            arena.lose_hp(fighter, points, dot.source_seq, cause)
    if not fighter.alive:
        return False
    is_stunned = StatusKind.STUN in fighter.statuses
    if is_stunned:
        arena.emit(BattleEventKind.STUNNED, fighter.seq, fighter.seq, 0, "stun")
    if StatusKind.GUARD in fighter.statuses:
        _expire(arena, fighter.seq, fighter, StatusKind.GUARD)
    return not is_stunned


def end_turn(arena: Arena, fighter: Fighter) -> None:
    """What happens after a living fighter has acted or was stunned."""
    fighter.cooldowns = {
        skill_id: turns - 1 for skill_id, turns in fighter.cooldowns.items() if turns > 1
    }
    was_stunned = StatusKind.STUN in fighter.statuses
    for kind, status in list(fighter.statuses.items()):
        if status.turns_left > 1:
            fighter.statuses[kind] = replace(status, turns_left=status.turns_left - 1)
        else:
            _expire(arena, fighter.seq, fighter, kind)
    if was_stunned and StatusKind.STUN not in fighter.statuses:
        fighter.set_status(StatusInstance(StatusKind.STUN_IMMUNE, 1, 0, fighter.seq))
    fighter.mana = min(fighter.mana + 2, fighter.stats.max_mana)


def _expire(arena: Arena, actor_seq: int, fighter: Fighter, kind: StatusKind) -> None:
    del fighter.statuses[kind]
    arena.emit(BattleEventKind.STATUS_EXPIRED, actor_seq, fighter.seq, 0, kind.name.lower())
