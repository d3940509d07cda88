"""Agent settling: what follows from a session's rows, at the end of a turn (7.2, 6.4).

Findings, preview, gates, stage, progress, supported actions and counts follow from cards, anchors
and operations; every turn that touches those ends here, so that they always agree.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from actors import ImageModel, ReducerContext, TextModel, replace
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard, cards_of
from actors.domains.custom_world.agent.checkpoints import CustomWorldAgentCheckpoint
from actors.domains.custom_world.agent.compile import compile_session, enter_facts, publish_facts
from actors.domains.custom_world.agent.findings import put_findings
from actors.domains.custom_world.agent.messages import last_assistant
from actors.domains.custom_world.agent.operations import active_operation, queue_of
from actors.domains.custom_world.agent.preview import (
    CustomWorldResultPreview,
    preview_row,
    the_preview,
)
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    CustomWorldAgentState,
    session_of,
    session_world_key,
    state_of,
)
from actors.domains.custom_world.limits import TITLE_CHARS_MAX
from actors.domains.domain_types import (
    AgentAction,
    AgentStage,
    CardStatus,
    EntityKind,
    MessageStatus,
    ParticipantRole,
    SessionKind,
)
from actors.domains.kinds import USER
from actors.domains.messages import RecordSession
from actors.domains.rules.agent import (
    SessionFacts,
    coverage_permille,
    next_stage,
    progress_permille,
    supported_actions,
)
from actors.domains.rules.compile import enter_gate, gate_passes, preview_of, publish_gate
from actors.domains.rules.text import cut_text
from actors.domains.runtime.directory_entry import DirectoryState
from actors.domains.world_messages import HeaderUpdate
from actors.module import DatabaseReader

__all__ = ["session_facts", "settle"]

_BROKEN: Final = frozenset({MessageStatus.PARTIAL, MessageStatus.FAILED})
_PICTURED: Final = frozenset(
    {EntityKind.WORLD, EntityKind.ROLE, EntityKind.NPC, EntityKind.LANDMARK}
)


def settle(ctx: ReducerContext) -> CustomWorldAgentSession:
    """Bring everything that follows from the session's other rows up to date; one version later."""
    session = _compiled(ctx, session_of(ctx.db))
    active, waiting = active_operation(ctx.db), queue_of(ctx.db)
    session = replace(
        session,
        title=_title(ctx.db, session),
        anchor_coverage_permille=coverage_permille(session.anchors),
        card_count=len(ctx.db[CustomWorldDraftCard]),
        active_operation_id=None if active is None else active.operation_id,
        queued_operation_count=len(waiting),
        version=session.version + 1,
        updated_at=ctx.timestamp,
    )
    facts = session_facts(ctx, session)
    facts = facts._replace(stage=next_stage(facts))
    session = ctx.db[CustomWorldAgentSession].update(
        replace(
            session,
            stage=facts.stage,
            progress_permille=progress_permille(facts),
            supported_actions=supported_actions(facts),
        )
    )
    _tell_user(ctx, session)
    return session


def _compiled(ctx: ReducerContext, session: CustomWorldAgentSession) -> CustomWorldAgentSession:
    """The session with what its compile finds, which is made again for each revision."""
    state = state_of(ctx.db)
    previews = ctx.db[CustomWorldResultPreview]
    if len(previews) and state.compiled_revision == session.revision:
        return session
    compiled = compile_session(ctx.db)
    put_findings(ctx, session, compiled.findings)
    is_ready = gate_passes(publish_gate(publish_facts(ctx.db, session, compiled)))
    can_enter = gate_passes(enter_gate(enter_facts(compiled)))
    preview = preview_of(compiled, publish_ready=is_ready, can_enter_world=can_enter)
    previews.upsert(preview_row(session, preview, ctx.timestamp))
    ctx.db[CustomWorldAgentState].update(replace(state, compiled_revision=session.revision))
    return replace(
        session,
        blocker_count=len(preview.blockers),
        warning_count=len(preview.warnings),
        quality_score=preview.quality_score,
        publish_gate_passed=is_ready,
        can_enter_world=can_enter,
    )


def session_facts(ctx: ReducerContext, session: CustomWorldAgentSession) -> SessionFacts:
    """What the session's stage, progress and supported actions follow from."""
    state = state_of(ctx.db)
    active = active_operation(ctx.db)
    spoken = last_assistant(ctx.db)
    cards = [card for card in cards_of(ctx.db) if card.status is not CardStatus.REMOVED]
    kinds = Counter(card.kind for card in cards)
    pictured = [card for card in cards if card.kind in _PICTURED and card.image_src is not None]
    return SessionFacts(
        stage=session.stage,
        coverage_permille=session.anchor_coverage_permille,
        seed_chars=state.seed_chars,
        is_drafted=state.is_drafted,
        gate_passed=session.publish_gate_passed,
        is_archived=session.stage is AgentStage.ARCHIVED,
        is_publishing=active is not None and active.action is AgentAction.PUBLISH_WORLD,
        is_published=state.live_revision is not None,
        is_changed=state.live_revision != session.revision,
        is_busy=active is not None,
        can_retry=spoken is not None and spoken.status in _BROKEN,
        card_count=len(cards),
        role_count=kinds[EntityKind.ROLE] + kinds[EntityKind.NPC],
        landmark_count=kinds[EntityKind.LANDMARK],
        chapter_count=kinds[EntityKind.CHAPTER],
        has_world=EntityKind.WORLD in kinds,
        image_count=len(pictured),
        checkpoint_count=len(ctx.db[CustomWorldAgentCheckpoint]),
        is_text_live=ctx.provides(TextModel),
        is_image_live=ctx.provides(ImageModel),
    )


def _title(db: DatabaseReader, session: CustomWorldAgentSession) -> str:
    """The world's name, else how its premise begins."""
    worlds = db[CustomWorldDraftCard].filter(kind=EntityKind.WORLD)
    name = worlds[0].title if worlds else ""
    return name or cut_text(session.anchors[0].value, TITLE_CHARS_MAX)


def _tell_user(ctx: ReducerContext, session: CustomWorldAgentSession) -> None:
    """Tell the user's header and directory what they show of the session, when it has changed."""
    state = state_of(ctx.db)
    preview = the_preview(ctx.db)
    header = HeaderUpdate(
        agent_session_id=session.agent_session_id,
        version=0,
        stage=session.stage,
        title=session.title,
        summary_text=preview.summary_text,
        cover_image_src=preview.cover_image_src,
        progress_permille=session.progress_permille,
        card_count=session.card_count,
        blocker_count=session.blocker_count,
        warning_count=session.warning_count,
        result_profile_id=session.result_profile_id,
        last_error_code=session.last_error_code,
    )
    told = state.told
    if header == told:
        return
    ctx.db[CustomWorldAgentState].update(replace(state, told=header))
    to = USER.key(session.user_id)
    ctx.send(to, replace(header, version=session.version))
    entry = _entry(session)
    if told is None or entry != _entry(session, told):
        ctx.send(to, entry)


def _entry(session: CustomWorldAgentSession, header: HeaderUpdate | None = None) -> RecordSession:
    """What the user's directory shows of the session, or of what its header was told."""
    shown = session if header is None else header
    is_archived = shown.stage is AgentStage.ARCHIVED
    return RecordSession(
        session_key=session.agent_session_id,
        kind=SessionKind.AGENT_RPG,
        role=ParticipantRole.HOST,
        state=DirectoryState.ARCHIVED if is_archived else DirectoryState.ACTIVE,
        title=shown.title,
        world_key=session_world_key(session.agent_session_id),
        runtime_session_id=None,
    )
