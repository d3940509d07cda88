"""A player's action: every check before it, then its effect (domain 4.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from actors.domains.domain_types import (
    ItemCategory,
    ItemUseEffect,
    RuntimeItemDefinition,
    SkillDef,
    SkillStatus,
    SkillTarget,
    StatusKind,
)
from actors.domains.rules.combat.arena import Arena, Fighter
from actors.domains.rules.combat.attack import basic_attack, resolve_attack, use_skill
from actors.domains.rules.combat.state import BattleEventKind, CombatAction, CombatOutcome
from actors.domains.rules.combat.statuses import apply_status, cure, roll_status
from actors.domains.rules.effects import HARMFUL_KINDS
from actors.domains.rules.errors import RuleError
from actors.module.types import replace

__all__ = ["ActionRequest", "escape_permille", "guard", "perform"]

_GUARD: Final = SkillStatus(StatusKind.GUARD, 1, 500, 1000)


class ActionRequest(NamedTuple):
    """What a user wants to do; ``expected_version`` None asks for no version check."""

    user_id: str
    action: CombatAction
    expected_version: int | None = None
    skill_id: str | None = None
    item_id: str | None = None
    target_seq: int | None = None


def perform(
    arena: Arena,
    fighter: Fighter,
    request: ActionRequest,
    items: Mapping[str, RuntimeItemDefinition],
) -> None:
    """Check the action of the fighter whose turn it is, and carry it out.

    Raises:
        RuleError: with the code of the first check that fails; the arena is then unchanged.
    """
    match request.action:
        case CombatAction.BASIC_ATTACK:
            target = _choose(arena.opponents(fighter), request.target_seq)
            basic_attack(arena, fighter, target)
        case CombatAction.SKILL:
            skill = _ready_skill(fighter, request.skill_id)
            use_skill(arena, fighter, skill, _skill_target(arena, fighter, skill, request))
        case CombatAction.GUARD:
            guard(arena, fighter, BattleEventKind.GUARDED)
        case CombatAction.USE_ITEM:
            _use_item(arena, fighter, request, items)
        case CombatAction.ESCAPE:
            _escape(arena, fighter)
        case CombatAction.YIELD:
            if not arena.is_spar:
                raise RuleError("combat.yield_not_allowed", "only a spar can be yielded")
            arena.emit(BattleEventKind.YIELDED, fighter.seq, 0, 0, "yield")
            arena.outcome = CombatOutcome.SPAR_COMPLETE


def guard(arena: Arena, fighter: Fighter, kind: BattleEventKind) -> None:
    """Halve the damage taken until the fighter's next turn."""
    arena.emit(kind, fighter.seq, fighter.seq, 0, "guard")
    apply_status(arena, fighter, fighter, _GUARD)


def escape_permille(arena: Arena, fighter: Fighter) -> int:
    """How likely an escape succeeds; every failure before helps."""
    speeds = [one.speed for one in arena.opponents(fighter)]
    lead = fighter.speed - sum(speeds) // len(speeds)
    return min(max(500 + 5 * lead + 150 * arena.escape_attempts, 100), 950)


def _escape(arena: Arena, fighter: Fighter) -> None:
    _check_escape(arena)
    if arena.rng.permille() < escape_permille(arena, fighter):
        arena.emit(BattleEventKind.ESCAPED, fighter.seq, 0, 0, "escape")
        arena.outcome = CombatOutcome.ESCAPED
    else:
        arena.emit(BattleEventKind.ESCAPE_FAILED, fighter.seq, 0, 0, "escape")
        arena.escape_attempts += 1


def _check_escape(arena: Arena) -> None:
    if arena.is_spar or arena.battle.escape_blocked:
        raise RuleError("combat.escape_blocked", "nobody escapes from a spar or a boss")


def _choose(legal: list[Fighter], target_seq: int | None) -> Fighter:
    if target_seq is None and len(legal) == 1:
        return legal[0]
    for fighter in legal:
        if fighter.seq == target_seq:
            return fighter
    raise RuleError(
        "combat.target_invalid",
        "the target is not one of the legal ones",
        legal=[fighter.seq for fighter in legal],
    )


