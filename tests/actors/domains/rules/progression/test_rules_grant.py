import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import GrantSource, PlayerProgressionSnapshot
from actors.domains.rules.errors import RuleError
from actors.domains.rules.progression import (
    TOTAL_XP_MAX,
    acknowledge,
    check_amount,
    default_progression,
    grant,
    xp_floor,
)
from actors.module.types import Timestamp, replace

FRESH = default_progression("u_1")


def reached(total):
    return grant(FRESH, total, GrantSource.ADMIN).after


def test_the_default_progression():
    assert PlayerProgressionSnapshot(
        "u_1", 1, 0, 0, 100, 0, None, Timestamp(0), Timestamp(0)
    ) == default_progression("u_1")


# total before, amount; level, in level, to next, total, more pending, granted, discarded
VECTORS = [
    (0, 24, (1, 24, 100, 24, 0, 24, 0)),
    (24, 400, (3, 160, 244, 424, 2, 400, 0)),
    (0, 100, (2, 0, 164, 100, 1, 100, 0)),
    (0, 848, (5, 0, 452, 848, 4, 848, 0)),
    (374_900, 100, (50, 0, 0, 374_948, 1, 48, 52)),
    (374_948, 100, (50, 0, 0, 374_948, 0, 0, 100)),
]


@pytest.mark.parametrize(("total", "amount", "expected"), VECTORS)
def test_grants(total, amount, expected):
    before = reached(total)
    after, granted, discarded = grant(before, amount, GrantSource.QUEST)
    assert expected == (
        after.level,
        after.current_level_xp,
        after.xp_to_next_level,
        after.total_xp,
        after.pending_level_ups - before.pending_level_ups,
        granted,
        discarded,
    )
    assert after.last_granted_source is GrantSource.QUEST


def test_the_last_level_but_one_shows_its_bar():
    before = reached(374_900)
    assert (before.level, before.current_level_xp, before.xp_to_next_level) == (49, 21_172, 21_220)


@given(st.lists(st.integers(0, 100_000), max_size=8))
def test_grants_add_up(amounts):
    state, granted, discarded = FRESH, 0, 0
    for amount in amounts:
        outcome = grant(state, amount, GrantSource.QUEST)
        state = outcome.after
        granted += outcome.granted
        discarded += outcome.discarded
        assert state.total_xp == xp_floor(state.level) + state.current_level_xp
    assert state.total_xp == granted == min(sum(amounts), TOTAL_XP_MAX)
    assert granted + discarded == sum(amounts)
    assert state.pending_level_ups == state.level - 1


def test_level_ups_are_acknowledged_once():
    before = replace(FRESH, pending_level_ups=2)
    after = acknowledge(before, 2)
    assert after.pending_level_ups == 0
    with pytest.raises(RuleError) as refused:
        acknowledge(after, 1)
    assert refused.value.code == "progression.count_out_of_range"
    with pytest.raises(RuleError):
        acknowledge(before, 3)


@pytest.mark.parametrize("amount", [0, 1_000_001, -1])
def test_amounts_out_of_range(amount):
    assert check_amount(1) == 1
    assert check_amount(1_000_000) == 1_000_000
    with pytest.raises(RuleError) as refused:
        check_amount(amount)
    assert refused.value.code == "progression.amount_out_of_range"
