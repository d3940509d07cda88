from __future__ import annotations

import pytest
from user_bench import UserBench, only

from actors.domains.domain_types import WorldKind
from actors.domains.messages import RecordPlayCompletion, RecordPlaySegment, RecordPlayStart
from actors.domains.runtime.profile import ProfileDashboardState, ProfilePlayedWorld
from actors.errors import ReducerError


def start(session: str, world: str = "custom_world:cwp_1") -> RecordPlayStart:
    return RecordPlayStart(
        session, world, WorldKind.CUSTOM_WORLD, "u_owner", "cwp_1", "Vale", "A small one"
    )


def dashboard(bench: UserBench) -> ProfileDashboardState:
    return only(bench.rows(ProfileDashboardState))


def test_a_default_dashboard_is_all_zeros_and_not_written(bench: UserBench) -> None:
    empty = bench.read("get_profile_dashboard", None)
    assert empty == ProfileDashboardState(bench.user_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert bench.written == 0


def test_sessions_of_a_world_are_counted_once_each(bench: UserBench) -> None:
    bench.tell(start("ss_1"))
    bench.tell(start("ss_2"))
    bench.tell(start("ss_1"))
    world = only(bench.rows(ProfilePlayedWorld))
    assert world.played_world_id == f"{bench.user_id}:custom_world:cwp_1"
    assert (world.play_count, world.last_session_id) == (2, "ss_2")
    assert (world.world_title, world.world_owner_user_id) == ("Vale", "u_owner")
    assert world.first_played_at < world.last_played_at
    assert dashboard(bench).played_world_count == 1
    bench.tell(start("ss_3", "custom_world:cwp_2"))
    assert dashboard(bench).played_world_count == 2


def test_play_time_of_a_segment_counts_once(bench: UserBench) -> None:
    bench.tell(start("ss_1"))
    for number, millis in ((1, 30_000), (2, 120_000), (2, 120_000), (1, 30_000)):
        bench.tell(RecordPlaySegment("ss_1", "custom_world:cwp_1", number, millis))
    assert only(bench.rows(ProfilePlayedWorld)).total_play_ms == 150_000
    assert dashboard(bench).total_play_ms == 150_000


def test_a_completion_counts_once_for_its_lineage(bench: UserBench) -> None:
    bench.tell(start("ss_1"))
    for reference, score in (("rs_1:end", 7), ("rs_1:end", 9), ("rs_2:end", 5)):
        bench.tell(RecordPlayCompletion(reference, "custom_world:cwp_1", score))
    world = only(bench.rows(ProfilePlayedWorld))
    assert (world.completed_count, world.best_score) == (2, 7)
    assert dashboard(bench).completed_world_count == 1


def test_worlds_are_listed_by_when_they_were_played(bench: UserBench) -> None:
    for number in (1, 2, 3):
        bench.tell(start(f"ss_{number}", f"custom_world:cwp_{number}"))
    bench.tell(start("ss_4", "custom_world:cwp_1"))
    listed = bench.read("list_played_worlds", None, 2)
    assert [world.world_key for world in listed] == ["custom_world:cwp_1", "custom_world:cwp_3"]
    for limit in (0, 101):
        with pytest.raises(ReducerError, match=r"^input\.out_of_range"):
            bench.read("list_played_worlds", None, limit)
