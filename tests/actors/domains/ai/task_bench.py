"""AI tasks on the bench: a service that works at them, and the player whom they belong to."""

from __future__ import annotations

from typing import Any

from user_bench import SERVICE
from vale_bench import Player

from actors.domains.ai.stages import AiStageKind, AiTaskStage
from actors.domains.ai.tasks import AiScope, AiTask, AiTaskKind
from actors.domains.domain_types import TextSource
from actors.keys import ActorKey

TABLES = ("ai_task", "ai_task_stage", "ai_text_chunk", "ai_result_reference")
STAGES = [AiStageKind.PREPARE_PROMPT, AiStageKind.REQUEST_MODEL, AiStageKind.NORMALIZE_RESULT]


class Desk:
    """A service with one task of a player's user or story actor."""

    def __init__(self, player: Player, service: Player, scope: AiScope) -> None:
        self.player = player
        self.service = service
        self.scope = scope
        self.scope_id = player.user_id if scope is AiScope.USER else player.story_id
        self.task_id = ""

    @classmethod
    async def open(cls, player: Player, scope: AiScope = AiScope.STORY) -> Desk:
        desk = cls(player, await player.vale.enter(SERVICE), scope)
        await desk.create()
        return desk

    @property
    def actor(self) -> ActorKey:
        return self.player.home if self.scope is AiScope.USER else self.player.story

    async def create(self, **changes: Any) -> Any:
        fields = {
            "scope_kind": self.scope,
            "scope_id": self.scope_id,
            "task_kind": AiTaskKind.DRAFT_FOUNDATION,
            "label": "Draft",
            "payload_json": "{}",
            "stages": STAGES,
            "source_entity_id": None,
        } | changes
        made = await self.service.ask("create_ai_task_and_return", *fields.values())
        self.task_id = made.task.ai_task_id
        return made

    async def start(self) -> AiTask:
        return await self.service.ask(
            "start_ai_task_and_return", self.scope, self.scope_id, self.task_id
        )

    async def begin(self, order: int) -> AiTaskStage:
        return await self.service.ask("start_ai_task_stage_and_return", self.task_id, order)

    async def chunk(self, order: int, sequence: int, text: str, *, attempt: int = 1) -> AiTaskStage:
        return await self.service.ask(
            "append_ai_text_chunk_and_return", self.task_id, order, attempt, sequence, text
        )

    async def finish(
        self,
        order: int,
        *,
        text: str | None = None,
        structured: str | None = None,
        warnings: tuple[str, ...] = (),
        attempt: int | None = None,
    ) -> AiTaskStage:
        return await self.service.ask(
            "complete_ai_stage_and_return",
            self.task_id,
            order,
            attempt,
            text,
            structured,
            list(warnings),
        )

    async def pass_stages(self, *orders: int) -> None:
        for order in orders:
            await self.begin(order)
            await self.finish(order)

    async def attach(self, kind: Any, target: str) -> Any:
        return await self.service.ask(
            "attach_ai_result_reference_and_return", self.task_id, kind, target, "label"
        )

    async def complete(
        self, structured: str | None = None, source: TextSource = TextSource.LLM
    ) -> AiTask:
        return await self.service.ask(
            "complete_ai_task_and_return", self.task_id, structured, source
        )

    async def fail(self, code: str = "dependency.timeout", attempt: int | None = None) -> AiTask:
        return await self.service.ask(
            "fail_ai_task_and_return", self.task_id, attempt, code, "too slow"
        )

    async def cancel(self, by: Player | None = None) -> AiTask:
        return await (by or self.player).ask("cancel_ai_task_and_return", self.task_id)

    @property
    def task(self) -> AiTask:
        rows = self.player.vale.rows(self.actor, AiTask)
        return next(row for row in rows if row.ai_task_id == self.task_id)

    def rows(self, table: type) -> list[Any]:
        rows = self.player.vale.rows(self.actor, table)
        return [row for row in rows if row.ai_task_id == self.task_id]

    def stage(self, order: int) -> AiTaskStage:
        return next(row for row in self.rows(AiTaskStage) if row.stage_order == order)
