"""Domain 6.9: sessions and profiles of an author as one list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import AgentStage, PublicationStatus, ThemeMode, WorkKind
from actors.domains.rules.compile import HeaderFacts, ProfileFacts, merge_works
from actors.module.types import Timestamp

HEADER = HeaderFacts(
    agent_session_id="cws_a",
    stage=AgentStage.REFINING,
    title="Session",
    summary_text="As the session has it.",
    cover_image_src=None,
    progress_permille=616,
    blocker_count=1,
    warning_count=10,
    result_profile_id=None,
    updated_at=Timestamp(200),
)
PROFILE = ProfileFacts(
    profile_id="cwp_a",
    status=PublicationStatus.DRAFT,
    world_name="Profile",
    subtitle="A profile",
    summary_text="As the profile has it.",
    cover_image_src="/objects/a/b.svg",
    theme_mode=ThemeMode.NEON,
    blocker_count=0,
    warning_count=9,
    published_version=2,
    can_publish=True,
    author_may_publish=True,
    can_enter=True,
    like_count=3,
    play_count=4,
    updated_at=Timestamp(100),
)


def test_a_session_alone() -> None:
    (work,) = merge_works([HEADER], [])
    assert (work.work_id, work.work_kind) == ("cws_a", WorkKind.AGENT_DRAFT)
    assert (work.title, work.stage, work.progress_permille) == ("Session", AgentStage.REFINING, 616)
    assert (work.can_resume, work.can_publish, work.can_enter) == (True, False, False)
    for stage, can_publish in (
        (AgentStage.PUBLISH_READY, True),
        (AgentStage.PUBLISHED, True),
        (AgentStage.PUBLISHING, False),
    ):
        (work,) = merge_works([HEADER._replace(stage=stage)], [])
        assert work.can_publish is can_publish
    (work,) = merge_works([HEADER._replace(stage=AgentStage.ARCHIVED)], [])
    assert not work.can_resume


def test_a_profile_alone() -> None:
    for status, kind in (
        (PublicationStatus.DRAFT, WorkKind.PROFILE_DRAFT),
        (PublicationStatus.PUBLISHED, WorkKind.PUBLISHED),
        (PublicationStatus.UNPUBLISHED, WorkKind.UNPUBLISHED),
    ):
        (work,) = merge_works([], [PROFILE._replace(status=status)])
        assert (work.work_id, work.work_kind) == ("cwp_a", kind)
        assert (work.stage, work.can_resume) == (None, False)
        assert (work.can_publish, work.can_enter) == (True, True)
        assert (work.published_version, work.like_count, work.play_count) == (2, 3, 4)


def test_a_session_merges_into_its_profile() -> None:
    (work,) = merge_works([HEADER._replace(result_profile_id="cwp_a")], [PROFILE])
    assert (work.work_id, work.work_kind) == ("cwp_a", WorkKind.PROFILE_DRAFT)
    assert (work.agent_session_id, work.profile_id) == ("cws_a", "cwp_a")
    assert (work.title, work.theme_mode) == ("Profile", ThemeMode.NEON)
    assert (work.stage, work.progress_permille) == (AgentStage.REFINING, 616)
    # What the session has become counts, not what was last synced from it.
    assert (work.blocker_count, work.warning_count, work.can_publish) == (1, 10, False)
    assert (work.can_resume, work.can_enter) == (True, True)
    assert (work.like_count, work.play_count, work.updated_at) == (3, 4, 200)
    for may_publish in (True, False):
        profile = PROFILE._replace(author_may_publish=may_publish)
        ready = HEADER._replace(result_profile_id="cwp_a", stage=AgentStage.PUBLISH_READY)
        (work,) = merge_works([ready], [profile])
        assert work.can_publish is may_publish, "moderators hide it, or the author has too many"


def test_a_session_whose_profile_is_gone_stands_alone() -> None:
    works = merge_works([HEADER._replace(result_profile_id="cwp_gone")], [PROFILE])
    assert [work.work_id for work in works] == ["cws_a", "cwp_a"]


def test_equal_times_go_by_id() -> None:
    profiles = [PROFILE._replace(profile_id=key) for key in ("cwp_c", "cwp_b", "cwp_d")]
    works = merge_works([HEADER._replace(updated_at=Timestamp(100))], profiles)
    assert [work.work_id for work in works] == ["cwp_b", "cwp_c", "cwp_d", "cws_a"]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 3)), max_size=8),
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=6),
)
def test_every_session_and_profile_is_there_once(
    sessions: list[tuple[int, int, int]], library: list[tuple[int, int]]
) -> None:
    headers = list(
        {
            key: HEADER._replace(
                agent_session_id=f"cws_{key}",
                result_profile_id=f"cwp_{profile}",
                updated_at=Timestamp(time),
            )
            for key, profile, time in sessions
        }.values()
    )
    profiles = list(
        {
            key: PROFILE._replace(profile_id=f"cwp_{key}", updated_at=Timestamp(time))
            for key, time in library
        }.values()
    )
    works = merge_works(headers, profiles)
    assert sorted(work.agent_session_id for work in works if work.agent_session_id) == sorted(
        header.agent_session_id for header in headers
    )
    assert sorted(work.profile_id for work in works if work.profile_id) == sorted(
        profile.profile_id for profile in profiles
    )
    assert works == sorted(works, key=lambda work: (-work.updated_at, work.work_id))
    assert merge_works(headers[::-1], profiles[::-1]) == works
