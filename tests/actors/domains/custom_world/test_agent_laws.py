"""Laws of sessions: whatever is asked of one, its rows agree and its stage keeps to the table."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from agent_bench import Studio, studio
from hypothesis import given, settings
from hypothesis import strategies as st
from random_creation_laws import ARROWS, check_session, check_session_step
from random_laws import Rows
from vale_bench import MODULE, RefusedError

from actors.domains.custom_world.agent.checkpoints import CustomWorldAgentCheckpoint
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation
from actors.domains.custom_world.agent.session import CustomWorldAgentSession
from actors.domains.custom_world.limits import LEASE_MICROS
from actors.domains.domain_types import (
    AgentAction,
    EntityKind,
    TextSource,
)
from actors.domains.kinds import AGENT

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


def rows_of(bench: Studio) -> Rows:
    return {table.row: bench.rows(table.row) for table in MODULE.tables_of(AGENT)}


async def play(steps: list[str]) -> None:
    async with studio() as bench:
        for number, step in enumerate(steps):
            before = rows_of(bench)
            refused = False
            try:
                await take(bench, step, number)
                await bench.vale.settle()
            except RefusedError:
                refused = True
            after = rows_of(bench)
            if refused:
                assert after == before
            check_session(after)
            check_session_step(before, after)
            (old,), (new,) = before[CustomWorldAgentSession], after[CustomWorldAgentSession]
            assert new.stage is old.stage or new.stage in ARROWS[old.stage], step


_BEGIN: Final = ["say", "reply", "draft_foundation", "finish"]
_FREELY: Any = st.lists(st.sampled_from(STEPS), max_size=14)


@settings(max_examples=30, deadline=None)
@given(st.booleans(), _FREELY)
def test_rows_agree_whatever_is_asked(is_drafted: bool, steps: list[str]) -> None:
    asyncio.run(play([*_BEGIN, *steps] if is_drafted else steps))
