"""Profile gates: whether a library profile may be published or entered (domain 6.6, 6.7)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from actors import ReducerError, replace, struct, table
from actors.domains.custom_world.profile import CustomWorldDraftFacts, CustomWorldProfile
from actors.domains.domain_types import GateCheck, PublicationStatus
from actors.domains.kinds import USER
from actors.domains.rules.compile.gates import (
    EnterFacts,
    PublishFacts,
    enter_gate,
    failed_checks,
    publish_gate,
)
from actors.domains.rules.limits import PUBLISHED_WORKS_MAX
from actors.domains.runtime.settings import is_strict
from actors.module import DatabaseReader

__all__ = [
    "CustomWorldPublication",
    "PublishedDraft",
    "author_checks",
    "check_gate",
    "enter_checks",
    "publication_of",
    "publish_checks",
    "with_author_checks",
]

_AUTHOR_CHECKS: Final = frozenset({"PG08", "PG09"})


@struct
class PublishedDraft:
    """What the gates ask of a document that was published."""

    document_hash: str
    role_keys: list[str]
    content_rating: str


@table(primary_key="profile_id", actor=USER)
class CustomWorldPublication:
    """Where a profile stands with the catalog.

    Attributes:
        latest: what was published last; None before.
        is_moderated: moderators hide the world.
        publish_key: of the publication or withdrawal that is under way; None when none is.
        coming: what is being published; None in a withdrawal.
        agent_session_id: the session that asked for what is under way.
    """

    profile_id: str
    latest: PublishedDraft | None
    is_moderated: bool
    publish_key: str | None
    coming: PublishedDraft | None
    agent_session_id: str | None


def publication_of(db: DatabaseReader, profile_id: str) -> CustomWorldPublication:
    """Where a profile stands with the catalog, also before it has ever been there."""
    known = db[CustomWorldPublication].find(profile_id)
    return known or CustomWorldPublication(profile_id, None, False, None, None, None)


def publish_checks(db: DatabaseReader, profile: CustomWorldProfile) -> list[GateCheck]:
    """The publish gate of a profile by itself, without the creation session that it may have."""
    facts = db[CustomWorldDraftFacts].get(profile.profile_id)
    return publish_gate(
        PublishFacts(
            is_owner=True,
            blocker_count=profile.blocker_count,
            quality_score=facts.quality_score,
            is_compiled=facts.is_playable,
            document_hash=profile.draft_hash,
            preview_hash=profile.draft_hash,
            revision=profile.revision,
            preview_revision=profile.revision,
            has_cover=profile.cover_image_src is not None,
            published_others=_published_others(db, profile.profile_id),
            is_moderated=publication_of(db, profile.profile_id).is_moderated,
        )
    )


def author_checks(checks: Iterable[GateCheck]) -> list[GateCheck]:
    """Those of a profile's checks that only the library knows; a session evaluates the others."""
    return [check for check in checks if check.check_code in _AUTHOR_CHECKS]


def with_author_checks(
    db: DatabaseReader, profile_id: str, checks: Iterable[GateCheck]
) -> list[GateCheck]:
    """A session's publish gate, where the library answers for what only it knows (12.5)."""
    passed = {
        "PG08": _published_others(db, profile_id) < PUBLISHED_WORKS_MAX,
        "PG09": not publication_of(db, profile_id).is_moderated,
    }
    return [replace(check, passed=passed.get(check.check_code, check.passed)) for check in checks]


def enter_checks(
    db: DatabaseReader,
    profile: CustomWorldProfile,
    *,
    role_key: str | None = None,
    has_free_slot: bool = True,
) -> list[GateCheck]:
    """The enter-world gate of the caller's own world: its live version, else its draft."""
    draft = db[CustomWorldDraftFacts].get(profile.profile_id)
    publication = publication_of(db, profile.profile_id)
    live = None
    if profile.publication_status is PublicationStatus.PUBLISHED:
        live = publication.latest
    is_live = live is not None
    return enter_gate(
        EnterFacts(
            is_live=is_live,
            is_own_draft=not is_live,
            is_blocked=is_live and publication.is_moderated,
            role_keys=draft.role_keys if live is None else live.role_keys,
            role_key=role_key,
            has_opening_scene=is_live or draft.is_playable,
            has_first_plan=is_live or draft.is_playable,
            blocker_count=profile.blocker_count,
            has_free_slot=has_free_slot,
            content_rating=draft.content_rating if live is None else live.content_rating,
            is_strict=is_strict(db),
        )
    )


def check_gate(checks: Iterable[GateCheck]) -> None:
    """Let through what passed every check.

    Raises:
        ReducerError: ``world.gate_blocked`` with the checks that failed.
    """
    failed = failed_checks(checks)
    if failed:
        first = failed[0]
        raise ReducerError(
            "world.gate_blocked",
            f"{first.check_code}: {first.message}",
            failed=[{"checkCode": check.check_code, "message": check.message} for check in failed],
        )


def _published_others(db: DatabaseReader, profile_id: str) -> int:
    published = db[CustomWorldProfile].filter(publication_status=PublicationStatus.PUBLISHED)
    return sum(row.profile_id != profile_id for row in published)
