"""Publish flow, the author's side: from a draft to a live version and back (domain 12.5).

One publication or withdrawal of a profile is under way at a time, so the catalog's answer always
belongs to the last question. What is sent again with the same key waits for that answer, or gets
the one that there was: an equal document that is live stays what it is.
"""

from __future__ import annotations

from actors import ReducerContext, ReducerError, message, replace
from actors.domains.custom_world.profile import (
    CustomWorldDraftFacts,
    CustomWorldProfile,
    CustomWorldProfileDocument,
    find_profile,
)
from actors.domains.custom_world.profile_drafts import keep_agent_draft
from actors.domains.custom_world.profile_gates import (
    CustomWorldPublication,
    PublishedDraft,
    author_checks,
    check_gate,
    publication_of,
    publish_checks,
)
from actors.domains.domain_types import PublicationStatus
from actors.domains.kinds import AGENT, CATALOG, USER
from actors.domains.runtime.profile import dashboard_of, save_dashboard
from actors.domains.runtime.refusals import Refusal, note_refusal
from actors.domains.world_messages import (
    AgentPublishAck,
    AgentUnpublished,
    CatalogUnpublish,
    ProfileSynced,
    PublishFromAgent,
    PublishProfile,
    PublishRejected,
    SyncProfile,
    SyncRejected,
    UnpublishAck,
    UnpublishFromAgent,
    UserPublishAck,
    WorkModerated,
    WorldCard,
)

__all__ = [
    "is_live_already",
    "publish_from_agent",
    "publish_rejected",
    "start_publication",
    "start_withdrawal",
    "sync_profile",
    "unpublish_ack",
    "unpublish_from_agent",
    "user_publish_ack",
    "work_moderated",
]


@message(USER)
def sync_profile(ctx: ReducerContext, payload: SyncProfile) -> None:
    """Write a session's draft into the library."""
    session = AGENT.key(payload.agent_session_id)
    try:
        profile = keep_agent_draft(ctx, payload)
    except ReducerError as refusal:
        rejected = SyncRejected(payload.operation_id, refusal.code, refusal.message)
        ctx.send(session, rejected, idempotency_key=payload.operation_id)
        return
    synced = ProfileSynced(payload.operation_id, profile.profile_id, profile.revision)
    ctx.send(session, synced, idempotency_key=payload.operation_id)


@message(USER)
def publish_from_agent(ctx: ReducerContext, payload: PublishFromAgent) -> None:
    """Write a session's draft into the library and publish it (domain 12.5, step 2)."""
    try:
        profile = keep_agent_draft(ctx, payload)
        check_gate(author_checks(publish_checks(ctx.db, profile)))
        if is_live_already(ctx, profile):
            _acknowledge(ctx, payload.agent_session_id, payload.publish_key, profile)
        else:
            start_publication(ctx, profile, payload.publish_key, payload.agent_session_id)
    except ReducerError as refusal:
        _reject(ctx, payload, refusal)


@message(USER)
def unpublish_from_agent(ctx: ReducerContext, payload: UnpublishFromAgent) -> None:
    """Take a session's world out of the gallery."""
    profile = find_profile(ctx.db, payload.profile_id)
    try:
        if profile is None:
            raise ReducerError("world.not_found", "there is no such world")
        start_withdrawal(ctx, profile, payload.publish_key, payload.agent_session_id)
    except ReducerError as refusal:
        _reject(ctx, payload, refusal)


def is_live_already(ctx: ReducerContext, profile: CustomWorldProfile) -> bool:
    """Whether the draft is what the gallery has: then there is nothing to publish."""
    latest = publication_of(ctx.db, profile.profile_id).latest
    return (
        profile.publication_status is PublicationStatus.PUBLISHED
        and latest is not None
        and latest.document_hash == profile.draft_hash
    )


def start_publication(
    ctx: ReducerContext,
    profile: CustomWorldProfile,
    publish_key: str,
    agent_session_id: str | None = None,
) -> None:
    """Send a draft that has passed the gate to the catalog.

    Raises:
        ReducerError: ``world.publishing_state`` while another step of the profile is under way.
    """
    draft = ctx.db[CustomWorldDraftFacts].get(profile.profile_id)
    coming = PublishedDraft(profile.draft_hash, draft.role_keys, draft.content_rating)
    if not _begin(ctx, profile, publish_key, coming, agent_session_id):
        return
    document = ctx.db[CustomWorldProfileDocument].get(profile.profile_id)
    ctx.send(
        CATALOG.shard_key(profile.profile_id),
        PublishProfile(
            publish_key=publish_key,
            profile_id=profile.profile_id,
            owner_user_id=ctx.key,
            author_display_name=profile.author_display_name,
            public_work_code=profile.public_work_code,
            version=profile.published_version + 1,
            document_json=document.draft_document_json,
            document_hash=profile.draft_hash,
            card=_card(profile),
        ),
        idempotency_key=publish_key,
    )


def start_withdrawal(
    ctx: ReducerContext,
    profile: CustomWorldProfile,
    publish_key: str,
    agent_session_id: str | None = None,
) -> None:
    """Ask the catalog to take a published world out of the gallery.

    Raises:
        ReducerError: ``world.not_published_state``, or ``world.publishing_state`` while another
            step of the profile is under way.
    """
    if profile.publication_status is not PublicationStatus.PUBLISHED:
        raise ReducerError("world.not_published_state", "the world is not published")
    if _begin(ctx, profile, publish_key, None, agent_session_id):
        ctx.send(
            CATALOG.shard_key(profile.profile_id),
            CatalogUnpublish(publish_key, profile.profile_id, ctx.key),
            idempotency_key=publish_key,
        )


