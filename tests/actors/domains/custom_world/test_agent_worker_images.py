"""Domain 7.5, 12.5, 12.7: the worker makes images, and the cover of a world without one."""

from __future__ import annotations

import json

from agent_bench import SEED
from scripted_model import ScriptedModel
from shelf_in_memory import ShelfInMemory
from worker_bench import Workshop, turn, workshop

from actors.domains.domain_types import (
    AgentStage,
    AssetStatus,
    EntityKind,
    OperationStatus,
    TextSource,
)
from actors.errors import TextModelError
from actors.module.image_model import ImageModel
from actors.module.object_store import ObjectStore
from actors.module.text_model import TextModel


class NoPainter:
    """An image model that never paints; it keeps what it was asked for."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    async def generate_image(
        self, prompt: str, *, width: int, height: int, seed: int | None, user_id: str
    ) -> bytes:
        self.prompts.append(prompt)
        raise TextModelError("dependency.unavailable", "no paint")


async def drafted(bench: Workshop) -> None:
    await bench.done("draft_foundation", replace=False)


async def test_images_are_drawn_for_the_cards_that_are_named() -> None:
    shelf = ShelfInMemory()
    async with workshop(seed=SEED, providers={ObjectStore: shelf}) as bench:
        await drafted(bench)
        cards = bench.cards(EntityKind.LANDMARK)[:2]
        operation = await bench.done(
            "generate_scene_assets", cardIds=[card.card_id for card in cards]
        )
        assert operation.status is OperationStatus.SUCCEEDED, operation.error_message
        assert operation.result_source is TextSource.FALLBACK
        await bench.vale.settle()
        pictured = [card for card in bench.cards() if card.image_src is not None]
        assert {card.card_id for card in pictured} == {card.card_id for card in cards}
        assert all(card.asset_status is AssetStatus.READY for card in pictured)
        assert len(shelf.objects) == 2
        assert bench.session.warning_count == 8


async def test_the_cover_is_drawn_once() -> None:
    shelf = ShelfInMemory()
    async with workshop(seed=SEED, providers={ObjectStore: shelf}) as bench:
        await drafted(bench)
        for _ in range(2):
            operation = await bench.done("generate_cover")
            assert operation.status is OperationStatus.SUCCEEDED
        assert len(shelf.objects) == 1
        assert bench.card(EntityKind.WORLD).image_src is not None
        assert (bench.session.warning_count, bench.session.quality_score) == (9, 640)


async def test_publishing_draws_a_cover_first() -> None:
    async with workshop(seed=SEED, providers={ObjectStore: ShelfInMemory()}) as bench:
        await drafted(bench)
        operation = await bench.done("publish_world")
        assert operation.status is OperationStatus.SUCCEEDED, operation.error_message
        session = bench.session
        assert session.stage is AgentStage.PUBLISHED
        assert (session.warning_count, session.quality_score) == (9, 640)
        assert session.progress_permille == 691


async def test_images_fail_where_nothing_can_be_stored() -> None:
    async with workshop(seed=SEED) as bench:
        await drafted(bench)
        operation = await bench.done("generate_cover")
        assert (operation.status, operation.error_code) == (
            OperationStatus.FAILED,
            "dependency.unavailable",
        )
        assert bench.card(EntityKind.WORLD).asset_status is AssetStatus.FAILED


async def test_a_text_model_words_what_a_painter_is_asked_for() -> None:
    words = json.dumps({"prompt": "A mill in the rain", "palette": ["#203040"], "mood": "grim"})
    model = ScriptedModel([turn("Go on.")], ["prose"], repairs=["", "", words, "prose"])
    painter = NoPainter()
    ports: dict[type, object] = {
        ObjectStore: ShelfInMemory(),
        ImageModel: painter,
        TextModel: model,
    }
    async with workshop(seed=SEED, providers=ports) as bench:
        await drafted(bench)
        roles = bench.cards(EntityKind.ROLE)[:2]
        operation = await bench.done(
            "generate_role_assets", cardIds=[card.card_id for card in roles]
        )
        assert operation.status is OperationStatus.SUCCEEDED
        assert painter.prompts[0] == "A mill in the rain. grim. #203040"
        assert roles[1].title in painter.prompts[1]
