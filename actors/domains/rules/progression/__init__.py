"""Rules of levels, chapters and experience (domain 3); ruleset version 1 freezes every number."""

from __future__ import annotations

from actors.domains.rules.progression.blueprint import (
    CompiledChapter,
    Encounter,
    EncounterKind,
    compile_chapter,
    distribute_quest_xp,
    fit_threat_budget,
)
from actors.domains.rules.progression.chapter import (
    check_plan,
    plan_chapter,
    pseudo_level,
    xp_at,
)
from actors.domains.rules.progression.deviation import Deviation, deviation
from actors.domains.rules.progression.grant import (
    Grant,
    acknowledge,
    check_amount,
    default_progression,
    grant,
)
from actors.domains.rules.progression.hostile import (
    RANK_FACTORS,
    RankFactors,
    advice_shift,
    hostile_profile,
    hostile_xp,
    profile_at_level,
)
from actors.domains.rules.progression.levels import (
    TOTAL_XP_MAX,
    benchmark,
    effective_level,
    level_of,
    xp_floor,
    xp_to_next,
)
from actors.domains.rules.progression.settlement import (
    HostileSettlement,
    decayed_xp,
    level_difference_permille,
    repeat_permille,
    settle_hostiles,
    spar_xp,
    treasure_xp,
)

__all__ = [
    "RANK_FACTORS",
    "TOTAL_XP_MAX",
    "CompiledChapter",
    "Deviation",
    "Encounter",
    "EncounterKind",
    "Grant",
    "HostileSettlement",
    "RankFactors",
    "acknowledge",
    "advice_shift",
    "benchmark",
    "check_amount",
    "check_plan",
    "compile_chapter",
    "decayed_xp",
    "default_progression",
    "deviation",
    "distribute_quest_xp",
    "effective_level",
    "fit_threat_budget",
    "grant",
    "hostile_profile",
    "hostile_xp",
    "level_difference_permille",
    "level_of",
    "plan_chapter",
    "profile_at_level",
    "pseudo_level",
    "repeat_permille",
    "settle_hostiles",
    "spar_xp",
    "treasure_xp",
    "xp_at",
    "xp_floor",
    "xp_to_next",
]
