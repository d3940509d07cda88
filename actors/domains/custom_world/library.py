"""Library: an author's worlds, written, listed and deleted (domain 6.8)."""

from __future__ import annotations

from actors import (
    ReducerContext,
    ReducerError,
    ViewContext,
    procedure,
    reducer,
    struct,
    u32,
)
from actors.domains.custom_world.profile import (
    CustomWorldProfile,
    delete_draft,
    profile_of,
    write_draft,
)
from actors.domains.custom_world.profile_drafts import authored_draft, compile_profile
from actors.domains.custom_world.profile_gates import publication_of
from actors.domains.custom_world.publish_flow import start_withdrawal
from actors.domains.domain_types import Finding, ProfileSource, PublicationStatus
from actors.domains.kinds import CATALOG, USER
from actors.domains.limits import LIBRARY_LISTED_MAX
from actors.domains.rules.cursors import read_cursor, write_cursor
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id
from actors.domains.world_messages import DropLinks

__all__ = [
    "CustomWorldLibraryDetail",
    "CustomWorldLibraryPage",
    "DeleteCustomWorldProfile",
    "GetCustomWorldLibraryDetail",
    "ListCustomWorldLibrary",
    "UpsertCustomWorldProfile",
    "delete_custom_world_profile",
    "get_custom_world_library_detail",
    "list_custom_world_library",
    "upsert_custom_world_profile",
]


@struct
class ListCustomWorldLibrary:
    """Input of ``list_custom_world_library``."""

    status: PublicationStatus | None
    cursor: str | None
    limit: u32


@struct
class CustomWorldLibraryPage:
    """Some profiles, the last updated first; ``next_cursor`` is None on the last page."""

    items: list[CustomWorldProfile]
    next_cursor: str | None


@struct
class GetCustomWorldLibraryDetail:
    """Input of ``get_custom_world_library_detail``."""

    profile_id: str


@struct
class CustomWorldLibraryDetail:
    """A profile with the JSON of its draft and what the compile remarks on it."""

    profile: CustomWorldProfile
    document: str
    findings: list[Finding]


@struct
class UpsertCustomWorldProfile:
    """Input of ``upsert_custom_world_profile``: a new profile without ``profile_id``."""

    profile_id: str | None
    draft_document_json: str
    expected_revision: u32 | None
    request_id: str


@struct
class DeleteCustomWorldProfile:
    """Input of ``delete_custom_world_profile``."""

    profile_id: str
    request_id: str


@procedure(actor=USER)
def list_custom_world_library(
    ctx: ViewContext, input: ListCustomWorldLibrary
) -> CustomWorldLibraryPage:
    """The caller's profiles; raises ``input.out_of_range`` and ``input.invalid_cursor``."""
    if not 1 <= input.limit <= LIBRARY_LISTED_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {LIBRARY_LISTED_MAX}")
    rows = [
        (-row.updated_at, row.profile_id, row)
        for row in ctx.db[CustomWorldProfile]
        if row.deleted_at is None and input.status in {None, row.publication_status}
    ]
    if input.cursor is not None:
        shown = read_cursor(input.cursor, int, str)
        rows = [row for row in rows if row[:2] > shown]
    rows.sort(key=lambda row: row[:2])
    page = rows[: input.limit]
    next_cursor = write_cursor(*page[-1][:2]) if len(rows) > len(page) else None
    return CustomWorldLibraryPage([row for _, _, row in page], next_cursor)


@procedure(actor=USER)
def get_custom_world_library_detail(
    ctx: ViewContext, input: GetCustomWorldLibraryDetail
) -> CustomWorldLibraryDetail:
    """A profile of the caller's with its draft; raises ``world.not_found``."""
    profile = profile_of(ctx.db, check_id(input.profile_id))
    compiled = compile_profile(ctx.db, profile.profile_id)
    return CustomWorldLibraryDetail(profile, compiled.document_json, list(compiled.findings))


@reducer(actor=USER)
def upsert_custom_world_profile(
    ctx: ReducerContext, input: UpsertCustomWorldProfile
) -> CustomWorldProfile:
    """Write a draft into the library: of a new world, or of one that is there.

    Raises ``world.not_found``, ``world.stale_version`` with the ``current`` revision,
    ``world.document_malformed``, ``input.payload_too_large`` and ``limit.quota_exceeded``.
    """
    profile_id, source, session_id = ctx.new_id("cwp_"), ProfileSource.IMPORT, None
    if input.profile_id is not None:
        known = profile_of(ctx.db, check_id(input.profile_id))
        if input.expected_revision not in {None, known.revision}:
            raise ReducerError(
                "world.stale_version", "the world has changed since", current=known.revision
            )
        profile_id, source = known.profile_id, known.source_kind
        session_id = known.source_agent_session_id
    draft = authored_draft(input.draft_document_json, profile_id)
    return write_draft(ctx, profile_id, draft, source, session_id)


@reducer(actor=USER)
def delete_custom_world_profile(
    ctx: ReducerContext, input: DeleteCustomWorldProfile
) -> CustomWorldProfile:
    """Delete a world from the library and the gallery; stories that run in it go on.

    A deleted one is deleted already. Raises ``world.not_found`` and ``world.publishing_state``.
    """
    profile = ctx.db[CustomWorldProfile].find(check_id(input.profile_id))
    if profile is None:
        raise ReducerError("world.not_found", "there is no such world")
    if profile.deleted_at is not None:
        return profile
    if publication_of(ctx.db, profile.profile_id).publish_key is not None:
        raise ReducerError("world.publishing_state", "the world is being published or withdrawn")
    if profile.publication_status is PublicationStatus.PUBLISHED:
        start_withdrawal(ctx, profile, derived_id(profile.profile_id, profile.revision))
    ctx.send(
        CATALOG.shard_key(profile.profile_id),
        DropLinks(profile.profile_id, ctx.key),
        idempotency_key=profile.profile_id,
    )
    return delete_draft(ctx, profile)
