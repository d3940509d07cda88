from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from user_bench import SERVICE, UserBench, claims, only
from vale_bench import PROFILE, RefusedError, playing

from actors.domains.domain_types import GrantSource, PaceBand
from actors.domains.gameplay.progression import PlayerProgression, ProgressionGrantLog
from actors.domains.rules.progression import level_of, xp_floor
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


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 200_000)), max_size=10))
def test_the_total_is_the_sum_of_the_grant_log(grants: list[tuple[str, int]]) -> None:
    bench = UserBench()
    for reference, amount in grants:
        give(bench, amount, reference)
    log = bench.rows(ProgressionGrantLog)
    state = bench.read("get_player_progression_or_default", None)
    assert {row.source_ref for row in log} == {reference for reference, _ in grants}
    assert len(log) == len({reference for reference, _ in grants})
    assert state.total_xp == sum(row.amount_granted for row in log)
    assert all(row.amount_granted + row.amount_discarded == row.amount_requested for row in log)
    assert state.level == level_of(state.total_xp) == 1 + state.pending_level_ups
    assert state.current_level_xp == state.total_xp - xp_floor(state.level)
    assert sum(row.level_after - row.level_before for row in log) == state.level - 1


# Domain 3.10: caller, call, input after the user id, refusal. A level-up is pending twice.
PLAN = (f"{PROFILE}:c9", 1, 5, 1000, 5200, 1, 5, 938, 656, 282, 10, 1, PaceBand.OPENING, False)


def plan(position: int, value: int) -> tuple[object, ...]:
    return (*PLAN[:position], value, *PLAN[position + 1 :])


GRANT, UPSERT = "grant_player_progression_experience", "upsert_chapter_progression"
LEDGER = "apply_chapter_progression_ledger_entry"
BAD_INPUT = [
    ("player", GRANT, (10, ADMIN, "own", None), "auth.forbidden"),
    ("player", UPSERT, PLAN, "auth.forbidden"),
    ("player", LEDGER, (f"{PROFILE}:c1", 1, 1, 1, None, "own"), "auth.forbidden"),
    ("service", GRANT, (0, ADMIN, "none", None), "progression.amount_out_of_range"),
    ("service", GRANT, (1_000_001, ADMIN, "much", None), "progression.amount_out_of_range"),
    ("service", UPSERT, plan(8, 655), "progression.invalid_plan"),
    ("service", UPSERT, plan(1, 0), "progression.invalid_plan"),
    ("service", UPSERT, plan(1, 6), "progression.invalid_plan"),
    ("service", UPSERT, plan(2, 25), "progression.invalid_plan"),
    ("service", UPSERT, plan(4, 1000), "progression.invalid_plan"),
    ("service", UPSERT, plan(5, 2), "progression.invalid_plan"),
    (
        "service",
        LEDGER,
        (f"{PROFILE}:c9", 1, 0, 0, None, "entry"),
        "progression.chapter_not_found",
    ),
    ("player", "acknowledge_level_ups", (3,), "progression.count_out_of_range"),
]


@pytest.mark.parametrize(("who", "name", "fields", "code"), BAD_INPUT)
async def test_bad_input_is_refused_and_changes_nothing(
    who: str, name: str, fields: tuple[object, ...], code: str
) -> None:
    async with playing() as player:
        service = await player.vale.enter(SERVICE)
        await service.call(GRANT, player.user_id, 264, ADMIN, "pending", None)
        before = player.vale.all_rows()
        user = () if name == "acknowledge_level_ups" else (player.user_id,)
        caller = player if who == "player" else service
        with pytest.raises(RefusedError) as refused:
            await caller.call(name, *user, *fields)
        assert refused.value.code == code
        assert player.vale.all_rows() == before


async def test_the_table_is_private_and_its_view_is_not() -> None:
    async with playing() as player:
        for table in ("player_progression", "chapter_progression", "chapter_hostile_tally"):
            with pytest.raises(RefusedError):
                await player.subscribe(table)
        await player.subscribe("my_player_progression", "my_chapter_progression")
        assert only(player.rows("my_chapter_progression")).chapter_id == f"{PROFILE}:c1"


async def test_progression_is_read_by_its_owner_and_by_services() -> None:
    reads = [
        ("get_player_progression_or_default", ()),
        ("get_chapter_progression", (f"{PROFILE}:c1",)),
        ("list_chapter_progression", (PROFILE,)),
        ("get_chapter_deviation_report", (f"{PROFILE}:c1",)),
    ]
    async with playing() as player:
        service = await player.vale.enter(SERVICE)
        stranger = await player.vale.enter(claims(2))
        for name, fields in reads:
            own = await player.ask(name, None, *fields)
            assert await player.ask(name, player.user_id, *fields) == own
            assert await service.ask(name, player.user_id, *fields) == own
            with pytest.raises(RefusedError) as refused:
                await stranger.ask(name, player.user_id, *fields)
            assert refused.value.code == "auth.forbidden"
        assert await stranger.ask("list_chapter_progression", None, PROFILE) == []


async def test_curve_and_plans_are_for_everybody() -> None:
    async with playing() as player:
        stranger = await player.vale.enter(claims(2))
        assert (await stranger.ask("get_level_benchmark", 50)).xp_floor == 374_948
        plans = await stranger.ask("plan_chapter_progression", 24, 1)
        assert [plan.chapter_index for plan in plans] == list(range(1, 25))
        for name, fields, code in (
            ("get_level_benchmark", (0,), "progression.level_out_of_range"),
            ("get_level_benchmark", (51,), "progression.level_out_of_range"),
            ("plan_chapter_progression", (25, 1), "progression.invalid_plan"),
            ("plan_chapter_progression", (1, 31), "progression.invalid_plan"),
        ):
            with pytest.raises(RefusedError) as refused:
                await stranger.ask(name, *fields)
            assert refused.value.code == code
