"""Experience grants: what a grant does to a player's progression (domain 3.3, 3.9)."""

from __future__ import annotations

from typing import NamedTuple

from actors.domains.domain_types import GrantSource, PlayerProgressionSnapshot
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import GRANT_AMOUNT_MAX
from actors.domains.rules.progression.levels import (
    TOTAL_XP_MAX,
    level_of,
    xp_floor,
    xp_to_next,
)
from actors.module.types import Timestamp, replace

__all__ = ["Grant", "acknowledge", "check_amount", "default_progression", "grant"]


class Grant(NamedTuple):
    """A progression after a grant; ``granted + discarded`` is the amount asked for."""

    after: PlayerProgressionSnapshot
    granted: int
    discarded: int


def default_progression(user_id: str) -> PlayerProgressionSnapshot:
    """The progression of a user who never was granted anything."""
    return PlayerProgressionSnapshot(
        user_id=user_id,
        level=1,
        current_level_xp=0,
        total_xp=0,
        xp_to_next_level=xp_to_next(1),
        pending_level_ups=0,
        last_granted_source=None,
        created_at=Timestamp(0),
        updated_at=Timestamp(0),
    )


def grant(before: PlayerProgressionSnapshot, amount: int, source: GrantSource) -> Grant:
    """Add experience, up to the last level's floor. The times of the snapshot stay."""
    assert amount >= 0
    total = min(before.total_xp + amount, TOTAL_XP_MAX)
    level = level_of(total)
    granted = total - before.total_xp
    after = replace(
        before,
        level=level,
        current_level_xp=total - xp_floor(level),
        total_xp=total,
        xp_to_next_level=xp_to_next(level),
        pending_level_ups=before.pending_level_ups + level - before.level,
        last_granted_source=source,
    )
    return Grant(after, granted, amount - granted)


def check_amount(amount: int) -> int:
    """The amount itself.

    Raises:
        RuleError: ``progression.amount_out_of_range`` outside 1..1 000 000.
    """
    if not 1 <= amount <= GRANT_AMOUNT_MAX:
        raise RuleError(
            "progression.amount_out_of_range", f"amount must be 1 to {GRANT_AMOUNT_MAX}"
        )
    return amount


def acknowledge(before: PlayerProgressionSnapshot, count: int) -> PlayerProgressionSnapshot:
    """Count level-ups as seen by the player.

    Raises:
        RuleError: ``progression.count_out_of_range``: more than are pending.
    """
    if not 0 <= count <= before.pending_level_ups:
        raise RuleError(
            "progression.count_out_of_range",
            "more level-ups than are pending",
            pending=before.pending_level_ups,
        )
    return replace(before, pending_level_ups=before.pending_level_ups - count)
