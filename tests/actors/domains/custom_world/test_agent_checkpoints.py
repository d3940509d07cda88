"""Checkpoints: going back to what anchors and cards were (domain 7.1, 7.5)."""

from __future__ import annotations

import json
from typing import Any

from agent_bench import SEED, Studio, studio

from actors.domains.custom_world.agent.cards import CustomWorldDraftCard
from actors.domains.custom_world.agent.checkpoints import (
    CustomWorldAgentCheckpoint,
    CustomWorldAgentCheckpointBlob,
)
from actors.domains.domain_types import (
    AgentStage,
    CheckpointTrigger,
    EntityKind,
    OperationStatus,
)


def said_by(card: CustomWorldDraftCard) -> tuple[Any, ...]:
    """What a card says, whenever it came to say it."""
    return card._replace(revision=0, updated_at=0)  # type: ignore[attr-defined]


def checkpoints(bench: Studio) -> list[CustomWorldAgentCheckpoint]:
    rows = bench.rows(CustomWorldAgentCheckpoint)
    return sorted(rows, key=lambda row: row.created_at)


async def test_going_back_makes_cards_and_anchors_what_they_were() -> None:
    async with studio(seed=SEED) as bench:
        await bench.fail()
        await bench.draft()
        made = await bench.act("create_checkpoint", label="a good start")
        assert made.status is OperationStatus.SUCCEEDED
        checkpoint_id = json.loads(made.result_json or "")["checkpointId"]
        kept = checkpoints(bench)[-1]
        assert (kept.checkpoint_id, kept.label, kept.trigger) == (
            checkpoint_id,
            "a good start",
            CheckpointTrigger.MANUAL,
        )
        assert (kept.card_count, kept.quality_score) == (39, 600)
        cards, anchors = bench.cards(), bench.session.anchors
        world = bench.card(EntityKind.WORLD)
        await bench.act("update_draft_card", cardId=world.card_id, patch={"premise": "short"})
        faction = {"name": "River Guild", "goal": "Ferries.", "stance": {}}
        await bench.act("create_draft_card", kind="faction", payload=faction)
        await bench.say("It begins at night.")
        anchor = {"key": "opening_scene", "value": "At night", "confidence": 900}
        await bench.answer(anchors=[anchor])
        await bench.act("draft_foundation", replace=True)
        await bench.finish({"cards": bench.foundation()})
        changed = bench.session
        assert {card.card_id for card in bench.cards()}.isdisjoint({card.card_id for card in cards})
        await bench.act("revert_checkpoint", checkpointId=checkpoint_id)
        session = bench.session
        assert [said_by(card) for card in bench.cards()] == [said_by(card) for card in cards]
        assert session.anchors == anchors
        assert session.revision > changed.revision
        assert (session.stage, session.quality_score) == (AgentStage.PUBLISH_READY, 600)
        triggers = [row.trigger for row in checkpoints(bench)]
        assert triggers == [
            CheckpointTrigger.BEFORE_ACTION,
            CheckpointTrigger.MANUAL,
            CheckpointTrigger.BEFORE_ACTION,
            CheckpointTrigger.BEFORE_REVERT,
        ]


async def test_cards_that_did_not_change_are_not_touched() -> None:
    async with studio(seed=SEED) as bench:
        await bench.fail()
        await bench.draft()
        made = await bench.act("create_checkpoint")
        role = bench.card(EntityKind.ROLE)
        await bench.act("update_draft_card", cardId=role.card_id, patch={"name": "Mara"})
        before = len(bench.player.deltas)
        checkpoint_id = json.loads(made.result_json or "")["checkpointId"]
        await bench.act("revert_checkpoint", checkpointId=checkpoint_id)
        sent = [
            delta for delta in bench.player.deltas[before:] if delta[0] == "custom_world_draft_card"
        ]
        assert sent == [("custom_world_draft_card", 1, 1)]
        assert bench.card(EntityKind.ROLE).revision == role.revision + 2


async def test_going_back_can_be_taken_back() -> None:
    async with studio(seed=SEED) as bench:
        await bench.fail()
        await bench.draft()
        empty = checkpoints(bench)[0]
        cards = bench.cards()
        reverted = await bench.act("revert_checkpoint", checkpointId=empty.checkpoint_id)
        assert bench.cards() == []
        assert bench.session.stage is AgentStage.REFINING
        kept = json.loads(reverted.result_json or "")["checkpointId"]
        await bench.act("revert_checkpoint", checkpointId=kept)
        assert [said_by(card) for card in bench.cards()] == [said_by(card) for card in cards]


async def test_the_newest_twenty_are_kept() -> None:
    async with studio(seed=SEED) as bench:
        await bench.fail()
        for number in range(23):
            await bench.act("create_checkpoint", label=str(number))
        kept = checkpoints(bench)
        assert [row.label for row in kept] == [str(number) for number in range(3, 23)]
        blobs = {row.checkpoint_id for row in bench.rows(CustomWorldAgentCheckpointBlob)}
        assert blobs == {row.checkpoint_id for row in kept}
        await bench.act("revert_checkpoint", checkpointId=kept[0].checkpoint_id)
        assert len(checkpoints(bench)) == 20
