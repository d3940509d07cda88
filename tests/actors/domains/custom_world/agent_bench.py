"""A creation session as its user and its workers know it, with the test as the worker."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from user_bench import SERVICE, claims
from vale_bench import MODULE, Player, RefusedError, Vale, running_vale

from actors.domains.ai.stages import AiTaskStage
from actors.domains.ai.tasks import AiScope, AiTask
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard
from actors.domains.custom_world.agent.messages import CustomWorldAgentMessage
from actors.domains.custom_world.agent.operations import EFFECT, CustomWorldAgentOperation
from actors.domains.custom_world.agent.session import CustomWorldAgentSession
from actors.domains.data.agent_books import agent_book
from actors.domains.domain_types import EntityKind, TextSource
from actors.domains.kinds import AGENT
from actors.domains.rules.agent import Wish, anchor_values, fallback_reply, generate_foundation
from actors.keys import ActorKey
from actors.module.system import OutboxMessage

SEED = "A drowned kingdom under a curse. The tone is grim mystery. I want to be a ferryman hero."
AGENT_TABLES = (
    "custom_world_agent_session",
    "custom_world_agent_message",
    "custom_world_agent_operation",
    "custom_world_draft_card",
    "custom_world_agent_finding",
    "custom_world_agent_checkpoint",
    "custom_world_result_preview",
)


class Studio:
    """A player at a creation session. Nobody works at its operations but the test."""

    def __init__(self, vale: Vale, player: Player, service: Player) -> None:
        self.vale = vale
        self.player = player
        self.service = service
        self.session_id = ""

    async def create(self, seed: str | None = None, locale: str | None = None) -> Any:
        snapshot = await self.player.ask(
            "create_custom_world_agent_session_and_return", seed, locale
        )
        await self.vale.settle()
        self.session_id = snapshot.session.agent_session_id
        return snapshot

    @property
    def actor(self) -> ActorKey:
        return AGENT.key(self.session_id)

    @property
    def session(self) -> CustomWorldAgentSession:
        (session,) = self.rows(CustomWorldAgentSession)
        return session

    def rows(self, table: type) -> list[Any]:
        return self.vale.rows(self.actor, table)

    def rows_of(self, table: str) -> list[Any]:
        """The rows of a table by its name."""
        return self.rows(MODULE.tables[table].row)

    def operation(self, operation_id: str) -> CustomWorldAgentOperation:
        rows = self.rows(CustomWorldAgentOperation)
        return next(row for row in rows if row.operation_id == operation_id)

    @property
    def running(self) -> CustomWorldAgentOperation:
        """The operation that a worker holds the lease of."""
        rows = self.rows(CustomWorldAgentOperation)
        (found,) = (row for row in rows if row.lease_expires_at is not None)
        return found

    def messages(self) -> list[CustomWorldAgentMessage]:
        return sorted(self.rows(CustomWorldAgentMessage), key=lambda row: row.seq)

    def cards(self, kind: EntityKind | None = None) -> list[CustomWorldDraftCard]:
        cards = [row for row in self.rows(CustomWorldDraftCard) if kind in {None, row.kind}]
        return sorted(cards, key=lambda row: (row.kind, row.order_index))

    def card(self, kind: EntityKind) -> CustomWorldDraftCard:
        return self.cards(kind)[0]

    # What the user does

    async def say(self, text: str, client_id: str = "m-1") -> Any:
        return await self.player.ask(
            "submit_custom_world_agent_message_and_return", self.session_id, text, client_id
        )

    async def act(
        self, action: str, *, revision: int | None = None, request: str = "", **payload: Any
    ) -> CustomWorldAgentOperation:
        return await self.player.ask(
            "execute_custom_world_agent_action_and_return",
            self.session_id,
            action,
            json.dumps(payload),
            revision,
            request=request,
        )

    async def details(self, action: str, **payload: Any) -> dict[str, Any]:
        """What the refusal of an action tells programs."""
        with pytest.raises(RefusedError) as refused:
            await self.act(action, **payload)
        return refused.value.details

    async def cancel(self, operation_id: str) -> CustomWorldAgentOperation:
        return await self.player.ask(
            "cancel_custom_world_agent_operation_and_return", self.session_id, operation_id
        )

    def reason(self, action: str) -> str | None:
        """Why an action is disabled."""
        (found,) = (
            row for row in self.session.supported_actions if row.action.name.lower() == action
        )
        assert found.enabled is (found.reason_code is None)
        return found.reason_code

    # What a worker does

    async def report(self, label: str, progress: int, epoch: int | None = None) -> Any:
        operation = self.running
        return await self.service.ask(
            "report_agent_operation_progress_and_return",
            operation.operation_id,
            operation.lease_epoch if epoch is None else epoch,
            label,
            "",
            progress,
        )

    async def finish(
        self,
        result: object,
        source: TextSource = TextSource.LLM,
        operation: CustomWorldAgentOperation | None = None,
    ) -> CustomWorldAgentOperation:
        operation = operation or self.running
        return await self.service.ask(
            "finish_agent_operation_and_return",
            operation.operation_id,
            operation.lease_epoch,
            json.dumps(result),
            source,
        )

    async def fail(
        self, code: str = "dependency.unavailable", *, again: bool = False
    ) -> CustomWorldAgentOperation:
        operation = self.running
        return await self.service.ask(
            "fail_agent_operation_and_return",
            operation.operation_id,
            operation.lease_epoch,
            code,
            "it broke",
            again,
        )

    async def ask_model(self) -> AiTaskStage:
        """Begin the stage that brings text; answers it."""
        task_id = self.running.ai_task_id
        await self.service.ask("start_ai_task_and_return", AiScope.AGENT, self.session_id, task_id)
        stages = {row.stage_order: row for row in self.stages()}
        if stages[0].completed_at is None:
            await self.service.ask("start_ai_task_stage_and_return", task_id, 0)
            await self.service.ask("complete_ai_stage_and_return", task_id, 0, None, None, None, [])
        return await self.service.ask("start_ai_task_stage_and_return", task_id, 1)

    async def chunk(self, attempt: int, sequence: int, text: str) -> AiTaskStage:
        return await self.service.ask(
            "append_ai_text_chunk_and_return",
            self.running.ai_task_id,
            1,
            attempt,
            sequence,
            text,
        )

    async def stream(self, *texts: str) -> None:
        stage = await self.ask_model()
        for sequence, text in enumerate(texts):
            await self.chunk(stage.attempt, sequence, text)

    def stages(self) -> list[AiTaskStage]:
        return [row for row in self.rows(AiTaskStage) if row.ai_task_id == self.running.ai_task_id]

    def task(self, operation: CustomWorldAgentOperation) -> AiTask:
        return next(row for row in self.rows(AiTask) if row.ai_task_id == operation.ai_task_id)

    async def draft(self, *, replace: bool = False) -> CustomWorldAgentOperation:
        """Draft a foundation, as the rules make it."""
        await self.act("draft_foundation", replace=replace)
        return await self.finish({"cards": self.foundation()}, TextSource.FALLBACK)

    def foundation(self) -> list[dict[str, Any]]:
        session = self.session
        wish = Wish(self.session_id, anchor_values(session.anchors), "")
        made = generate_foundation(wish, agent_book(session.locale))
        return [
            {
                "kind": card.kind.name.lower(),
                "key": card.key,
                "payload": card.payload,
                "status": "accepted",
            }
            for card in made
        ]

    async def answer(self, text: str = "Go on.", **tail: Any) -> CustomWorldAgentOperation:
        """End the running reply at once."""
        return await self.finish({"reply": text, **tail})


def told_by_rules(studio: Studio) -> str:
    """What the rules would say to the session as it is."""
    session = studio.session
    return fallback_reply(session.anchors, agent_book(session.locale)).text


@asynccontextmanager
async def studio(
    providers: dict[type, object] | None = None, *, seed: str | None = None
) -> AsyncIterator[Studio]:
    """A user with a session that has just begun."""
    async with running_vale(providers=providers) as vale:
        vale.host.effects.register(EFFECT, _idle)
        player = await vale.enter(claims(1))
        service = await vale.enter(SERVICE)
        bench = Studio(vale, player, service)
        await bench.create(seed)
        await player.subscribe(*AGENT_TABLES)
        yield bench


async def _idle(source: ActorKey, message: OutboxMessage) -> None:
    """A worker that takes every request and does nothing."""
