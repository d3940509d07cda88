"""Domain 2.6: a session's state as JSON, and back for another session."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay.story import (
    NarrativeState,
    StoryMark,
    StoryParticipant,
    StorySession,
    StoryStatus,
)
from actors.domains.gameplay.story_state import ARCHIVED_ROWS, StoryState, read_state, write_state
from actors.module.tables import declaration_of
from actors.module.types import replace
from protocol.types import BOOL, I32, STRING, TIMESTAMP, U32, ArrayType, EnumType, OptionType

OLD, NEW = "ss_old", "ss_new"

_SCALARS = {
    BOOL: st.booleans(),
    STRING: st.text(max_size=12),
    U32: st.integers(0, 2**32 - 1),
    I32: st.integers(-(2**31), 2**31 - 1),
    TIMESTAMP: st.integers(0, 2**53),
}
_IDS = st.sampled_from([OLD, f"{OLD}:u_1", f"{OLD}.n.scout", f"{OLD}.q.herbs:12", "rs_1", "u_1"])


def _values(kind: Any) -> st.SearchStrategy[Any]:
    if kind in _SCALARS:
        return _SCALARS[kind]
    if isinstance(kind, OptionType):
        return st.none() | _values(kind.some)
    if isinstance(kind, ArrayType):
        return st.lists(_values(kind.element), max_size=2)
    if isinstance(kind, EnumType):
        return st.sampled_from(list(kind.construct))
    return st.tuples(*(_values(each.type) for each in kind.elements)).map(kind.construct)


def _rows(row: type) -> st.SearchStrategy[Any]:
    """Rows of a table with ids as the game makes them."""
    columns = declaration_of(row).row_type.elements
    return st.tuples(
        *(
            _IDS if each.name.endswith("_id") and each.type == STRING else _values(each.type)
            for each in columns
        )
    ).map(row._make)


STATES = st.builds(
    StoryState,
    _rows(StorySession).map(lambda row: replace(row, story_session_id=OLD)),
    _rows(StoryParticipant),
    st.lists(
        st.sampled_from(ARCHIVED_ROWS).flatmap(_rows),
        max_size=6,
        unique_by=lambda row: (type(row), row[0]),
    ),
)


def _told(state: StoryState, session_id: str) -> str:
    """All that a state says, with the session's id where ids begin with the old one."""

    def row(each: Any) -> tuple[object, ...]:
        return (
            type(each).__name__,
            *(
                session_id + value.removeprefix(OLD)
                if name.endswith("_id") and isinstance(value, str) and value.startswith(OLD)
                else value
                for name, value in zip(type(each)._fields, each, strict=True)
            ),
        )

    return repr((row(state.session), row(state.host), sorted(map(repr, map(row, state.rows)))))


@settings(max_examples=60, deadline=None)
@given(STATES)
def test_a_state_comes_back_whole_for_any_session(state: StoryState) -> None:
    text = write_state(state)
    assert OLD not in text
    again = read_state(text, NEW)
    assert _told(again, NEW) == _told(state, NEW)
    assert write_state(again) == text
    assert read_state(text, OLD)[:2] == state[:2]


@settings(max_examples=30, deadline=None)
@given(STATES, st.integers(0, 9))
def test_the_order_of_rows_does_not_matter(state: StoryState, seed: int) -> None:
    rows = list(state.rows)
    random.Random(seed).shuffle(rows)
    assert write_state(state._replace(rows=rows)) == write_state(state)


def _example() -> str:
    session = StorySession(
        story_session_id=OLD,
        runtime_session_id="rs_1",
        host_user_id="u_1",
        profile_id="cwp_1",
        published_version=1,
        document_hash="",
        world_name="Vale",
        status=StoryStatus.ACTIVE,
        narrative_state=NarrativeState.IDLE,
        chapter_index=1,
        total_chapters=5,
        chapter_key="one",
        current_scene_key="square",
        turn=3,
        latest_narrative_text="",
        latest_function=None,
        flags=[],
        defeat_count=0,
        invite_code=None,
        player_count=1,
        version=5,
        created_at=0,
        completed_at=None,
        updated_at=0,
    )
    host = StoryParticipant(
        f"{OLD}:u_1", OLD, "u_1", ParticipantRole.HOST, "Mira", "wanderer", 1, 9, 9, True, 0, 0
    )
    return write_state(StoryState(session, host, [StoryMark("enc:1:slimes", 3)]))


def test_the_text_is_small_and_readable() -> None:
    document = json.loads(_example())
    assert document["schemaVersion"] == 1
    assert document["session"]["storySessionId"] == "@"
    assert document["host"]["participantId"] == "@:u_1"
    assert document["tables"]["story_mark"] == [{"markId": "enc:1:slimes", "turn": 3}]
    assert "latestFunction" not in document["session"]


@pytest.mark.parametrize(
    "change",
    [
        {"schemaVersion": 2},
        {"session": None},
        {"host": {}},
        {"tables": []},
        {"tables": {}},
        {"tables": {"story_mark": None}},
    ],
)
def test_what_this_version_did_not_write_is_refused(change: dict[str, Any]) -> None:
    document = json.loads(_example())
    if isinstance(change.get("tables"), dict) and change["tables"]:
        change = {"tables": {**document["tables"], **change["tables"]}}
    with pytest.raises(ValueError):
        read_state(json.dumps({**document, **change}), NEW)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "{"])
def test_no_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_state(text, NEW)
