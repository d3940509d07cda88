"""Domain 2.6 and 2.7: the shelf of saves, as its user's own actor keeps it."""

from __future__ import annotations

import pytest
from user_bench import SERVICE, UserBench, claims, only

from actors.domains.archive_messages import ExportRejected, ExportState, StateExported
from actors.domains.domain_types import ParticipantRole, SessionKind
from actors.domains.kinds import STORY
from actors.domains.limits import ARCHIVES_MAX, REFUSALS_MAX
from actors.domains.messages import RecordSession
from actors.domains.rules.ids import content_hash
from actors.domains.runtime.directory_entry import DirectoryState
from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.runtime.refusals import Refusal
from actors.domains.runtime.save_archives import (
    ProfileSaveArchive,
    ProfileSaveArchiveBlob,
    RequestedSave,
    SaveRequest,
)
from actors.errors import ReducerError

STORY_ID = "ss_1"


def record(bench: UserBench, role: ParticipantRole = ParticipantRole.HOST) -> None:
    """The user takes part in a story."""
    bench.tell(
        RecordSession(
            STORY_ID, SessionKind.STORY, role, DirectoryState.ACTIVE, "Vale", "world:1", "rs_1"
        )
    )


@pytest.fixture
def host(bench: UserBench) -> UserBench:
    """A user who hosts a story."""
    bench.connect()
    record(bench)
    return bench


def request(
    bench: UserBench, label: str | None = None, replace: str | None = None
) -> RequestedSave:
    return bench.call("create_save_archive", None, STORY_ID, label, replace)


def exported(save_id: str, state: str = '{"a":"ü"}') -> StateExported:
    return StateExported(
        save_id, "cwp_1", 3, "rs_1", "Vale", "Sub", "About", "cover.svg", 2, "Mill", state
    )


def save(bench: UserBench, label: str | None = None, replace: str | None = None) -> str:
    requested = request(bench, label, replace)
    assert bench.tell(exported(requested.save_id)) == []
    return requested.archive_id


def refused(bench: UserBench, *fields: object) -> str:
    with pytest.raises(ReducerError) as error:
        bench.call("create_save_archive", None, *fields)
    return error.value.code


def shelf(bench: UserBench) -> list[str]:
    return [row.archive_id for row in bench.read("list_save_archives", None, ARCHIVES_MAX)]


def test_a_save_is_asked_for_and_written_when_the_state_has_come(host: UserBench) -> None:
    before = len(host.sent())
    requested = request(host, "  my save ")
    assert requested.save_id == requested.archive_id
    assert requested.save_id.startswith("sa_")
    assert host.sent(before) == [ExportState(requested.save_id, host.user_id)]
    assert host.outlet.posted[-1].dst_actor == STORY.key(STORY_ID)
    assert host.rows(ProfileSaveArchive) == []

    host.tell(exported(requested.save_id))
    row = only(host.rows(ProfileSaveArchive))
    state = '{"a":"ü"}'.encode()
    assert row == ProfileSaveArchive(
        archive_id=requested.archive_id,
        user_id=host.user_id,
        world_key="world:1",
        profile_id="cwp_1",
        published_version=3,
        runtime_session_id="rs_1",
        story_session_id=STORY_ID,
        world_name="Vale",
        subtitle="Sub",
        summary_text="About",
        cover_image_src="cover.svg",
        chapter_index=2,
        scene_title="Mill",
        player_level=1,
        label="my save",
        size_bytes=len(state),
        state_hash=content_hash(state),
        saved_at=row.saved_at,
        created_at=row.saved_at,
        updated_at=row.saved_at,
    )
    assert only(host.rows(ProfileSaveArchiveBlob)).session_state_json == state.decode()
    assert host.rows(SaveRequest) == []
    assert only(host.rows(ProfileDashboardState)).save_archive_count == 1


@pytest.mark.parametrize("label", [None, "", " \n "])
def test_a_save_without_a_label_is_called_after_its_scene(
    host: UserBench, label: str | None
) -> None:
    save(host, label)
    assert only(host.rows(ProfileSaveArchive)).label == "Mill"


def test_an_answer_that_comes_twice_writes_once(host: UserBench) -> None:
    requested = request(host)
    host.tell(exported(requested.save_id))
    written = host.rows(ProfileSaveArchive)
    host.tell(exported(requested.save_id, "{}"))
    host.tell(ExportRejected(requested.save_id, "archive.battle_state", "late"))
    assert host.rows(ProfileSaveArchive) == written
    assert host.rows(Refusal) == []


def test_a_repeated_request_asks_once(host: UserBench) -> None:
    fields = (None, STORY_ID, None, None)
    first = host.call("create_save_archive", *fields, request="same")
    assert host.call("create_save_archive", *fields, request="same") == first
    assert len(host.rows(SaveRequest)) == 1


