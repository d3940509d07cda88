"""Hostile experience: the factors between a kill and what it pays (domain 3.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from actors.domains.domain_types import HostileDefeat
from actors.domains.rules.progression.levels import benchmark

__all__ = [
    "HostileSettlement",
    "decayed_xp",
    "level_difference_permille",
    "repeat_permille",
    "settle_hostiles",
    "spar_xp",
    "treasure_xp",
]


class HostileSettlement(NamedTuple):
    """What a list of defeats pays: experience of each, their sum, and the tallies afterwards.

    ``tallies`` holds only the keys that were defeated, and is empty outside a chapter.
    """

    granted: tuple[int, ...]
    total: int
    tallies: dict[str, int]


def level_difference_permille(hostile_level: int, player_level: int) -> int:
    """Factor for fighting above or below one's level."""
    difference = hostile_level - player_level
    if difference >= 4:
        return 1300
    if difference >= 2:
        return 1150
    if difference >= -1:
        return 1000
    if difference >= -3:
        return 700
    if difference >= -5:
        return 400
    return 100


def repeat_permille(nth_defeat: int) -> int:
    """Factor for the n-th defeat (from 1) of one hostile in a chapter."""
    assert nth_defeat >= 1
    if nth_defeat <= 3:
        return 1000
    if nth_defeat <= 6:
        return {4: 800, 5: 600, 6: 400}[nth_defeat]
    return 200 if nth_defeat <= 9 else 50


def decayed_xp(raw: int, granted_before: int, planned: int) -> int:
    """Experience of one kill against the chapter's hostile budget.

    The bands are measured in granted experience; what crosses a boundary is split there.

    Args:
        raw: experience after the other factors.
        granted_before: the chapter's actual hostile experience so far.
        planned: the chapter's planned hostile experience.
    """
    granted = 0
    bands = ((planned, 1000), (planned * 3 // 2, 500), (planned * 2, 200))
    for upper, permille in bands:
        room = upper - granted_before - granted
        if room <= 0:
            continue
        needed = -(-room * 1000 // permille)
        if raw < needed:
            return granted + raw * permille // 1000
        granted += room
        raw -= needed
    return granted + raw * 50 // 1000


def settle_hostiles(
    defeats: Sequence[HostileDefeat],
    player_level: int,
    *,
    planned: int | None = None,
    granted_before: int = 0,
    tallies: Mapping[str, int] | None = None,
) -> HostileSettlement:
    """Fold a list of defeats, in combatant order.

    Args:
        defeats: who fell, with kill experience.
        player_level: the level before the settlement, for all of them.
        planned: the chapter's planned hostile experience; None outside a chapter, where neither
            repeats nor the budget count.
        granted_before: the chapter's actual hostile experience so far.
        tallies: defeats of each hostile key in the chapter so far.
    """
    counts = dict(tallies or {})
    changed: dict[str, int] = {}
    granted: list[int] = []
    total = 0
    for defeat in defeats:
        raw = defeat.base_xp * level_difference_permille(defeat.level, player_level) // 1000
        if planned is None:
            xp = max(1, raw)
        else:
            nth = counts.get(defeat.hostile_key, 0) + 1
            counts[defeat.hostile_key] = changed[defeat.hostile_key] = nth
            raw = max(1, raw * repeat_permille(nth) // 1000)
            xp = decayed_xp(raw, granted_before + total, planned)
        granted.append(xp)
        total += xp
    return HostileSettlement(tuple(granted), total, changed)


def spar_xp(kill_xp: int) -> int:
    """Experience of the first spar won against an npc in a chapter; counts in no budget."""
    return kill_xp // 4


def treasure_xp(player_effective_level: int) -> int:
    """Experience of an opened treasure; counts in no budget."""
    return benchmark(player_effective_level).base_hostile_xp // 2
