from __future__ import annotations

import pytest
from user_bench import SERVICE, UserBench, claims, only

from actors.domains.domain_types import GrantSource
from actors.domains.gameplay.progression import PlayerProgression, ProgressionGrantLog
from actors.domains.runtime.profile import ProfileDashboardState
from actors.errors import ReducerError

ADMIN = GrantSource.ADMIN


def give(bench: UserBench, amount: int, reference: str = "g1") -> object:
    return bench.serve("grant_player_progression_experience", amount, ADMIN, reference, None)


def test_without_a_grant_the_default_is_answered_and_nothing_written(bench: UserBench) -> None:
    answer = bench.read("get_player_progression_or_default", None)
    assert answer == (bench.user_id, 1, 0, 0, 100, 0, None, 0, 0)
    assert bench.view("my_player_progression") == []
    assert bench.written == 0


def test_a_grant_counts_once_for_its_source(bench: UserBench) -> None:
    give(bench, 24, "before")
    first = give(bench, 400)
    assert (first.level, first.current_level_xp, first.xp_to_next_level) == (3, 160, 244)
    assert (first.total_xp, first.pending_level_ups) == (424, 2)
    assert first.last_granted_source is ADMIN
    again = give(bench, 400)
    assert again == first
    log = sorted(bench.rows(ProgressionGrantLog), key=lambda row: row.created_at)
    assert [(row.source_ref, row.amount_granted) for row in log] == [("before", 24), ("g1", 400)]
    assert (log[1].level_before, log[1].level_after) == (1, 3)
    assert only(bench.rows(ProfileDashboardState)).highest_level == 3
    assert bench.view("my_player_progression") == [first]
    assert bench.read("get_player_progression_or_default", None) == first


def test_the_row_keeps_its_first_time(bench: UserBench) -> None:
    created_at = give(bench, 1, "a").created_at
    row = give(bench, 1, "b")
    assert row.created_at == created_at < row.updated_at
    assert only(bench.rows(PlayerProgression)) == row


def test_what_is_beyond_the_last_level_is_discarded(bench: UserBench) -> None:
    give(bench, 374_900, "a")
    after = give(bench, 100, "b")
    assert (after.level, after.current_level_xp, after.xp_to_next_level) == (50, 0, 0)
    log = max(bench.rows(ProgressionGrantLog), key=lambda row: row.created_at)
    assert (log.amount_requested, log.amount_granted, log.amount_discarded) == (100, 48, 52)


@pytest.mark.parametrize("amount", [0, 1_000_001])
def test_amounts_out_of_range_are_refused(bench: UserBench, amount: int) -> None:
    with pytest.raises(ReducerError, match=r"^progression\.amount_out_of_range"):
        give(bench, amount)
    assert bench.written == 0


def test_players_grant_nothing_and_read_nobody_else(bench: UserBench) -> None:
    fields = (bench.user_id, 10, ADMIN, "ref", None)
    with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
        bench.call("grant_player_progression_experience", *fields)
    stranger = UserBench(claims(2))
    with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
        stranger.call("grant_player_progression_experience", *fields)
    with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
        stranger.read("get_player_progression_or_default", bench.user_id)
    assert bench.read("get_player_progression_or_default", bench.user_id).level == 1
    assert bench.written == stranger.written == 0


def test_a_source_reference_is_an_id_with_room_for_more(bench: UserBench) -> None:
    for reference in ("with space", "r" * 121, ""):
        with pytest.raises(ReducerError, match=r"^input\.invalid_id"):
            give(bench, 1, reference)
    give(bench, 1, "r" * 120)


def test_level_ups_are_acknowledged_up_to_what_is_pending(bench: UserBench) -> None:
    give(bench, 424)
    bench.call("acknowledge_level_ups", 0)
    with pytest.raises(ReducerError, match=r"^progression\.count_out_of_range"):
        bench.call("acknowledge_level_ups", 3)
    bench.call("acknowledge_level_ups", 2)
    assert only(bench.view("my_player_progression")).pending_level_ups == 0
    with pytest.raises(ReducerError, match=r"^progression\.count_out_of_range"):
        bench.call("acknowledge_level_ups", 1)


def test_a_service_grant_needs_no_account(bench: UserBench) -> None:
    bench.call(
        "grant_player_progression_experience", bench.user_id, 5, ADMIN, "r", None, by=SERVICE
    )
    assert only(bench.rows(PlayerProgression)).user_id == bench.user_id
