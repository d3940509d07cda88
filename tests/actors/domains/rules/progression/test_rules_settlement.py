import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import HostileDefeat, HostileRank
from actors.domains.rules.progression import (
    decayed_xp,
    level_difference_permille,
    repeat_permille,
    settle_hostiles,
    spar_xp,
    treasure_xp,
)

LARGE = 1_000_000


def wolf(level=1, xp=12, key="wolf"):
    return HostileDefeat(key, HostileRank.STANDARD, level, xp)


def test_level_differences():
    factors = [level_difference_permille(10 + d, 10) for d in range(-7, 6)]
    assert factors == [100, 100, 400, 400, 700, 700, 1000, 1000, 1000, 1150, 1150, 1300, 1300]


def test_repeats():
    factors = [repeat_permille(nth) for nth in range(1, 12)]
    assert factors == [1000, 1000, 1000, 800, 600, 400, 200, 200, 200, 50, 50]


@pytest.mark.parametrize(
    ("raw", "before", "expected"),
    [(12, 270, 12), (54, 276, 30), (100, 282, 50), (400, 282, 164), (1000, 0, 510)],
)
def test_decay(raw, before, expected):
    assert decayed_xp(raw, before, 282) == expected


@given(st.integers(0, 5000), st.integers(0, 2000), st.integers(0, 1000))
def test_decay_pays_no_more_for_less_and_never_more_than_raw(raw, before, planned):
    paid = decayed_xp(raw, before, planned)
    assert 0 <= paid <= raw
    assert paid <= decayed_xp(raw + 1, before, planned)
    if before + raw <= planned:
        assert paid == raw


def test_six_wolves():
    settled = settle_hostiles([wolf()] * 6, 1, planned=LARGE)
    assert settled.granted == (12, 12, 12, 9, 7, 4)
    assert settled.total == 56
    assert settled.tallies == {"wolf": 6}


def test_farming_one_wolf_ten_times():
    paid, tally = [], 0
    for _ in range(10):
        settled = settle_hostiles(
            [wolf()], 1, planned=282, granted_before=sum(paid), tallies={"wolf": tally}
        )
        paid += settled.granted
        tally = settled.tallies["wolf"]
    assert paid == [12, 12, 12, 9, 7, 4, 2, 2, 2, 1]
    assert tally == 10


def test_the_slime_pack():
    slime = HostileDefeat("slime", HostileRank.MINION, 1, 6)
    settled = settle_hostiles([slime, slime, wolf()], 1, planned=282, tallies={"brute": 1})
    assert (settled.granted, settled.total) == ((6, 6, 12), 24)
    assert settled.tallies == {"slime": 2, "wolf": 1}


def test_factors_apply_in_order_with_floors():
    # 13 at d = 2: 14.95 -> 14; fourth time: 11.2 -> 11; half of it fits beyond the budget: 5.
    settled = settle_hostiles(
        [wolf(3, 13)], 1, planned=100, granted_before=100, tallies={"wolf": 3}
    )
    assert settled.granted == (5,)


def test_a_kill_is_worth_one_before_decay():
    assert settle_hostiles([wolf(1, 1)], 9, planned=LARGE).granted == (1,)
    assert settle_hostiles([wolf(1, 1)], 9, planned=0).granted == (0,)


def test_outside_a_chapter_there_is_no_tally_and_no_decay():
    settled = settle_hostiles([wolf()] * 6, 1, tallies={"wolf": 9})
    assert settled.granted == (12,) * 6
    assert settled.tallies == {}


def test_settling_one_by_one_is_settling_at_once():
    defeats = [wolf(key=key, xp=40) for key in "aabacabba"]
    paid, tallies = [], {}
    for defeat in defeats:
        settled = settle_hostiles(
            [defeat], 1, planned=120, granted_before=sum(paid), tallies=tallies
        )
        paid += settled.granted
        tallies |= settled.tallies
    at_once = settle_hostiles(defeats, 1, planned=120)
    assert at_once.granted == tuple(paid)
    assert at_once.tallies == tallies


def test_spars_and_treasures():
    assert spar_xp(12) == 3
    assert treasure_xp(1) == 6
    assert treasure_xp(5) == 27
