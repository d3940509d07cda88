"""Tuning: the check of domain 4.2 that must stay true whatever else changes."""

from __future__ import annotations

from typing import Final, NamedTuple

from fights import KINDS, PACK, Setup, fight

__all__ = ["TUNING", "Bound", "Verdict", "check_tuning"]


class Bound(NamedTuple):
    """A setup, and the share of wins that it must reach or stay below (permille)."""

    name: str
    setup: Setup
    at_least: int | None = None
    below: int | None = None


TUNING: Final = (
    Bound("L1, two minions and a standard", Setup(1, PACK), at_least=990),
    Bound("L3, elite L3", Setup(3, KINDS["elite"]), at_least=990),
    Bound("L5, boss L6", Setup(5, KINDS["boss"]), at_least=990),
    Bound("L10, three standards L10", Setup(10, KINDS["3 standards"]), at_least=990),
    Bound("L5, boss L6, basic attacks alone", Setup(5, KINDS["boss"], "basic only"), below=200),
)


class Verdict(NamedTuple):
    """A bound after its fights."""

    bound: Bound
    wins: int
    fought: int

    @property
    def passed(self) -> bool:
        """Whether the share of wins is where it must be."""
        at_least, below = self.bound.at_least, self.bound.below
        share = self.wins * 1000
        return (at_least is None or share >= at_least * self.fought) and (
            below is None or share < below * self.fought
        )


def check_tuning(fights: int, seed: int) -> list[Verdict]:
    """Fight every row of the table."""
    return [Verdict(bound, fight(bound.setup, fights, seed).wins, fights) for bound in TUNING]