@message(USER)
def user_publish_ack(ctx: ReducerContext, payload: UserPublishAck) -> None:
    """A version is live (domain 12.5, step 4); the session that made it is told."""
    step = _end(ctx, payload.publish_key, payload.profile_id)
    if step is None:
        return
    profiles = ctx.db[CustomWorldProfile]
    profile = profiles.update(
        replace(
            profiles.get(payload.profile_id),
            publication_status=PublicationStatus.PUBLISHED,
            published_version=payload.version,
            public_work_code=payload.public_work_code,
            published_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )
    _count_published(ctx)
    if profile.source_agent_session_id is not None:
        _acknowledge(ctx, profile.source_agent_session_id, payload.publish_key, profile)


@message(USER)
def publish_rejected(ctx: ReducerContext, payload: PublishRejected) -> None:
    """The catalog does not publish: the profile stays what it was, and who asked learns why."""
    assert payload.profile_id is not None
    publication = publication_of(ctx.db, payload.profile_id)
    if publication.publish_key != payload.publish_key:
        return
    ctx.db[CustomWorldPublication].update(
        replace(publication, publish_key=None, coming=None, agent_session_id=None)
    )
    if publication.agent_session_id is None:
        note_refusal(ctx, payload.publish_key, payload.code, payload.message)
    else:
        session = AGENT.key(publication.agent_session_id)
        ctx.send(session, payload, idempotency_key=payload.publish_key)


@message(USER)
def unpublish_ack(ctx: ReducerContext, payload: UnpublishAck) -> None:
    """A world is out of the gallery, on whose wish ever; the session that made it is told."""
    if _end(ctx, payload.publish_key, payload.profile_id) is None:
        return
    profiles = ctx.db[CustomWorldProfile]
    known = profiles.find(payload.profile_id)
    if known is None:
        return  # It was deleted, and since then so many others that the library forgot it.
    profile = profiles.update(
        replace(
            known,
            publication_status=PublicationStatus.UNPUBLISHED,
            updated_at=ctx.timestamp,
        )
    )
    _count_published(ctx)
    if profile.source_agent_session_id is not None:
        ctx.send(
            AGENT.key(profile.source_agent_session_id),
            AgentUnpublished(payload.publish_key, payload.profile_id),
            idempotency_key=payload.publish_key,
        )


@message(USER)
def work_moderated(ctx: ReducerContext, payload: WorkModerated) -> None:
    """Remember whether moderators hide a world: its author cannot publish it then (PG09)."""
    publication = publication_of(ctx.db, payload.profile_id)
    ctx.db[CustomWorldPublication].upsert(replace(publication, is_moderated=payload.is_hidden))


def _begin(
    ctx: ReducerContext,
    profile: CustomWorldProfile,
    publish_key: str,
    coming: PublishedDraft | None,
    agent_session_id: str | None,
) -> bool:
    """Enter a step; False when it is under way already."""
    publication = publication_of(ctx.db, profile.profile_id)
    if publication.publish_key is not None:
        if publication.publish_key == publish_key:
            return False
        raise ReducerError("world.publishing_state", "the world is being published or withdrawn")
    ctx.db[Refusal].delete(publish_key)
    ctx.db[CustomWorldPublication].upsert(
        replace(
            publication,
            publish_key=publish_key,
            coming=coming,
            agent_session_id=agent_session_id,
        )
    )
    return True


def _end(ctx: ReducerContext, publish_key: str, profile_id: str) -> CustomWorldPublication | None:
    """Leave a step that the catalog has taken; answers it, or None when it is over already."""
    step = publication_of(ctx.db, profile_id)
    if step.publish_key != publish_key:
        return None
    ctx.db[CustomWorldPublication].update(
        replace(
            step,
            latest=step.latest if step.coming is None else step.coming,
            publish_key=None,
            coming=None,
            agent_session_id=None,
        )
    )
    return step


def _acknowledge(
    ctx: ReducerContext, agent_session_id: str, publish_key: str, profile: CustomWorldProfile
) -> None:
    latest = publication_of(ctx.db, profile.profile_id).latest
    assert latest is not None, "it is published"
    ack = AgentPublishAck(
        publish_key, profile.profile_id, profile.published_version, latest.document_hash
    )
    ctx.send(AGENT.key(agent_session_id), ack, idempotency_key=publish_key)


def _reject(
    ctx: ReducerContext, payload: PublishFromAgent | UnpublishFromAgent, refusal: ReducerError
) -> None:
    rejected = PublishRejected(
        payload.publish_key, payload.profile_id, refusal.code, refusal.message
    )
    ctx.send(AGENT.key(payload.agent_session_id), rejected, idempotency_key=payload.publish_key)


def _count_published(ctx: ReducerContext) -> None:
    published = ctx.db[CustomWorldProfile].filter(publication_status=PublicationStatus.PUBLISHED)
    save_dashboard(ctx, replace(dashboard_of(ctx), published_work_count=len(published)))


def _card(profile: CustomWorldProfile) -> WorldCard:
    return WorldCard(
        world_name=profile.world_name,
        subtitle=profile.subtitle,
        summary_text=profile.summary_text,
        theme_mode=profile.theme_mode,
        tags=profile.tags,
        cover_image_src=profile.cover_image_src,
        playable_role_count=profile.playable_role_count,
        landmark_count=profile.landmark_count,
        chapter_count=profile.chapter_count,
        blocker_count=profile.blocker_count,
        warning_count=profile.warning_count,
    )