def _ready_skill(fighter: Fighter, skill_id: str | None) -> SkillDef:
    for skill in fighter.row.skills:
        if skill.skill_id == skill_id:
            break
    else:
        raise RuleError("combat.skill_unknown", "the fighter does not have this skill")
    turns_left = fighter.cooldowns.get(skill.skill_id)
    if turns_left is not None:
        raise RuleError("combat.skill_on_cooldown", "the skill is not ready", turns_left=turns_left)
    if fighter.mana < skill.mana_cost:
        raise RuleError(
            "combat.mana_insufficient",
            "the skill costs more mana than there is",
            mana=fighter.mana,
            mana_cost=skill.mana_cost,
        )
    return skill


def _skill_target(
    arena: Arena, fighter: Fighter, skill: SkillDef, request: ActionRequest
) -> Fighter:
    match skill.target:
        case SkillTarget.SELF:
            return _choose([fighter], request.target_seq)
        case SkillTarget.ALLY:
            return _choose(arena.friends(fighter), request.target_seq)
        case SkillTarget.ENEMY:
            return _choose(arena.opponents(fighter), request.target_seq)
        case SkillTarget.ALL_ENEMIES:
            enemies = arena.opponents(fighter)
            return (
                enemies[0] if request.target_seq is None else _choose(enemies, request.target_seq)
            )


def _use_item(
    arena: Arena,
    fighter: Fighter,
    request: ActionRequest,
    items: Mapping[str, RuntimeItemDefinition],
) -> None:
    item_id, effect = _belt_item(fighter, request.item_id, items)
    if effect.escape:
        _check_escape(arena)
    is_hostile = effect.damage_power > 0 or (
        effect.status is not None and effect.status.kind in HARMFUL_KINDS
    )
    side = arena.opponents(fighter) if is_hostile else arena.friends(fighter)
    target = fighter if effect.escape else _choose(side, request.target_seq)
    fighter.belt = [
        replace(stack, quantity=stack.quantity - 1) if stack.item_id == item_id else stack
        for stack in fighter.belt
        if stack.item_id != item_id or stack.quantity > 1
    ]
    arena.emit(BattleEventKind.ITEM_USED, fighter.seq, target.seq, 1, item_id)
    _apply_effect(arena, fighter, target, item_id, effect, is_hostile=is_hostile)


def _belt_item(
    fighter: Fighter, item_id: str | None, items: Mapping[str, RuntimeItemDefinition]
) -> tuple[str, ItemUseEffect]:
    definition = None if item_id is None else items.get(item_id)
    if (
        definition is None
        or definition.category is not ItemCategory.CONSUMABLE
        or definition.use_effect is None
        or not any(stack.item_id == item_id and stack.quantity for stack in fighter.belt)
    ):
        raise RuleError("combat.item_unavailable", "the belt holds no such consumable")
    return definition.item_id, definition.use_effect


def _apply_effect(
    arena: Arena,
    fighter: Fighter,
    target: Fighter,
    item_id: str,
    effect: ItemUseEffect,
    *,
    is_hostile: bool,
) -> None:
    landed = True
    if is_hostile:
        landed = resolve_attack(arena, fighter, target, effect.damage_power, item_id)
    if effect.status is not None and landed:
        roll_status(arena, fighter, target, effect.status)
    friend = fighter if is_hostile else target
    if effect.heal_permille:
        points = friend.stats.max_hp * effect.heal_permille // 1000
        arena.gain_hp(friend, points, fighter.seq, item_id)
    if effect.mana_permille:
        mana = friend.stats.max_mana * effect.mana_permille // 1000
        friend.mana = min(friend.mana + mana, friend.stats.max_mana)
    if effect.cure:
        cure(arena, fighter, friend)
    if effect.escape:
        arena.emit(BattleEventKind.ESCAPED, fighter.seq, 0, 0, item_id)
        arena.outcome = CombatOutcome.ESCAPED