def test_a_replaced_save_keeps_its_place(host: UserBench) -> None:
    archive_id = save(host, "old")
    created = only(host.rows(ProfileSaveArchive)).created_at
    requested = request(host, "new", archive_id)
    assert requested.archive_id == archive_id != requested.save_id
    host.tell(exported(requested.save_id, "{}"))
    row = only(host.rows(ProfileSaveArchive))
    assert (row.archive_id, row.label, row.size_bytes) == (archive_id, "new", 2)
    assert row.created_at == created < row.saved_at
    assert only(host.rows(ProfileSaveArchiveBlob)).session_state_json == "{}"
    assert only(host.rows(ProfileDashboardState)).save_archive_count == 1


def test_twenty_saves_are_the_most(host: UserBench) -> None:
    kept = [save(host) for _ in range(ARCHIVES_MAX - 1)]
    coming = request(host)
    # The one that is under way has its place already.
    assert refused(host, STORY_ID, None, None) == "archive.quota_exceeded"
    host.tell(exported(coming.save_id))
    assert refused(host, STORY_ID, None, None) == "archive.quota_exceeded"
    save(host, "again", kept[0])
    assert len(host.rows(ProfileSaveArchive)) == ARCHIVES_MAX
    host.call("delete_save_archive", None, kept[1])
    save(host)
    assert only(host.rows(ProfileDashboardState)).save_archive_count == ARCHIVES_MAX


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (("ss_other", None, None), "story.not_found"),
        (("ss 1", None, None), "input.invalid_id"),
        ((STORY_ID, "x" * 41, None), "input.text_too_long"),
        ((STORY_ID, None, "sa_other"), "archive.not_found"),
        ((STORY_ID, None, "sa/other"), "input.invalid_id"),
    ],
)
def test_bad_input_saves_nothing(host: UserBench, fields: tuple[object, ...], code: str) -> None:
    written = host.written
    assert refused(host, *fields) == code
    assert host.written == written


@pytest.mark.parametrize("role", [ParticipantRole.PLAYER, ParticipantRole.SPECTATOR])
def test_guests_do_not_save(bench: UserBench, role: ParticipantRole) -> None:
    record(bench, role)
    assert refused(bench, STORY_ID, None, None) == "auth.forbidden"


def test_a_refused_save_leaves_its_reason(host: UserBench) -> None:
    requested = request(host)
    host.tell(ExportRejected(requested.save_id, "archive.battle_state", "a battle"))
    assert host.rows(SaveRequest) == host.rows(ProfileSaveArchive) == []
    refusal = only(host.rows(Refusal))
    assert (refusal.refused_id, refusal.error_code) == (requested.save_id, "archive.battle_state")


def test_the_newest_refusals_are_kept(host: UserBench) -> None:
    ids = []
    for _ in range(REFUSALS_MAX + 2):
        ids.append(request(host).save_id)
        host.tell(ExportRejected(ids[-1], "archive.battle_state", ""))
    assert {row.refused_id for row in host.rows(Refusal)} == set(ids[2:])


def test_saves_are_listed_newest_first(host: UserBench) -> None:
    first, second, third = (save(host) for _ in range(3))
    save(host, None, first)
    assert shelf(host) == [first, third, second]
    two = host.read("list_save_archives", None, 2)
    assert [row.archive_id for row in two] == [first, third]
    for limit in (0, ARCHIVES_MAX + 1):
        with pytest.raises(ReducerError, match=r"^input\.out_of_range"):
            host.read("list_save_archives", None, limit)


def test_deleting_is_final_and_harmless_when_repeated(host: UserBench) -> None:
    archive_id = save(host)
    host.call("delete_save_archive", None, archive_id)
    assert host.rows(ProfileSaveArchive) == host.rows(ProfileSaveArchiveBlob) == []
    assert only(host.rows(ProfileDashboardState)).save_archive_count == 0
    dashboard = only(host.rows(ProfileDashboardState))
    host.call("delete_save_archive", None, archive_id)
    assert only(host.rows(ProfileDashboardState)) == dashboard
    with pytest.raises(ReducerError, match=r"^input\.invalid_id"):
        host.call("delete_save_archive", None, "sa 1")


def test_a_save_that_is_deleted_before_it_came_stays_deleted(host: UserBench) -> None:
    archive_id = save(host)
    replaced = request(host, None, archive_id)
    coming = request(host)
    host.call("delete_save_archive", None, archive_id)
    host.call("delete_save_archive", None, coming.archive_id)
    host.tell(exported(replaced.save_id))
    host.tell(exported(coming.save_id))
    assert host.rows(ProfileSaveArchive) == host.rows(SaveRequest) == []


def test_others_need_the_service_role(host: UserBench) -> None:
    fields = (host.user_id, STORY_ID, None, None)
    host.call("create_save_archive", *fields, by=SERVICE)
    for name, args in (
        ("create_save_archive", fields),
        ("delete_save_archive", (host.user_id, "sa_1")),
        ("restore_save_archive", (host.user_id, "sa_1")),
    ):
        with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
            host.call(name, *args, by=claims(2))


def test_an_unknown_archive_is_not_restored(host: UserBench) -> None:
    for archive_id, code in (("sa_1", "archive.not_found"), ("sa 1", "input.invalid_id")):
        with pytest.raises(ReducerError) as error:
            host.call("restore_save_archive", None, archive_id)
        assert error.value.code == code
