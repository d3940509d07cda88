from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from user_bench import UserBench, claims, only
from vale_bench import PROFILE, RefusedError, running_vale

from actors.domains.domain_types import ParticipantRole, SessionKind
from actors.domains.messages import RecordSession
from actors.domains.runtime.directory_entry import DirectoryState
from actors.domains.runtime.snapshots import RuntimeSnapshot
from actors.errors import ReducerError


def save(
    bench: UserBench,
    slot: int = 0,
    state: str = "{}",
    *,
    story: str | None = None,
    tab: str = "story",
    expected: int | None = None,
) -> RuntimeSnapshot:
    return bench.call("upsert_runtime_snapshot", None, slot, story, tab, state, expected)


def refusal(bench: UserBench, *fields: Any, **named: Any) -> ReducerError:
    before = bench.rows(RuntimeSnapshot)
    with pytest.raises(ReducerError) as refused:
        save(bench, *fields, **named)
    assert bench.rows(RuntimeSnapshot) == before
    return refused.value


def record(kind: SessionKind, session: str) -> RecordSession:
    return RecordSession(
        session, kind, ParticipantRole.HOST, DirectoryState.ARCHIVED, "", "custom_world:w", None
    )


def test_the_state_is_stored_canonically_with_its_hash(bench: UserBench) -> None:
    row = save(bench, 2, ' { "b" : [ 1 , 2 ] , "a" : "\\u00e9" } ', tab="  bag ")
    assert row == only(bench.rows(RuntimeSnapshot))
    assert (row.snapshot_id, row.user_id, row.slot) == (f"{bench.user_id}:2", bench.user_id, 2)
    assert row.client_state_json == '{"a":"é","b":[1,2]}'
    assert row.checksum == sha256(row.client_state_json.encode()).hexdigest()
    assert (row.bottom_tab, row.version) == ("bag", 1)
    assert row.saved_at == row.created_at == row.updated_at > 0
    assert (row.story_session_id, row.story_version, row.world_key) == (None, None, None)


def test_an_empty_slot_answers_none(bench: UserBench) -> None:
    assert bench.read("get_runtime_snapshot", None, 0) is None
    assert bench.written == 0


def test_two_tabs_cannot_overwrite_each_other_unseen(bench: UserBench) -> None:
    for version in range(5):
        assert save(bench, expected=version).version == version + 1
    stale = refusal(bench, expected=4)
    assert (stale.code, stale.details) == ("snapshot.stale_version", {"current": 5})
    assert save(bench).version == 6
    empty = refusal(bench, 1, expected=1)
    assert (empty.code, empty.details) == ("snapshot.stale_version", {"current": 0})


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("[]", "input.json_malformed"),
        ('"text"', "input.json_malformed"),
        ("1", "input.json_malformed"),
        ("null", "input.json_malformed"),
        ("", "input.json_malformed"),
        ('{"a":1,"a":2}', "input.json_malformed"),
        ('{"a":0.5}', "input.json_malformed"),
        ('{"a":' * 16 + "{}" + "}" * 16, "input.json_malformed"),
        (json.dumps({"a": "x" * 70 * 1024}), "input.payload_too_large"),
    ],
)
def test_a_state_of_another_form_is_refused(bench: UserBench, state: str, code: str) -> None:
    save(bench)
    assert refusal(bench, 0, state).code == code


def test_a_state_may_have_64_kib(bench: UserBench) -> None:
    state = '{"a":"' + "x" * (65_536 - 8) + '"}'
    assert save(bench, 0, state).client_state_json == state
    assert refusal(bench, 0, state[:-2] + 'x"}').code == "input.payload_too_large"


def test_there_are_three_slots(bench: UserBench) -> None:
    for slot in (0, 1, 2):
        save(bench, slot)
    assert refusal(bench, 3).code == "snapshot.slot_out_of_range"
    with pytest.raises(ReducerError, match=r"^snapshot\.slot_out_of_range"):
        bench.read("get_runtime_snapshot", None, 3)
    with pytest.raises(ReducerError, match=r"^snapshot\.slot_out_of_range"):
        bench.call("delete_runtime_snapshot", None, 3)
    assert [row.slot for row in bench.rows(RuntimeSnapshot)] == [0, 1, 2]


def test_a_snapshot_points_at_a_story_of_the_directory(bench: UserBench) -> None:
    bench.tell(record(SessionKind.STORY, "ss_1"))
    bench.tell(record(SessionKind.PUZZLE_RUN, "pzr_1"))
    row = save(bench, story="ss_1")
    assert (row.story_session_id, row.world_key) == ("ss_1", "custom_world:w")
    assert refusal(bench, story="ss_2").code == "snapshot.session_not_found"
    assert refusal(bench, story="pzr_1").code == "snapshot.session_not_found"
    assert refusal(bench, story="no id").code == "input.invalid_id"
    again = save(bench)
    assert (again.story_session_id, again.world_key) == (None, None)
    assert again.created_at == row.created_at < again.saved_at == again.updated_at


def test_a_tab_has_at_most_32_characters(bench: UserBench) -> None:
    save(bench, tab="t" * 32)
    assert refusal(bench, tab="t" * 33).code == "input.text_too_long"


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["save", "expect", "stale", "delete"]),
            st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=3),
        ),
        max_size=20,
    )
)
def test_versions_count_the_saves_of_a_slot_since_it_was_empty(
    steps: list[tuple[int, str, dict[str, int]]],
) -> None:
    bench = UserBench()
    model: dict[int, tuple[int, dict[str, int]]] = {}
    for slot, step, state in steps:
        version = model.get(slot, (0, {}))[0]
        if step == "delete":
            bench.call("delete_runtime_snapshot", None, slot)
            model.pop(slot, None)
        elif step == "stale":
            stale = refusal(bench, slot, expected=version + 1)
            assert stale.details == {"current": version}
        else:
            expected = version if step == "expect" else None
            row = save(bench, slot, json.dumps(state), expected=expected)
            model[slot] = (version + 1, state)
            assert row == bench.read("get_runtime_snapshot", None, slot)
    stored = {
        row.slot: (row.version, json.loads(row.client_state_json))
        for row in bench.rows(RuntimeSnapshot)
    }
    assert stored == model


async def test_deleting_twice_makes_one_delta() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        await player.subscribe("runtime_snapshot")
        await player.call("upsert_runtime_snapshot", None, 1, None, "bag", "{}", None)
        await player.call("delete_runtime_snapshot", None, 1)
        await player.call("delete_runtime_snapshot", None, 1)
        assert player.deltas == [("runtime_snapshot", 1, 0), ("runtime_snapshot", 0, 1)]
        assert await player.ask("get_runtime_snapshot", None, 1) is None


async def test_a_snapshot_of_a_story_knows_its_world() -> None:
    async with running_vale() as vale:
        player, other = await vale.enter(claims(1)), await vale.enter(claims(2))
        session = (await player.begin()).story_session_id
        fields = (None, 0, session, "story", '{"scroll":3}', 0)
        row = await player.ask("upsert_runtime_snapshot_and_return", *fields)
        assert (row.story_session_id, row.world_key) == (session, f"custom_world:{PROFILE}")
        with pytest.raises(RefusedError) as refused:
            await other.call("upsert_runtime_snapshot", *fields)
        assert refused.value.code == "snapshot.session_not_found"
