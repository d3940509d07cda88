"""Calls of workers at random: what is right, late, stale, out of order or nonsense."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

from random_author import AuthorCaller
from random_calls import Call
from vale_bench import Player, Vale

from actors.domains.ai.stages import AiStageStatus, stages_of
from actors.domains.ai.tasks import AiScope, AiTask, AiTaskStatus
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard, cards_of, payload_of
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, input_of
from actors.domains.custom_world.agent.session import CustomWorldAgentSession, session_of
from actors.domains.custom_world.agent.tasks import REPLY_ACTIONS
from actors.domains.data.agent_books import agent_book
from actors.domains.domain_types import AgentAction, EntityKind, TextSource
from actors.domains.kinds import AGENT
from actors.domains.rules.agent import Wish, anchor_values, generate_foundation

__all__ = ["WorkerCaller", "foundation_of"]

_IMAGE_ACTIONS = frozenset(
    {
        AgentAction.GENERATE_ROLE_ASSETS,
        AgentAction.GENERATE_SCENE_ASSETS,
        AgentAction.GENERATE_COVER,
        AgentAction.PUBLISH_WORLD,
    }
)
_ANCHORS = ("world_premise", "tone", "player_fantasy", "core_conflict", "opening_scene")
_PIECES = ("A piece. ", "Once upon a time ", "水" * 900, "x" * 2_048, "x" * 2_049, "")
_GARBAGE: tuple[Any, ...] = (
    *({}, [], 1, None, "text", {"cards": 5}, {"cards": [5]}, {"cards": [{}]}),
    {"cards": [{"kind": "world", "payload": {}}]},
    {"cards": [{"kind": "npc", "payload": {"name": 5}}]},
    {"cards": [{"kind": ["npc"], "payload": {}}]},
    {"images": [5]},
    {"images": [{"cardId": [], "imageSrc": "/x"}]},
    {"images": [{"cardId": 7, "imageSrc": "/x"}]},
    {"images": [{"cardId": "none", "imageSrc": "x" * 600}]},
    {"reply": "x", "anchors": [{"key": [], "value": "x", "confidence": 1}]},
    {"reply": "x", "anchors": [{"key": "tone", "value": "x", "confidence": 10**9}]},
    {"reply": ["x"], "suggestedReplies": [[], {}, 5], "proposedCards": "x"},
    {"reply": None, "proposedCards": [{"kind": "npc"}, {}]},
)


def foundation_of(session: CustomWorldAgentSession) -> list[dict[str, Any]]:
    """The cards of a foundation as the rules make it."""
    wish = Wish(session.agent_session_id, anchor_values(session.anchors), "")
    made = generate_foundation(wish, agent_book(session.locale))
    return [
        {"kind": one.kind.name.lower(), "payload": one.payload, "status": "accepted"}
        for one in made
    ]


class WorkerCaller(AuthorCaller):
    """An author caller who also does the work that sessions ask for.

    Args:
        rng: all chance.
        vale: whose rows are looked at.
        user_ids: of everybody there is.
        service: who works; without it the workers of the game do.
    """

    def __init__(self, rng: Random, vale: Vale, user_ids: Sequence[str]) -> None:
        super().__init__(rng, vale, user_ids)
        self.service: Player | None = None

    def next(self, players: list[Player]) -> Call:
        """A call of one of the players, or one of a worker."""
        if self.service is not None and self.rng.random() < 0.35:
            call = self._work(self.service)
            if call is not None:
                return call
        return super().next(players)

    def finish(self, service: Player) -> Call | None:
        """The end of some operation that runs, as a good worker has it; None when none does."""
        operation = self._leased(0)
        if operation is None:
            return None
        text = json.dumps(self._result(operation))
        fields = (operation.operation_id, operation.lease_epoch, text, TextSource.FALLBACK)
        return Call(service, "finish_agent_operation_and_return", fields)

    def _leased(self, late: float) -> CustomWorldAgentOperation | None:
        """An operation that somebody works at, or with some chance one that is over."""
        found = [
            (session, row)
            for session in self._sessions()
            for row in self.vale.rows(
                AGENT.key(session.agent_session_id), CustomWorldAgentOperation
            )
            if row.lease_expires_at is not None or (row.lease_epoch and self.rng.random() < late)
        ]
        if not found:
            return None
        self._session, operation = self.rng.choice(found)
        return operation

    def _work(self, service: Player) -> Call | None:
        """A call of whoever works at some operation, or thinks so."""
        rng = self.rng
        self._player = service
        operation = self._leased(0.02)
        if operation is None:
            return None
        epoch = operation.lease_epoch - (rng.random() < 0.08)
        named = (operation.operation_id, max(epoch, 0))
        draw = rng.random()
        if draw < 0.1:
            fields = (*named, rng.choice(["check", "", "x" * 41]), "", rng.randint(0, 1_100))
            return Call(service, "report_agent_operation_progress", fields)
        if draw < 0.18:
            code = rng.choice(["dependency.timeout", "dependency.unavailable", "no code"])
            fields = (*named, code, "it broke", rng.random() < 0.6)
            return Call(service, "fail_agent_operation_and_return", fields)
        if draw < 0.6 and operation.ai_task_id is not None:
            call = self._stream(service, operation)
            if call is not None:
                return call
        result = self._result(operation) if rng.random() < 0.8 else rng.choice(_GARBAGE)
        text = json.dumps(result) if rng.random() < 0.99 else "{"
        source = rng.choice([TextSource.LLM, TextSource.FALLBACK, TextSource.REPAIRED])
        return Call(service, "finish_agent_operation_and_return", (*named, text, source))

    def _stream(self, service: Player, operation: CustomWorldAgentOperation) -> Call | None:
        """The next call that brings text, or one that is out of order."""
        rng = self.rng
        db = self.vale.host.core(AGENT.key(operation.agent_session_id)).database
        task = db[AiTask].find(operation.ai_task_id)
        if task is None:
            return None
        task_id = task.ai_task_id
        if rng.random() < 0.05:
            fields: tuple[Any, ...] = (AiScope.AGENT, operation.agent_session_id, task_id)
            name = rng.choice(["fail_ai_task", "cancel_ai_task", "complete_ai_task"])
            return self._any_of(service, name)
        if task.status is AiTaskStatus.PENDING:
            fields = (AiScope.AGENT, operation.agent_session_id, task_id)
            return Call(service, "start_ai_task", fields)
        first, second, *_ = stages_of(db, task_id)
        stage = second if first.completed_at is not None else first
        if stage.status is AiStageStatus.PENDING or rng.random() < 0.05:
            return Call(service, "start_ai_task_stage_and_return", (task_id, stage.stage_order))
        if stage is first or rng.random() < 0.1:
            fields = (task_id, stage.stage_order, None, None, None, [])
            return Call(service, "complete_ai_stage_and_return", fields)
        sequence = stage.chunk_count + rng.choice([0, 0, 0, 0, 0, 1, -1])
        fields = (task_id, 1, stage.attempt, max(sequence, 0), rng.choice(_PIECES))
        return Call(service, "append_ai_text_chunk_and_return", fields)

    def _any_of(self, service: Player, name: str) -> Call:
        """A call of that name, its fields from what is known."""
        names, self._names = self._names, [name]
        try:
            return self._any(service)
        finally:
            self._names = names

    def _result(self, operation: CustomWorldAgentOperation) -> object:
        """What a good worker would hand in."""
        rng = self.rng
        assert self._session is not None
        db = self.vale.host.core(AGENT.key(operation.agent_session_id)).database
        session, cards = session_of(db), cards_of(db)
        if operation.action in REPLY_ACTIONS:
            keys = rng.sample(_ANCHORS, rng.randint(0, 3))
            anchors = [
                {"key": key, "value": f"A {key}.", "confidence": rng.randint(0, 1_000)}
                for key in keys
            ]
            proposed = [self._entry(card) for card in rng.sample(cards, min(len(cards), 2))]
            return {
                "reply": rng.choice(["Go on.", "", "x" * 16_001]),
                "anchors": anchors,
                "suggestedReplies": ["Yes.", "", "x" * 81],
                "proposedCards": proposed,
            }
        if operation.action in _IMAGE_ACTIONS:
            wanted = input_of(operation).get("cardIds") or [
                card.card_id for card in cards if card.kind is EntityKind.WORLD
            ]
            number = rng.randint(1, 3)
            return {
                "images": [{"cardId": one, "imageSrc": f"/objects/b/{number}"} for one in wanted]
            }
        foundation = foundation_of(session)
        if operation.action is AgentAction.DRAFT_FOUNDATION:
            return {"cards": foundation}
        return {"cards": rng.sample(foundation[1:], 2)}

    def _entry(self, card: CustomWorldDraftCard) -> dict[str, Any]:
        return {"kind": card.kind.name.lower(), "payload": payload_of(card)}
