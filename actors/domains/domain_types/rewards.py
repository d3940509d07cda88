"""Structs of the unified reward settlement (domain 1.12, 5.7)."""

from __future__ import annotations

from actors.domains.domain_types.items import ItemGrant
from actors.domains.domain_types.shared import GrantSource, HostileRank
from actors.module.types import i32, i64, struct, u32

__all__ = [
    "AffinityDelta",
    "HostileDefeat",
    "RewardBundle",
    "SettlementResult",
]


@struct
class AffinityDelta:
    """A change of an npc's affinity and why."""

    npc_key: str
    delta: i32
    reason: str


@struct
class HostileDefeat:
    """One defeated combatant; ``base_xp`` is its kill experience before any factor."""

    hostile_key: str
    rank: HostileRank
    level: u32
    base_xp: u32


@struct
class RewardBundle:
    """Everything one event pays to one user, settled in one transaction (domain 12.2)."""

    source: GrantSource
    source_ref: str
    chapter_id: str | None
    quest_xp: u32
    hostile_defeats: list[HostileDefeat]
    flat_xp: u32
    items: list[ItemGrant]
    consume_items: list[ItemGrant]
    affinity: list[AffinityDelta]
    wallet_delta: i64


@struct
class SettlementResult:
    """What a settled bundle came to; ``replayed`` when it had been paid before."""

    replayed: bool
    xp_granted: u32
    level_before: u32
    level_after: u32
    levels_gained: u32
    items_granted: list[ItemGrant]
    items_overflowed: list[ItemGrant]
    wallet_balance: i64 | None
