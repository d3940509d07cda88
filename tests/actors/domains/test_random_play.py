"""Whatever people call, in whatever order, the laws of the game hold after every call."""

from __future__ import annotations

from random import SystemRandom

import pytest
from random_play import play

_STEPS = 300
_CHANCE = SystemRandom().randrange(1_000, 1_000_000)
"""A seed that nobody has chosen; the error of a failing run names it."""


@pytest.mark.parametrize("seed", [1, 2, 3, 5, 8])
def test_the_laws_hold_whatever_is_called(seed: int) -> None:
    one = play(seed, _STEPS)
    assert sum(one.accepted.values()) > _STEPS // 5
    assert sum(one.refused.values()) > _STEPS // 10


def test_the_laws_hold_for_a_seed_that_nobody_has_chosen() -> None:
    play(_CHANCE, _STEPS)


def test_a_seed_always_plays_the_same() -> None:
    one, two = play(13, 100), play(13, 100)
    assert (one.accepted, one.refused) == (two.accepted, two.refused)
    assert one.rows == two.rows
