"""Operations: leases, attempts, progress, prices and how it all ends (domain 7.5, 7.6)."""

from __future__ import annotations

from typing import Any

import pytest
from agent_bench import SEED, Studio, studio
from scripted_model import ScriptedModel
from vale_bench import refusal

from actors import TextModel
from actors.domains.ai.tasks import AiTaskStatus
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation
from actors.domains.custom_world.limits import LEASE_MICROS
from actors.domains.domain_types import (
    AgentStage,
    MessageStatus,
    OperationStatus,
    TextSource,
)
from actors.domains.kinds import USER
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger


async def let_lease_expire(bench: Studio) -> None:
    bench.vale.clock.wait(LEASE_MICROS)
    await bench.vale.wake(bench.actor)


async def ready(bench: Studio) -> None:
    """Let the session's first reply be over."""
    await bench.answer()


async def test_progress_never_goes_back() -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        started = await bench.act("draft_foundation")
        seen = []
        for label, progress in (("collect", 50), ("cast", 450), ("factions", 200), ("done", 9_999)):
            reported = await bench.report(label, progress)
            seen.append((reported.phase_label, reported.progress_permille))
        assert seen == [("collect", 50), ("cast", 450), ("factions", 450), ("done", 1_000)]
        assert (started.progress_permille, started.attempt) == (0, 1)


