"""Laws of creation, library and gallery over the rows of actors at rest (domain 6, 7, 8)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from random_laws import Rows

from actors.domains.ai.stages import AiTaskStage
from actors.domains.ai.tasks import AiTask, is_final
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard
from actors.domains.custom_world.agent.checkpoints import (
    CustomWorldAgentCheckpoint,
    CustomWorldAgentCheckpointBlob,
)
from actors.domains.custom_world.agent.findings import CustomWorldAgentFinding
from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, input_of
from actors.domains.custom_world.agent.preview import CustomWorldResultPreview
from actors.domains.custom_world.agent.session import (
    CustomWorldAgentSession,
    CustomWorldAgentState,
)
from actors.domains.domain_types import (
    AgentAction,
    AgentStage,
    AssetStatus,
    CardStatus,
    EntityKind,
    MessageRole,
    MessageStatus,
    OperationStatus,
    Severity,
)
from actors.domains.rules.compile import KEY_FIELD

__all__ = ["ARROWS", "check_session", "check_session_step"]

ARROWS: Final = {
    AgentStage.COLLECTING: {AgentStage.FOUNDATION_READY, AgentStage.ARCHIVED},
    AgentStage.FOUNDATION_READY: {
        AgentStage.REFINING,
        AgentStage.PUBLISH_READY,
        AgentStage.ARCHIVED,
    },
    AgentStage.REFINING: {AgentStage.PUBLISH_READY, AgentStage.ARCHIVED},
    AgentStage.PUBLISH_READY: {
        AgentStage.REFINING,
        AgentStage.PUBLISHING,
        AgentStage.PUBLISHED,
        AgentStage.ARCHIVED,
    },
    AgentStage.PUBLISHING: {AgentStage.PUBLISHED, AgentStage.PUBLISH_READY},
    AgentStage.PUBLISHED: {
        AgentStage.REFINING,
        AgentStage.PUBLISH_READY,
        AgentStage.PUBLISHING,
        AgentStage.ARCHIVED,
    },
    AgentStage.ARCHIVED: set(AgentStage),
}
"""Where a step leads (domain 7.2). A draft that passes the gate is ready in the same turn, and a
world that has its cover is published within one step of the test."""

_NEXT: Final = {
    OperationStatus.QUEUED: {OperationStatus.RUNNING, OperationStatus.CANCELLED},
    OperationStatus.RUNNING: set(OperationStatus),
    OperationStatus.SUCCEEDED: set[OperationStatus](),
    OperationStatus.FAILED: set[OperationStatus](),
    OperationStatus.CANCELLED: set[OperationStatus](),
}
"""How operations go on (domain 7.6)."""

_ENDED: Final = (OperationStatus.SUCCEEDED, OperationStatus.FAILED, OperationStatus.CANCELLED)
_OPEN: Final = (MessageStatus.PENDING, MessageStatus.STREAMING)
_PICTURED: Final = (EntityKind.WORLD, EntityKind.ROLE, EntityKind.NPC, EntityKind.LANDMARK)
_BESIDE: Final = (AgentAction.SYNC_RESULT_PROFILE,)


def check_session(rows: Rows) -> None:
    """What is true of a creation session's rows whenever no turn is under way."""
    if not rows[CustomWorldAgentSession]:
        assert not any(rows.values())
        return
    _check_operations(rows)
    _check_messages(rows)
    _check_cards(rows)
    _check_counts(rows)
    _check_progress(rows)
    kept = {row.checkpoint_id for row in rows[CustomWorldAgentCheckpoint]}
    assert kept == {row.checkpoint_id for row in rows[CustomWorldAgentCheckpointBlob]}
    assert len(kept) <= 20


