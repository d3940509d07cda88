from __future__ import annotations

import pytest
from user_bench import STORY_ACTOR, UserBench, claims, only

from actors.domains.domain_types import ParticipantRole, SessionKind
from actors.domains.kinds import STORY
from actors.domains.limits import DIRECTORY_ARCHIVED_MAX
from actors.domains.messages import RecordSession, StoryBegin, StoryPresence, StoryRejected
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.domains.runtime.refusals import Refusal
from actors.errors import ReducerError


def record(session: str, state: DirectoryState, title: str = "Vale") -> RecordSession:
    return RecordSession(
        session,
        SessionKind.STORY,
        ParticipantRole.HOST,
        state,
        title,
        "custom_world:cwp_1",
        "rs_1",
    )


def begin(bench: UserBench) -> str:
    return bench.call("begin_story_session", "cwp_1", "wanderer", None).story_session_id


def test_begin_opens_an_entry_and_tells_the_new_story() -> None:
    bench = UserBench(claims(1, display_name="Mira"))
    bench.connect()
    begun = bench.call("begin_story_session", "cwp_1", "wanderer", "en")
    entry = only(bench.rows(SessionDirectoryEntry))
    assert entry.session_key == begun.story_session_id
    assert entry.runtime_session_id == begun.runtime_session_id
    assert (entry.kind, entry.role) == (SessionKind.STORY, ParticipantRole.HOST)
    assert (entry.state, entry.world_key) == (DirectoryState.STARTING, "custom_world:cwp_1")
    assert begun.story_session_id.startswith("ss_")
    assert begun.runtime_session_id.startswith("rs_")
    assert bench.outlet.posted[0].dst_actor == STORY.key(begun.story_session_id)
    assert bench.sent() == [
        StoryBegin(
            begun.story_session_id,
            begun.runtime_session_id,
            bench.user_id,
            "Mira",
            "cwp_1",
            "wanderer",
            "en",
            is_strict=True,
            draft=None,
        )
    ]


def test_a_repeated_request_begins_no_second_story(bench: UserBench) -> None:
    fields = ("cwp_1", "wanderer", None)
    first = bench.call("begin_story_session", *fields, request="same")
    assert bench.call("begin_story_session", *fields, request="same") == first
    assert len(bench.rows(SessionDirectoryEntry)) == len(bench.sent()) == 1
    with pytest.raises(ReducerError, match=r"^idempotency\.conflict"):
        bench.call("begin_story_session", "cwp_2", "wanderer", None, request="same")


def test_five_live_stories_are_the_most(bench: UserBench) -> None:
    sessions = [begin(bench) for _ in range(5)]
    with pytest.raises(ReducerError, match=r"^limit\.quota_exceeded"):
        begin(bench)
    bench.tell(record(sessions[0], DirectoryState.ARCHIVED))
    begin(bench)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (("cwp 1", "wanderer", None), "input.invalid_id"),
        (("cwp/1", "wanderer", None), "input.invalid_id"),
        (("cwp_1", "Wanderer", None), "input.invalid_id"),
        (("cwp_1", "wanderer", "english"), "runtime.invalid_locale"),
    ],
)
def test_bad_input_begins_nothing(bench: UserBench, fields: tuple[object, ...], code: str) -> None:
    with pytest.raises(ReducerError) as refused:
        bench.call("begin_story_session", *fields)
    assert refused.value.code == code
    assert bench.written == 0


def test_sessions_keep_their_entries_up_to_date(bench: UserBench) -> None:
    bench.connect()
    session = begin(bench)
    created_at = only(bench.rows(SessionDirectoryEntry)).created_at
    assert bench.tell(record(session, DirectoryState.ACTIVE)) == []
    entry = only(bench.rows(SessionDirectoryEntry))
    assert (entry.state, entry.title) == (DirectoryState.ACTIVE, "Vale")
    assert entry.created_at == created_at < entry.last_activity_at
    bench.tell(record(session, DirectoryState.ARCHIVED))
    assert only(bench.rows(SessionDirectoryEntry)).state is DirectoryState.ARCHIVED
    assert bench.core.attached() == ()


def test_who_is_invited_again_sees_the_story_again(bench: UserBench) -> None:
    bench.connect()
    for state in (DirectoryState.ACTIVE, DirectoryState.ARCHIVED):
        bench.tell(record("ss_1", state))
    bench.disconnect()
    told = bench.tell(record("ss_1", DirectoryState.ACTIVE))
    assert only(bench.rows(SessionDirectoryEntry)).state is DirectoryState.ACTIVE
    assert bench.core.attached() == (STORY.key("ss_1"),)
    assert told == [StoryPresence(bench.user_id, connected=False)]


def test_a_refused_story_is_archived_with_its_reason(bench: UserBench) -> None:
    session = begin(bench)
    bench.tell(StoryRejected(session, "world.not_found", "there is no such world"))
    assert only(bench.rows(SessionDirectoryEntry)).state is DirectoryState.ARCHIVED
    refusal = only(bench.rows(Refusal))
    assert (refusal.refused_id, refusal.error_code) == (session, "world.not_found")


def test_the_longest_unused_of_the_archived_entries_go_first(bench: UserBench) -> None:
    bench.tell(record("ss_live", DirectoryState.ACTIVE))
    for number in range(DIRECTORY_ARCHIVED_MAX):
        bench.tell(record(f"ss_{number}", DirectoryState.ARCHIVED))
    bench.tell(record("ss_0", DirectoryState.ARCHIVED))
    refused = begin(bench)
    bench.tell(StoryRejected(refused, "world.not_found", ""))
    bench.tell(record("ss_last", DirectoryState.ARCHIVED))
    kept = {entry.session_key for entry in bench.rows(SessionDirectoryEntry)}
    assert len(kept) == DIRECTORY_ARCHIVED_MAX + 1
    assert {"ss_live", "ss_0", "ss_3", refused, "ss_last"} <= kept
    assert kept.isdisjoint({"ss_1", "ss_2"})


def test_entries_attach_their_story_while_it_lives(bench: UserBench) -> None:
    session = begin(bench)
    assert bench.core.attached() == (STORY.key(session),)
    bench.tell(record(session, DirectoryState.PAUSED))
    assert bench.core.attached() == (STORY.key(session),)
    bench.tell(record(session, DirectoryState.ARCHIVED))
    assert bench.core.attached() == ()


def test_live_stories_learn_of_the_first_and_the_last_connection(bench: UserBench) -> None:
    bench.connect(1)
    live, archived = begin(bench), begin(bench)
    bench.tell(record(live, DirectoryState.ACTIVE))
    bench.tell(record(archived, DirectoryState.ARCHIVED))
    before = len(bench.sent())
    bench.connect(2)
    bench.disconnect(1)
    assert bench.sent(before) == []
    bench.disconnect(2)
    bench.connect(3)
    assert bench.sent(before) == [
        StoryPresence(bench.user_id, connected=False),
        StoryPresence(bench.user_id, connected=True),
    ]
    assert bench.outlet.posted[-1].dst_actor == STORY.key(live)


def test_a_story_that_became_active_without_its_host_is_told_so(bench: UserBench) -> None:
    session = begin(bench)
    told = bench.tell(record(session, DirectoryState.ACTIVE), STORY_ACTOR)
    assert told == [StoryPresence(bench.user_id, connected=False)]