async def test_every_report_renews_the_lease() -> None:
    async with studio(seed=SEED) as bench:
        first = bench.running.lease_expires_at
        bench.vale.clock.wait(LEASE_MICROS - 1_000_000)
        await bench.report("prepare", 10)
        await let_lease_expire(bench)
        assert bench.running.attempt == 2
        assert first is not None
        bench.vale.clock.wait(LEASE_MICROS // 2)
        before = bench.running.lease_expires_at
        await bench.stream("a piece")
        assert bench.running.lease_expires_at != before
        same = bench.running.lease_expires_at
        await bench.chunk(1, 1, "another")
        assert bench.running.lease_expires_at == same


async def test_a_lost_worker_is_followed_by_another() -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        await bench.act("draft_foundation")
        await bench.report("cast", 450)
        lost = bench.running
        await let_lease_expire(bench)
        again = bench.running
        assert (again.attempt, again.lease_epoch) == (2, 2)
        assert (again.phase_label, again.progress_permille) == ("cast", 450)
        for call in (
            bench.report("late", 500, epoch=lost.lease_epoch),
            bench.finish({"cards": bench.foundation()}, operation=lost),
        ):
            assert await refusal(call) == "agent.stale_lease_conflict"
        assert bench.cards() == []
        ended = await bench.finish({"cards": bench.foundation()})
        assert (ended.status, ended.attempt, len(bench.cards())) == (
            OperationStatus.SUCCEEDED,
            2,
            39,
        )


async def test_after_three_attempts_an_operation_fails() -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        started = await bench.act("draft_foundation")
        for _ in range(3):
            await let_lease_expire(bench)
        failed = bench.operation(started.operation_id)
        assert (failed.status, failed.attempt, failed.error_code) == (
            OperationStatus.FAILED,
            3,
            "dependency.timeout",
        )
        assert bench.task(failed).status is AiTaskStatus.FAILED
        assert bench.session.last_error_code == "dependency.timeout"
        assert bench.reason("draft_foundation") is None


async def test_what_is_worth_it_is_tried_again() -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        await bench.act("draft_foundation")
        for attempt in (1, 2):
            assert bench.running.attempt == attempt
            again = await bench.fail("dependency.timeout", again=True)
            assert again.status is OperationStatus.RUNNING
        assert (await bench.fail(again=True)).status is OperationStatus.FAILED


async def test_a_reply_of_a_lost_worker_keeps_its_text_until_the_next_piece() -> None:
    async with studio(seed=SEED) as bench:
        await bench.stream("old", " text")
        await let_lease_expire(bench)
        message = bench.messages()[-1]
        assert (message.status, message.text, message.attempt) == (
            MessageStatus.STREAMING,
            "old",
            1,
        )
        stage = await bench.ask_model()
        assert stage.attempt == 2
        message = bench.messages()[-1]
        assert (message.text, message.attempt, message.chunk_count) == ("old text", 2, 0)
        await bench.chunk(2, 0, "new")
        message = bench.messages()[-1]
        assert (message.text, message.attempt, message.chunk_count) == ("new", 2, 1)
        await bench.answer()
        assert bench.messages()[-1].text == "new"


async def test_a_reply_that_nobody_writes_is_written_by_the_rules() -> None:
    async with studio(seed=SEED) as bench:
        for _ in range(3):
            await let_lease_expire(bench)
        message = bench.messages()[-1]
        assert (message.status, message.text_source) == (
            MessageStatus.COMPLETE,
            TextSource.FALLBACK,
        )
        assert bench.session.anchor_coverage_permille == 666


async def test_a_message_waits_for_the_operation_that_runs() -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        drafting = await bench.act("draft_foundation")
        begun = await bench.say("More fog, please.")
        assert begun.operation.status is OperationStatus.QUEUED
        assert begun.assistant_message.status is MessageStatus.PENDING
        assert bench.session.queued_operation_count == 1
        assert bench.session.active_operation_id == drafting.operation_id
        assert bench.reason("generate_entity") == "operation_running"
        await bench.fail()
        assert bench.running.operation_id == begun.operation.operation_id
        assert bench.messages()[-1].status is MessageStatus.STREAMING
        assert bench.session.queued_operation_count == 0


async def test_what_waits_is_called_off_at_once() -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        await bench.act("draft_foundation")
        begun = await bench.say("More fog, please.")
        ended = await bench.cancel(begun.operation.operation_id)
        assert (ended.status, ended.attempt) == (OperationStatus.CANCELLED, 0)
        assert bench.messages()[-1].status is MessageStatus.FAILED
        assert bench.running.status is OperationStatus.RUNNING


async def test_a_foundation_is_called_off() -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        started = await bench.act("draft_foundation")
        await bench.cancel(started.operation_id)
        ended = bench.operation(started.operation_id)
        assert (ended.status, ended.lease_expires_at) == (OperationStatus.CANCELLED, None)
        assert bench.task(ended).status is AiTaskStatus.CANCELLED
        assert bench.session.stage is AgentStage.FOUNDATION_READY
        call = bench.finish({"cards": bench.foundation()}, operation=started)
        assert await refusal(call) == "agent.stale_lease_conflict"


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ([], "agent.payload_malformed"),
        ({}, "agent.payload_malformed"),
        ({"cards": [1]}, "agent.payload_malformed"),
        ({"cards": [{"kind": "dragon", "payload": {}}]}, "agent.payload_malformed"),
        ({"cards": [{"kind": "npc", "payload": {"rank": "god"}}]}, "agent.payload_malformed"),
        ({"cards": [{"kind": "npc", "payload": {}, "status": "x"}]}, "agent.payload_malformed"),
        ({"cards": "x" * 524_288}, "input.payload_too_large"),
    ],
)
async def test_bad_results_change_nothing(result: Any, code: str) -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        await bench.act("draft_foundation")
        assert await refusal(bench.finish(result)) == code
        assert bench.running.status is OperationStatus.RUNNING
        assert bench.cards() == []


@pytest.mark.parametrize(
    "anchor",
    [
        {"key": "weather", "value": "x", "confidence": 1},
        {"key": "tone", "value": 1, "confidence": 1},
        {"key": "tone", "value": "x", "confidence": 1_001},
        {"key": "tone", "value": "x", "confidence": True},
    ],
)
async def test_bad_anchors_are_refused(anchor: dict[str, Any]) -> None:
    async with studio(seed=SEED) as bench:
        assert await refusal(bench.answer(anchors=[anchor])) == "agent.payload_malformed"


