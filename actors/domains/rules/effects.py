"""Lasting effects as authored: which kinds do what, and the bounds of their values (domain 4.3)."""

from __future__ import annotations

from typing import Final

from actors.domains.domain_types import SkillStatus, StatusKind

__all__ = ["DOT_KINDS", "HARMFUL_KINDS", "normalise_status"]

DOT_KINDS: Final = (StatusKind.BURN, StatusKind.POISON, StatusKind.BLEED)
"""Statuses that take hp at the start of the own turn, in the order they act (domain 4.4)."""

HARMFUL_KINDS: Final = frozenset(
    {*DOT_KINDS, StatusKind.STUN, StatusKind.WEAKEN, StatusKind.SLOW, StatusKind.MARK}
)
"""Statuses that are aimed at enemies and that a cure removes."""

_DOT_POTENCY_MAX: Final = 80
_POTENCY_MAX: Final = 500


def normalise_status(status: SkillStatus | None) -> SkillStatus | None:
    """The status within bounds. STUN_IMMUNE follows from stuns alone, so it is dropped here."""
    if status is None or status.kind is StatusKind.STUN_IMMUNE:
        return None
    potency_max = _DOT_POTENCY_MAX if status.kind in DOT_KINDS else _POTENCY_MAX
    return SkillStatus(
        kind=status.kind,
        turns=min(max(status.turns, 1), 4),
        potency=min(max(status.potency, 0), potency_max),
        chance_permille=min(max(status.chance_permille, 0), 1000),
    )
