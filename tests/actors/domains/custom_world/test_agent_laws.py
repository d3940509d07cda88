"""Laws of sessions: whatever is asked of one, its rows agree and its stage keeps to the table."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from agent_bench import Studio, studio
from hypothesis import given, settings
from hypothesis import strategies as st
from vale_bench import RefusedError

from actors.domains.ai.tasks import AiTask, AiTaskStatus, is_final
from actors.domains.custom_world.agent.checkpoints import CustomWorldAgentCheckpoint
from actors.domains.custom_world.agent.findings import CustomWorldAgentFinding
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation
from actors.domains.custom_world.agent.preview import CustomWorldResultPreview
from actors.domains.custom_world.limits import LEASE_MICROS
from actors.domains.domain_types import (
    AgentAction,
    AgentStage,
    CardStatus,
    EntityKind,
    MessageStatus,
    OperationStatus,
    Severity,
    TextSource,
)

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

STEPS: Final = (
    "say",
    "reply",
    "break_off",
    "cancel",
    "expire",
    "draft_foundation",
    "finish",
    "fail",
    "shorten",
    "mend",
    "remove",
    "restore",
    "lock",
    "generate_cover",
    "create_checkpoint",
    "revert_checkpoint",
    "publish_world",
    "unpublish_world",
    "archive_session",
    "restore_session",
    "sync_result_profile",
)
_WORDS = "A drowned kingdom under a curse. The tone is grim. I want to be a ferryman hero."
_PREMISE = "A kingdom that sank, and a ferry that still crosses it every night."


def leased(bench: Studio) -> CustomWorldAgentOperation | None:
    rows = bench.rows(CustomWorldAgentOperation)
    return next((row for row in rows if row.lease_expires_at is not None), None)


async def patch(bench: Studio, premise: str) -> None:
    cards = bench.cards(EntityKind.WORLD)
    card_id = cards[0].card_id if cards else "none"
    await bench.act("update_draft_card", cardId=card_id, patch={"premise": premise})


async def set_status(bench: Studio, status: str) -> None:
    cards = bench.cards(EntityKind.HOSTILE)
    card_id = cards[-1].card_id if cards else "none"
    await bench.act("set_card_status", cardId=card_id, status=status)


async def work(bench: Studio) -> None:
    """Let the worker end what it is at, if there is anything."""
    operation = leased(bench)
    if operation is None:
        return
    match operation.action:
        case AgentAction.AGENT_REPLY | AgentAction.RETRY_REPLY:
            anchors = [
                {"key": key, "value": "x", "confidence": 700}
                for key in ("tone", "world_premise", "core_conflict")
            ]
            await bench.answer(anchors=anchors)
        case AgentAction.DRAFT_FOUNDATION:
            await bench.finish({"cards": bench.foundation()}, TextSource.FALLBACK)
        case _:
            card_id = bench.card(EntityKind.WORLD).card_id
            await bench.finish({"images": [{"cardId": card_id, "imageSrc": "/objects/b/c"}]})


async def take(bench: Studio, step: str, number: int) -> None:
    operation = leased(bench)
    match step:
        case "say":
            await bench.say(_WORDS, f"m-{number}")
        case "reply" | "finish":
            await work(bench)
        case "break_off":
            if operation is not None and operation.message_id is not None:
                await bench.stream("A piece")
                await bench.fail()
        case "cancel":
            if operation is not None:
                await bench.cancel(operation.operation_id)
        case "expire":
            bench.vale.clock.wait(LEASE_MICROS)
            await bench.vale.wake(bench.actor)
        case "fail":
            if operation is not None:
                await bench.fail(again=number % 2 == 0)
        case "shorten":
            await patch(bench, "short")
        case "mend":
            await patch(bench, _PREMISE)
        case "remove":
            await set_status(bench, "removed")
        case "restore":
            await set_status(bench, "accepted")
        case "lock":
            await set_status(bench, "locked")
        case "draft_foundation":
            await bench.act(step, replace=True)
        case "revert_checkpoint":
            kept = bench.rows(CustomWorldAgentCheckpoint)
            await bench.act(step, checkpointId=kept[0].checkpoint_id if kept else "none")
        case _:
            await bench.act(step)


def check_laws(bench: Studio) -> None:
    session = bench.session
    operations = bench.rows(CustomWorldAgentOperation)
    running = [row for row in operations if row.status is OperationStatus.RUNNING]
    assert len(running) <= 1
    assert session.active_operation_id == (running[0].operation_id if running else None)
    queued = [row for row in operations if row.status is OperationStatus.QUEUED]
    assert session.queued_operation_count == len(queued)
    messages = bench.messages()
    assert [row.seq for row in messages] == list(range(1, session.message_count + 1))
    writing = {row.message_id for row in (*running, *queued)}
    for message in messages:
        is_open = message.status in {MessageStatus.PENDING, MessageStatus.STREAMING}
        assert is_open is (message.message_id in writing)
    check_counts(bench)
    ended = {row.ai_task_id for row in operations if row.finished_at is not None}
    for task in bench.rows(AiTask):
        assert is_final(task) is (task.ai_task_id in ended)
        assert task.status is not AiTaskStatus.PENDING or task.version == 1


def check_counts(bench: Studio) -> None:
    session, cards = bench.session, bench.cards()
    findings = bench.rows(CustomWorldAgentFinding)
    (preview,) = bench.rows(CustomWorldResultPreview)
    assert session.card_count == len(cards)
    blockers = [row for row in findings if row.severity is Severity.BLOCKER]
    warnings = [row for row in findings if row.severity is Severity.WARNING]
    assert (session.blocker_count, session.warning_count) == (len(blockers), len(warnings))
    assert (len(preview.blockers), len(preview.warnings)) == (len(blockers), len(warnings))
    assert preview.source_revision == session.revision
    assert preview.publish_ready is session.publish_gate_passed
    for card in cards:
        assert card.finding_count == sum(row.card_id == card.card_id for row in findings)
    is_drafted = session.stage >= AgentStage.REFINING
    if session.stage is not AgentStage.ARCHIVED:
        pictured = [
            card
            for card in cards
            if card.image_src is not None and card.status is not CardStatus.REMOVED
        ]
        is_live = bench.reason("unpublish_world") != "not_published"
        if not bench.session.active_operation_id:
            assert session.progress_permille == (
                session.anchor_coverage_permille * 250 // 1_000
                + 350 * is_drafted
                + min(250, 25 * len(pictured))
                + 100 * session.publish_gate_passed
                + 50 * is_live
            )


async def play(steps: list[str]) -> None:
    async with studio() as bench:
        for number, step in enumerate(steps):
            before = bench.session
            refused = False
            try:
                await take(bench, step, number)
                await bench.vale.settle()
            except RefusedError:
                refused = True
            after = bench.session
            if refused:
                assert after == before
            assert after.stage is before.stage or after.stage in ARROWS[before.stage], step
            assert after.revision >= before.revision
            assert after.version >= before.version
            check_laws(bench)


_BEGIN: Final = ["say", "reply", "draft_foundation", "finish"]
_FREELY: Any = st.lists(st.sampled_from(STEPS), max_size=14)


@settings(max_examples=30, deadline=None)
@given(st.booleans(), _FREELY)
def test_rows_agree_whatever_is_asked(is_drafted: bool, steps: list[str]) -> None:
    asyncio.run(play([*_BEGIN, *steps] if is_drafted else steps))
