"""Whatever authors, readers, moderators and workers call, the laws of creation hold."""

from __future__ import annotations

from random import SystemRandom

import pytest
from random_creation import create

_STEPS = 100
_CHANCE = SystemRandom().randrange(1_000, 1_000_000)
"""A seed that nobody has chosen; the error of a failing run names it."""


@pytest.mark.parametrize("seed", [1, 2, 5, 6])
def test_the_laws_of_creation_hold_whatever_is_called(seed: int) -> None:
    one = create(seed, _STEPS)
    assert sum(one.accepted.values()) > _STEPS // 4
    assert sum(one.refused.values()) > _STEPS // 8


def test_the_laws_of_creation_hold_for_a_seed_that_nobody_has_chosen() -> None:
    create(_CHANCE, _STEPS)


def test_a_seed_always_creates_the_same() -> None:
    one, two = create(13, 40), create(13, 40)
    assert (one.accepted, one.refused) == (two.accepted, two.refused)
    assert one.rows == two.rows
