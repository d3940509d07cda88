"""Rules of combat: an immutable battle and an intent in, the next battle and events out (4)."""

from __future__ import annotations

from actors.domains.rules.combat.actions import ActionRequest
from actors.domains.rules.combat.engine import (
    abort_battle,
    apply_action,
    apply_automatic,
    apply_timeout,
    spar_won,
    start_battle,
)
from actors.domains.rules.combat.loot import (
    coins_of,
    defeated_hostiles,
    defeats_of,
    merge_grants,
    roll_loot,
    roll_table,
)
from actors.domains.rules.combat.setup import (
    companion_combatant,
    hostile_combatant,
    player_combatant,
    prepare_battle,
    with_loadout,
)
from actors.domains.rules.combat.skills import STARTER_SKILLS, normalise_skill
from actors.domains.rules.combat.state import (
    Battle,
    BattleEvent,
    BattleEventKind,
    BattleMode,
    BattleSide,
    BattleStatus,
    CombatAction,
    Combatant,
    CombatantKind,
    CombatOutcome,
)
from actors.domains.rules.combat.stats import player_stats

__all__ = [
    "STARTER_SKILLS",
    "ActionRequest",
    "Battle",
    "BattleEvent",
    "BattleEventKind",
    "BattleMode",
    "BattleSide",
    "BattleStatus",
    "CombatAction",
    "CombatOutcome",
    "Combatant",
    "CombatantKind",
    "abort_battle",
    "apply_action",
    "apply_automatic",
    "apply_timeout",
    "coins_of",
    "companion_combatant",
    "defeated_hostiles",
    "defeats_of",
    "hostile_combatant",
    "merge_grants",
    "normalise_skill",
    "player_combatant",
    "player_stats",
    "prepare_battle",
    "roll_loot",
    "roll_table",
    "spar_won",
    "start_battle",
    "with_loadout",
]