def _check_operations(rows: Rows) -> None:
    """Domain 7.6: one exclusive operation runs, under a lease while a worker has it; 8 wait."""
    (session,) = rows[CustomWorldAgentSession]
    operations = rows[CustomWorldAgentOperation]
    running = [row for row in operations if row.status is OperationStatus.RUNNING]
    alone = [row for row in running if row.action not in _BESIDE]
    assert len(alone) <= 1, alone
    assert session.active_operation_id == (alone[0].operation_id if alone else None)
    queued = sum(row.status is OperationStatus.QUEUED for row in operations)
    assert session.queued_operation_count == queued <= 8
    for row in operations:
        has_ended = row.status in _ENDED
        assert (row.finished_at is not None) == has_ended, row
        assert (row.progress_permille == 1_000) >= (row.status is OperationStatus.SUCCEEDED), row
        assert (row.result_json is not None) == (row.status is OperationStatus.SUCCEEDED), row
        has_failed = row.status in {OperationStatus.FAILED, OperationStatus.CANCELLED}
        assert (row.error_code is not None) == has_failed, row
        assert row.attempt <= row.max_attempts == 3, row
        assert row.lease_epoch <= row.attempt, row
        assert row.lease_expires_at is None or row.status is OperationStatus.RUNNING, row
        assert len((row.result_json or "").encode()) <= 32_768, row.operation_id
        assert not row.refunded or row.charged_spark, row
    tasks = {row.ai_task_id: row for row in rows[AiTask]}
    for row in operations:
        if row.ai_task_id in tasks:
            assert is_final(tasks[row.ai_task_id]) == (row.status in _ENDED), row
    stages = Counter(row.ai_task_id for row in rows[AiTaskStage])
    assert stages.keys() <= tasks.keys()


def _check_messages(rows: Rows) -> None:
    """Domain 7.1, 7.4: numbered without gaps; open exactly while an operation writes them."""
    (session,) = rows[CustomWorldAgentSession]
    messages = sorted(rows[CustomWorldAgentMessage], key=lambda row: row.seq)
    assert [row.seq for row in messages] == list(range(1, session.message_count + 1))
    live = [row for row in rows[CustomWorldAgentOperation] if row.status not in _ENDED]
    written = {row.message_id for row in live} - {None}
    for row in messages:
        if row.status in _OPEN:
            assert row.message_id in written, row
        assert row.role is MessageRole.ASSISTANT or row.status is MessageStatus.COMPLETE, row
        assert len(row.text) <= 16_000, row.message_id
        assert row.text or row.status is not MessageStatus.PARTIAL, row
        assert row.status is not MessageStatus.COMPLETE or row.text, row
    answered = Counter(row.reply_to for row in messages if row.reply_to is not None)
    spoken = Counter(row.message_id for row in messages if row.role is MessageRole.USER)
    assert answered == spoken


def _check_cards(rows: Rows) -> None:
    """Domain 7.1: a card is the section entry with its key; images come while they are made."""
    (session,) = rows[CustomWorldAgentSession]
    live = [row for row in rows[CustomWorldAgentOperation] if row.status not in _ENDED]
    made_for = {card for row in live for card in input_of(row).get("cardIds", [])}
    cards = rows[CustomWorldDraftCard]
    assert len({(row.kind, row.entity_key) for row in cards}) == len(cards) <= 400
    for row in cards:
        field = KEY_FIELD.get(row.kind)
        key = "world" if field is None else json.loads(row.payload_json)[field]
        assert row.entity_key == key, row
        name = f"{session.agent_session_id}:{row.kind.name.lower()}:{key}"
        assert row.entity_ref == name, row
        assert len(row.title) <= 60, row
        assert len(row.summary) <= 300, row
        assert (row.asset_status is AssetStatus.READY) <= (row.image_src is not None), row
        assert row.asset_status is not AssetStatus.GENERATING or row.card_id in made_for, row


def _check_counts(rows: Rows) -> None:
    """Domain 6.4, 6.5: counts are those of the rows; preview, session and findings agree."""
    (session,), (preview,) = rows[CustomWorldAgentSession], rows[CustomWorldResultPreview]
    findings, cards = rows[CustomWorldAgentFinding], rows[CustomWorldDraftCard]
    assert session.card_count == len(cards)
    counts = Counter(row.severity for row in findings)
    blockers, warnings = counts[Severity.BLOCKER], counts[Severity.WARNING]
    assert (session.blocker_count, session.warning_count) == (blockers, warnings)
    assert (len(preview.blockers), len(preview.warnings)) == (blockers, warnings)
    score = 1_000 - 250 * blockers - 40 * warnings - 5 * counts[Severity.INFO]
    assert session.quality_score == preview.quality_score == max(0, score), session
    assert preview.source_revision == session.revision
    assert preview.publish_ready == session.publish_gate_passed
    assert preview.can_enter_world == session.can_enter_world
    about = Counter(row.card_id for row in findings)
    for card in cards:
        assert card.finding_count == about[card.card_id], card
    assert about.keys() <= {None, *(card.card_id for card in cards)}
    for offered in session.supported_actions:
        assert offered.enabled == (offered.reason_code is None), offered
        if offered.action is AgentAction.PUBLISH_WORLD and offered.enabled:
            assert session.publish_gate_passed, session


