"""Works: creation sessions and library profiles as one list of their author (domain 6.9)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from actors.domains.domain_types import (
    AgentStage,
    PublicationStatus,
    ThemeMode,
    Work,
    WorkKind,
)
from actors.module.types import Timestamp

__all__ = ["HeaderFacts", "ProfileFacts", "merge_works"]

_PROFILE_KIND: Final = {
    PublicationStatus.DRAFT: WorkKind.PROFILE_DRAFT,
    PublicationStatus.PUBLISHED: WorkKind.PUBLISHED,
    PublicationStatus.UNPUBLISHED: WorkKind.UNPUBLISHED,
}
_GATE_PASSED: Final = frozenset({AgentStage.PUBLISH_READY, AgentStage.PUBLISHED})
"""Stages that a session has only while its publish gate passes (domain 7.2)."""


class HeaderFacts(NamedTuple):
    """A creation session that is not archived."""

    agent_session_id: str
    stage: AgentStage
    title: str
    summary_text: str
    cover_image_src: str | None
    progress_permille: int
    blocker_count: int
    warning_count: int
    result_profile_id: str | None
    updated_at: Timestamp


class ProfileFacts(NamedTuple):
    """A library profile that is not deleted.

    ``can_publish`` and ``can_enter`` are what the gates say for the profile alone;
    ``author_may_publish`` is what its publish gate says that no session knows. The counts are the
    last that the catalog told.
    """

    profile_id: str
    status: PublicationStatus
    world_name: str
    subtitle: str
    summary_text: str
    cover_image_src: str | None
    theme_mode: ThemeMode
    blocker_count: int
    warning_count: int
    published_version: int
    can_publish: bool
    author_may_publish: bool
    can_enter: bool
    like_count: int
    play_count: int
    updated_at: Timestamp


def merge_works(headers: Iterable[HeaderFacts], profiles: Iterable[ProfileFacts]) -> list[Work]:
    """One entry for each session and each profile, the last updated first.

    A session whose result profile is there merges into that profile's entry: the profile gives
    kind, texts and counts of players, the session how far it is, what the findings are and whether
    it can be published, because the profile only holds what was synced last.
    """
    library = {profile.profile_id: profile for profile in profiles}
    works: list[Work] = []
    merged: set[str] = set()
    for header in sorted(headers, key=lambda header: (-header.updated_at, header.agent_session_id)):
        profile = library.get(header.result_profile_id or "")
        if profile is None or profile.profile_id in merged:
            works.append(_draft(header))
        else:
            merged.add(profile.profile_id)
            works.append(_merged(header, profile))
    works += [_alone(profile) for key, profile in library.items() if key not in merged]
    return sorted(works, key=lambda work: (-work.updated_at, work.work_id))


def _draft(header: HeaderFacts) -> Work:
    return Work(
        work_id=header.agent_session_id,
        work_kind=WorkKind.AGENT_DRAFT,
        agent_session_id=header.agent_session_id,
        profile_id=None,
        title=header.title,
        subtitle="",
        summary_text=header.summary_text,
        cover_image_src=header.cover_image_src,
        theme_mode=ThemeMode.LIGHT,
        stage=header.stage,
        progress_permille=header.progress_permille,
        blocker_count=header.blocker_count,
        warning_count=header.warning_count,
        can_resume=header.stage is not AgentStage.ARCHIVED,
        can_publish=header.stage in _GATE_PASSED,
        can_enter=False,  # Nothing is in the library yet, so EW01 fails.
        published_version=0,
        like_count=0,
        play_count=0,
        updated_at=header.updated_at,
    )


def _alone(profile: ProfileFacts) -> Work:
    return Work(
        work_id=profile.profile_id,
        work_kind=_PROFILE_KIND[profile.status],
        agent_session_id=None,
        profile_id=profile.profile_id,
        title=profile.world_name,
        subtitle=profile.subtitle,
        summary_text=profile.summary_text,
        cover_image_src=profile.cover_image_src,
        theme_mode=profile.theme_mode,
        stage=None,
        progress_permille=0,
        blocker_count=profile.blocker_count,
        warning_count=profile.warning_count,
        can_resume=False,
        can_publish=profile.can_publish,
        can_enter=profile.can_enter,
        published_version=profile.published_version,
        like_count=profile.like_count,
        play_count=profile.play_count,
        updated_at=profile.updated_at,
    )


def _merged(header: HeaderFacts, profile: ProfileFacts) -> Work:
    session, work = _draft(header), _alone(profile)
    return Work(
        work_id=work.work_id,
        work_kind=work.work_kind,
        agent_session_id=session.agent_session_id,
        profile_id=work.profile_id,
        title=work.title,
        subtitle=work.subtitle,
        summary_text=work.summary_text,
        cover_image_src=work.cover_image_src or session.cover_image_src,
        theme_mode=work.theme_mode,
        stage=session.stage,
        progress_permille=session.progress_permille,
        blocker_count=session.blocker_count,
        warning_count=session.warning_count,
        can_resume=session.can_resume,
        can_publish=session.can_publish and profile.author_may_publish,
        can_enter=work.can_enter,
        published_version=work.published_version,
        like_count=work.like_count,
        play_count=work.play_count,
        updated_at=max(session.updated_at, work.updated_at),
    )
