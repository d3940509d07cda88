"""Draft play: an author tries a world out that is not published (domain 6.7)."""

from __future__ import annotations

from actors.domains.custom_world.profile import (
    CustomWorldProfile,
    CustomWorldProfileDocument,
    find_profile,
    profile_of,
)
from actors.domains.custom_world.profile_gates import check_gate, enter_checks
from actors.domains.domain_types import PublicationStatus
from actors.domains.messages import DraftWorld
from actors.module import DatabaseReader

__all__ = ["archived_draft", "draft_to_play"]


def draft_to_play(db: DatabaseReader, profile_id: str) -> DraftWorld | None:
    """The draft that a story of this user begins in; None when the catalog has the world.

    Raises:
        ReducerError: ``world.gate_blocked``: the draft cannot be played.
    """
    profile = find_profile(db, profile_id)
    if profile is None or profile.publication_status is PublicationStatus.PUBLISHED:
        return None
    check_gate(enter_checks(db, profile))
    return _draft_of(db, profile)


def archived_draft(db: DatabaseReader, profile_id: str) -> DraftWorld:
    """The draft that an archived test play goes on in; the story sees whether it is the same.

    Raises:
        ReducerError: ``world.not_found``: it was deleted.
    """
    return _draft_of(db, profile_of(db, profile_id))


def _draft_of(db: DatabaseReader, profile: CustomWorldProfile) -> DraftWorld:
    document = db[CustomWorldProfileDocument].get(profile.profile_id)
    return DraftWorld(document.draft_document_json, profile.draft_hash)
