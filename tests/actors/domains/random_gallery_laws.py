"""Laws between sessions, libraries and the gallery: what several actors say of one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from random_laws import Rows

from actors.domains.asset_metadata.bindings import AssetEntityBinding
from actors.domains.asset_metadata.links import CustomWorldAssetLink
from actors.domains.asset_metadata.objects import AssetObject
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    CustomWorldAgentState,
    session_profile_id,
)
from actors.domains.custom_world.gallery import (
    CustomWorldGalleryEntry,
    CustomWorldPlayMark,
    Moderation,
)
from actors.domains.custom_world.gallery_counters import GalleryRank, GalleryTally
from actors.domains.custom_world.headers import CustomWorldSession
from actors.domains.custom_world.likes import CustomWorldGalleryLike
from actors.domains.custom_world.profile import (
    CustomWorldDraftFacts,
    CustomWorldProfile,
    CustomWorldProfileDocument,
)
from actors.domains.custom_world.profile_gates import CustomWorldPublication
from actors.domains.custom_world.publishing import CustomWorldPublishedProfile, PublishedStatus
from actors.domains.custom_world.works import WorkCount
from actors.domains.domain_types import (
    AccessPolicy,
    AgentStage,
    OperationStatus,
    PublicationStatus,
    TextSource,
    WorkKind,
)
from actors.domains.gameplay.story import StorySession
from actors.domains.kinds import USER
from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger

__all__ = ["check_catalog", "check_library", "check_published", "check_sessions", "check_works"]

_CHARGES = {LedgerReason.AGENT_OPERATION_CHARGE, LedgerReason.AGENT_OPERATION_REFUND}


def check_catalog(rows: Rows) -> None:
    """Domain 6.1, 6.8: a listed world has one live version; numbers are those of the rows."""
    versions: dict[str, list[Any]] = {}
    for row in rows[CustomWorldPublishedProfile]:
        versions.setdefault(row.profile_id, []).append(row)
    entries = {row.profile_id: row for row in rows[CustomWorldGalleryEntry]}
    ranks = {row.profile_id: row for row in rows[GalleryRank]}
    tallies = {row.profile_id: row for row in rows[GalleryTally]}
    likes = Counter(row.profile_id for row in rows[CustomWorldGalleryLike] if row.active)
    plays: Counter[str] = Counter()
    for mark in rows[CustomWorldPlayMark]:
        plays[mark.profile_id] += mark.play_count
    players = Counter(row.profile_id for row in rows[CustomWorldPlayMark])
    for profile_id, own in versions.items():
        live = [row for row in own if row.status is PublishedStatus.LIVE]
        entry = entries.get(profile_id)
        is_hidden = entry is not None and entry.moderation is Moderation.HIDDEN
        assert len(live) == (entry is not None and not is_hidden), (live, entry)
        own.sort(key=lambda row: row.version)
        assert [row.version for row in own] == list(range(1, len(own) + 1))
        if entry is not None:
            assert entry.version == own[-1].version, (entry, own[-1])
            assert (own[-1].status is PublishedStatus.BLOCKED) == is_hidden, entry
    assert entries.keys() <= versions.keys() == tallies.keys()
    shown = {one for one, entry in entries.items() if entry.moderation is Moderation.VISIBLE}
    assert ranks.keys() == shown
    assert likes.keys() | plays.keys() <= tallies.keys()
    for profile_id, tally in tallies.items():
        numbers = (likes[profile_id], plays[profile_id], players[profile_id])
        assert (tally.like_count, tally.play_count, tally.unique_player_count) == numbers, tally
        entry = entries.get(profile_id)
        if entry is not None:
            told = (entry.like_count, entry.play_count, entry.unique_player_count)
            assert told == numbers, (entry, tally)
            assert entry.public_work_code == tally.public_work_code, entry
        rank = ranks.get(profile_id)
        if rank is not None and entry is not None:
            place = (rank.published_at, rank.like_count, rank.play_count)
            assert place == (entry.published_at, entry.like_count, entry.play_count), rank
    _check_assets(rows, entries)


def _check_assets(rows: Rows, entries: Mapping[str, Any]) -> None:
    """Domain 8.6: links follow from bindings; what is published, everybody may read."""
    objects = {row.asset_object_id: row for row in rows[AssetObject]}
    bindings = {row.binding_id: row for row in rows[AssetEntityBinding]}
    for row in bindings.values():
        assert row.asset_object_id in objects, row
        assert objects[row.asset_object_id].owner_user_id == row.owner_user_id, row
    for link in rows[CustomWorldAssetLink]:
        binding = bindings[link.asset_binding_id]
        assert binding.asset_object_id == link.asset_object_id, (link, binding)
        assert binding.owner_user_id == link.owner_user_id, (link, binding)
        entry = entries.get(link.profile_id)
        if link.published_version:
            assert entry is not None, link
            assert link.published_version <= entry.version, link
            assert link.owner_user_id == entry.owner_user_id, link
            asset = objects[link.asset_object_id]
            assert asset.access_policy is AccessPolicy.PUBLIC_READ, asset


def check_library(rows: Rows) -> None:
    """Domain 6.1, 6.10: each draft has its document; a session makes one profile."""
    profiles = rows[CustomWorldProfile]
    kept = {row.profile_id for row in profiles if row.deleted_at is None}
    assert kept == {row.profile_id for row in rows[CustomWorldProfileDocument]}
    assert kept == {row.profile_id for row in rows[CustomWorldDraftFacts]}
    made = Counter(row.source_agent_session_id for row in profiles)
    assert all(count == 1 for session, count in made.items() if session is not None), made
    codes = Counter(row.public_work_code for row in profiles)
    assert all(count == 1 for count in codes.values()), codes
    for row in profiles:
        is_new = row.published_version == 0
        assert is_new == (row.publication_status is PublicationStatus.DRAFT), row
    assert all(row.publish_key is None for row in rows[CustomWorldPublication])
    published = sum(row.publication_status is PublicationStatus.PUBLISHED for row in profiles)
    for dashboard in rows[ProfileDashboardState]:
        counts = rows[WorkCount]
        assert dashboard.published_work_count == published, dashboard
        assert dashboard.total_likes_received == sum(row.like_count for row in counts), dashboard
        assert dashboard.total_plays_received == sum(row.play_count for row in counts), dashboard


def check_published(catalog: Rows, actors: Mapping[str, Rows]) -> None:
    """Domain 6.10, 12.5: what libraries say is published, the gallery has, and nothing else."""
    entries = {row.profile_id: row for row in catalog[CustomWorldGalleryEntry]}
    tallies = {row.profile_id: row for row in catalog[GalleryTally]}
    listed = {one for one, entry in entries.items() if f"user/{entry.owner_user_id}" in actors}
    known: set[str] = set()
    for key, rows in actors.items():
        if not key.startswith("user/"):
            continue
        for row in rows[CustomWorldProfile]:
            if row.publication_status is not PublicationStatus.PUBLISHED:
                assert row.profile_id not in entries, row
                continue
            known.add(row.profile_id)
            entry = entries[row.profile_id]
            assert USER.key(entry.owner_user_id) == key, entry
            assert entry.version == row.published_version, (entry, row)
            assert entry.public_work_code == row.public_work_code, (entry, row)
        for publication in rows[CustomWorldPublication]:
            entry = entries.get(publication.profile_id)
            if entry is not None:
                is_hidden = entry.moderation is Moderation.HIDDEN
                assert publication.is_moderated == is_hidden, (publication, entry)
        for count in rows[WorkCount]:
            tally = tallies[count.profile_id]
            assert tally.is_due or count.counter_version == tally.version, (count, tally)
    assert known == {one for one in listed if not one.startswith("cwp_fixture")}
    stories = Counter(
        (session.profile_id, session.host_user_id)
        for key, rows in actors.items()
        if key.startswith("story/")
        for session in rows[StorySession]
        if session.profile_id in entries and session.published_version
    )
    marks = {
        (row.profile_id, row.user_id): row.play_count
        for row in catalog[CustomWorldPlayMark]
        if row.profile_id in entries
    }
    assert marks == stories


def check_sessions(actors: Mapping[str, Rows]) -> None:
    """Domain 6.1, 7.5, 12.5: headers, prices and profiles say what their sessions say."""
    users = {key.partition("/")[2]: rows for key, rows in actors.items() if key.startswith("user/")}
    booked: dict[str, Counter[str]] = {user_id: Counter() for user_id in users}
    for key, rows in actors.items():
        if not key.startswith("agent/"):
            continue
        for session in rows[CustomWorldAgentSession]:
            own = users[session.user_id]
            _check_header(session, own)
            (state,) = rows[CustomWorldAgentState]
            profile_id = session_profile_id(session.agent_session_id)
            published = {
                row.profile_id
                for row in own[CustomWorldProfile]
                if row.publication_status is PublicationStatus.PUBLISHED
            }
            is_live = state.live_revision is not None
            assert is_live == (profile_id in published), (session, state)
        for row in rows[CustomWorldAgentOperation]:
            if row.charged_spark:
                booked[row.user_id][f"op:{row.operation_id}:charge"] = -row.charged_spark
            if row.refunded:
                booked[row.user_id][f"op:{row.operation_id}:refund"] = row.charged_spark
            has_ended = row.finished_at is not None
            is_paid_for = row.status is OperationStatus.SUCCEEDED and (
                row.result_source is not TextSource.FALLBACK
            )
            if has_ended and row.charged_spark:
                assert row.refunded != is_paid_for, row
    for user_id, rows in users.items():
        ledger = {
            row.source_ref.removeprefix(f"{user_id}:"): row.amount_delta
            for row in rows[ProfileWalletLedger]
            if row.reason in _CHARGES
        }
        assert ledger == booked[user_id], (ledger, booked[user_id])


def _check_header(session: CustomWorldAgentSession, own: Rows) -> None:
    headers = {row.agent_session_id: row for row in own[CustomWorldSession]}
    header = headers.get(session.agent_session_id)
    if header is None:
        assert session.stage is AgentStage.ARCHIVED, session
        return
    shown = ("stage", "title", "progress_permille", "card_count", "blocker_count")
    shown += ("warning_count", "result_profile_id", "last_error_code")
    for name in shown:
        assert getattr(header, name) == getattr(session, name), (name, header, session)
    assert header.archived == (session.stage is AgentStage.ARCHIVED), header


def check_works(works: list[Any], own: Rows, sessions: Mapping[str, Any]) -> None:
    """Domain 6.9: one work for each session and profile; it agrees with both."""
    ids = [work.work_id for work in works]
    assert len(set(ids)) == len(ids), ids
    profiles = {row.profile_id: row for row in own[CustomWorldProfile] if row.deleted_at is None}
    assert {work.profile_id for work in works} - {None} == profiles.keys()
    publications = {row.profile_id: row for row in own[CustomWorldPublication]}
    for work in works:
        profile = profiles.get(work.profile_id or "")
        if profile is not None:
            assert work.title == profile.world_name, (work, profile)
            is_live = profile.publication_status is PublicationStatus.PUBLISHED
            assert (work.work_kind is WorkKind.PUBLISHED) == is_live, work
        session = sessions.get(work.agent_session_id or "")
        if session is not None:
            publication = publications.get(work.profile_id or "")
            is_moderated = publication is not None and publication.is_moderated
            expected = session.publish_gate_passed and not is_moderated
            ready = {AgentStage.PUBLISH_READY, AgentStage.PUBLISHED}
            assert work.can_publish == (expected and session.stage in ready), (work, session)
            assert work.stage is session.stage, (work, session)
