"""Profile drafts: documents compiled on their way into the library (domain 6.3, 6.8)."""

from __future__ import annotations

from actors import ReducerContext
from actors.domains.custom_world.profile import (
    CustomWorldProfile,
    CustomWorldProfileDocument,
    Draft,
    find_profile,
    profile_of,
    write_draft,
)
from actors.domains.data.unsafe import UNSAFE
from actors.domains.domain_types import ProfileSource
from actors.domains.rules.compile.compiled import CompiledWorld, compile_document
from actors.domains.rules.compile.findings import quality_score
from actors.domains.world_messages import PublishFromAgent, SyncProfile, WorldCard
from actors.module import DatabaseReader

__all__ = ["authored_draft", "compile_profile", "keep_agent_draft"]


def authored_draft(document_json: str, profile_id: str) -> Draft:
    """Compile what an author wrote; images of its entities are those that the document names.

    Raises:
        RuleError: ``world.document_malformed`` or ``input.payload_too_large``.
    """
    compiled = _compile(document_json, profile_id)
    card = WorldCard(*compiled.card)
    return _draft(compiled, compiled.document_json, compiled.document_hash, card)


def compile_profile(db: DatabaseReader, profile_id: str) -> CompiledWorld:
    """What the draft of a profile of this actor's user comes to; raises ``world.not_found``."""
    profile = profile_of(db, profile_id)
    document = db[CustomWorldProfileDocument].get(profile.profile_id)
    return _compile(document.draft_document_json, profile.profile_id)


def keep_agent_draft(
    ctx: ReducerContext, payload: SyncProfile | PublishFromAgent
) -> CustomWorldProfile:
    """Write the draft of a creation session into its one profile; an equal one is no change.

    Raises:
        ReducerError: ``limit.quota_exceeded``.
    """
    known = find_profile(ctx.db, payload.profile_id)
    if known is not None and known.draft_hash == payload.document_hash:
        return known
    compiled = _compile(payload.document_json, payload.profile_id)
    draft = _draft(compiled, payload.document_json, payload.document_hash, payload.card)
    session_id = payload.agent_session_id
    return write_draft(ctx, payload.profile_id, draft, ProfileSource.AGENT, session_id)


def _compile(document_json: str, profile_id: str) -> CompiledWorld:
    return compile_document(document_json, profile_id, {}, UNSAFE)


def _draft(
    compiled: CompiledWorld, document_json: str, document_hash: str, card: WorldCard
) -> Draft:
    world = compiled.world
    return Draft(
        document_json=document_json,
        document_hash=document_hash,
        card=card,
        quality_score=quality_score(compiled.findings),
        is_playable=world is not None,
        role_keys=[] if world is None else list(world.roles),
        content_rating=compiled.sections.meta.content_rating,
    )