def _check_progress(rows: Rows) -> None:
    """Domain 7.2: stage and progress follow from what there is."""
    (session,), (state,) = rows[CustomWorldAgentSession], rows[CustomWorldAgentState]
    filled = sum(bool(anchor.value) for anchor in session.anchors)
    assert session.anchor_coverage_permille == 1_000 * filled // 6
    assert all(len(anchor.value) <= 400 for anchor in session.anchors)
    assert all(anchor.confidence_permille <= 1_000 for anchor in session.anchors)
    assert len(session.suggested_replies) <= 4
    assert all(0 < len(one) <= 80 for one in session.suggested_replies)
    cards = [row for row in rows[CustomWorldDraftCard] if row.status is not CardStatus.REMOVED]
    pictured = sum(row.image_src is not None and row.kind in _PICTURED for row in cards)
    progress = (
        session.anchor_coverage_permille * 250 // 1_000
        + 350 * state.is_drafted
        + min(250, 25 * pictured)
        + 100 * session.publish_gate_passed
        + 50 * (state.live_revision is not None)
    )
    assert session.progress_permille == progress, (session, progress)
    publishing = [
        row
        for row in rows[CustomWorldAgentOperation]
        if row.action is AgentAction.PUBLISH_WORLD and row.status is OperationStatus.RUNNING
    ]
    assert (session.stage is AgentStage.PUBLISHING) == bool(publishing), session
    if session.stage is AgentStage.PUBLISHED:
        assert state.live_revision == session.revision, (session, state)
    if session.stage in {AgentStage.PUBLISH_READY, AgentStage.REFINING}:
        assert (session.stage is AgentStage.PUBLISH_READY) == session.publish_gate_passed


def check_session_step(before: Rows, after: Rows) -> None:
    """Domain 7.2, 7.6: stages and operations go along their arrows; what is said stays said."""
    if not before[CustomWorldAgentSession]:
        return
    (old,), (new,) = before[CustomWorldAgentSession], after[CustomWorldAgentSession]
    _check_reached(old.stage, new.stage, ARROWS)
    assert new.version >= old.version, (old, new)
    assert new.revision >= old.revision, (old, new)
    operations = {row.operation_id: row for row in after[CustomWorldAgentOperation]}
    for row in before[CustomWorldAgentOperation]:
        later = operations.get(row.operation_id)
        if later is None:
            assert row.status in _ENDED, row
            continue
        _check_reached(row.status, later.status, _NEXT)
        assert later.lease_epoch >= row.lease_epoch, (row, later)
        assert later.attempt >= row.attempt, (row, later)
        assert later.progress_permille >= row.progress_permille, (row, later)
        assert later.charged_spark >= row.charged_spark, (row, later)
        assert later.refunded >= row.refunded, (row, later)
        if row.status in _ENDED:
            assert later.result_json == row.result_json, (row, later)
    messages = {row.message_id: row for row in after[CustomWorldAgentMessage]}
    for row in before[CustomWorldAgentMessage]:
        later = messages[row.message_id]
        assert later.attempt >= row.attempt, (row, later)
        if row.status is MessageStatus.COMPLETE:
            assert later == row, (row, later)
    revisions = {row.card_id: row.revision for row in after[CustomWorldDraftCard]}
    for row in before[CustomWorldDraftCard]:
        assert revisions.get(row.card_id, row.revision) >= row.revision, row


def _check_reached(first: Any, last: Any, arrows: Mapping[Any, set[Any]]) -> None:
    reached, fresh = {first}, [first]
    while fresh:
        fresh = [each for one in fresh for each in arrows[one] if each not in reached]
        reached.update(fresh)
    assert last in reached, (first, last)