async def test_workers_calls_are_for_workers() -> None:
    async with studio(seed=SEED) as bench:
        row = bench.running
        for name, *fields in (
            ("report_agent_operation_progress_and_return", 1, "x", "", 1),
            ("finish_agent_operation_and_return", 1, "{}", TextSource.LLM),
            ("fail_agent_operation_and_return", 1, "x", "", False),
        ):
            call = bench.player.ask(name, row.operation_id, *fields)
            assert await refusal(call) == "auth.forbidden"


async def test_operations_of_other_sessions_do_not_exist() -> None:
    async with studio(seed=SEED) as bench:
        foreign = bench.running.operation_id
        await bench.create()
        for call in (
            bench.cancel(foreign),
            bench.player.ask("get_custom_world_agent_operation", bench.session_id, foreign),
        ):
            assert await refusal(call) == "agent.operation_not_found"


async def test_a_repeated_call_is_answered_as_the_first() -> None:
    async with studio(seed=SEED) as bench:
        await ready(bench)
        first = await bench.act("draft_foundation", request="same")
        second = await bench.act("draft_foundation", request="same")
        assert first == second
        assert len(bench.rows(CustomWorldAgentOperation)) == 2


# Prices


def wallet(bench: Studio) -> list[tuple[int, int]]:
    rows = bench.vale.rows(USER.key(bench.player.user_id), ProfileWalletLedger)
    return [(row.amount_delta, row.balance_after) for row in sorted(rows, key=lambda row: row.seq)]


LIVE: dict[type, object] = {TextModel: ScriptedModel([])}


async def test_a_live_model_is_paid_for() -> None:
    async with studio(LIVE, seed=SEED) as bench:
        await ready(bench)
        costs = {
            row.action.name: row.cost_spark
            for row in bench.session.supported_actions
            if row.cost_spark
        }
        assert costs == {
            "DRAFT_FOUNDATION": 10,
            "GENERATE_ENTITY": 3,
            "GENERATE_SCENE_NPC": 3,
            "EXPAND_CHAPTER": 5,
        }
        await bench.act("draft_foundation")
        assert bench.running.charged_spark == 10
        ended = await bench.finish({"cards": bench.foundation()})
        assert (ended.charged_spark, ended.refunded) == (10, False)
        assert wallet(bench) == [(200, 200), (-10, 190)]


@pytest.mark.parametrize("end", ["fail", "cancel", "fallback"])
async def test_what_no_model_did_is_refunded(end: str) -> None:
    async with studio(LIVE, seed=SEED) as bench:
        await ready(bench)
        started = await bench.act("draft_foundation")
        if end == "fail":
            await bench.fail()
        elif end == "cancel":
            await bench.cancel(started.operation_id)
        else:
            await bench.finish({"cards": bench.foundation()}, TextSource.FALLBACK)
        assert bench.operation(started.operation_id).refunded
        await bench.vale.settle()
        assert wallet(bench) == [(200, 200), (-10, 190), (10, 200)]


async def test_an_attempt_more_is_not_paid_again() -> None:
    async with studio(LIVE, seed=SEED) as bench:
        await ready(bench)
        await bench.act("draft_foundation")
        await bench.fail(again=True)
        await bench.finish({"cards": bench.foundation()})
        assert wallet(bench) == [(200, 200), (-10, 190)]


async def test_without_the_price_nothing_is_run() -> None:
    async with studio(LIVE, seed=SEED) as bench:
        await ready(bench)
        await bench.service.ask(
            "append_wallet_ledger_entry_and_return",
            bench.player.user_id,
            -195,
            LedgerReason.ADMIN_ADJUSTMENT,
            "test",
            "",
        )
        started = await bench.act("draft_foundation")
        failed = bench.operation(started.operation_id)
        assert (failed.status, failed.error_code) == (
            OperationStatus.FAILED,
            "wallet.insufficient_balance",
        )
        assert (failed.attempt, failed.charged_spark, failed.refunded) == (0, 0, False)
        assert wallet(bench)[-1] == (-195, 5)
