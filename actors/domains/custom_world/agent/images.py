"""Agent images: which card has which image, as the catalog and the workers tell (domain 12.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actors import ReducerContext, replace, struct, table
from actors.domains.custom_world.agent.cards import (
    IMAGE_SLOTS,
    CustomWorldDraftCard,
    cards_of,
    is_compiled,
    write_card,
)
from actors.domains.custom_world.agent.operations import CustomWorldAgentOperation, input_of
from actors.domains.custom_world.agent.results import malformed
from actors.domains.domain_types import AgentAction, AssetSlot, AssetStatus, EntityKind
from actors.domains.kinds import AGENT
from actors.domains.limits import IMAGE_SRC_CHARS_MAX
from actors.domains.rules.ids import derived_id
from actors.domains.world_messages import AssetBound
from actors.module import DatabaseReader

__all__ = [
    "AgentAssetLink",
    "CustomWorldAgentBinding",
    "assets_of_cards",
    "begin_images",
    "bind_image",
    "finish_images",
    "links_of",
    "stop_images",
    "sync_images",
    "target_cards",
]


@table(primary_key="entity_slot", actor=AGENT)
class CustomWorldAgentBinding:
    """What the catalog has bound to an entity of the session last, whether it has a card or not."""

    entity_slot: str
    image_src: str


@struct
class AgentAssetLink:
    """An image that is bound to a card's entity."""

    slot: AssetSlot
    image_src: str


def bind_image(ctx: ReducerContext, bound: AssetBound) -> None:
    """Note a binding, and give its entity's card the image. The last notice is the truth.

    A card whose image is no longer bound loses it; one that has another image keeps that.
    """
    bindings = ctx.db[CustomWorldAgentBinding]
    slot = derived_id(bound.entity_kind.name.lower(), bound.entity_key, bound.slot.name.lower())
    known = bindings.find(slot)
    if bound.image_src is not None:
        bindings.upsert(CustomWorldAgentBinding(slot, bound.image_src))
    elif known is not None:
        bindings.delete(slot)
    if IMAGE_SLOTS.get(bound.entity_kind) is not bound.slot:
        return
    for card in ctx.db[CustomWorldDraftCard].filter(kind=bound.entity_kind):
        if card.entity_key != bound.entity_key:
            continue
        if bound.image_src is not None:
            _give(ctx, card, bound.image_src)
        elif known is not None and card.image_src == known.image_src:
            is_coming = card.asset_status is AssetStatus.GENERATING
            status = AssetStatus.GENERATING if is_coming else AssetStatus.NONE
            write_card(ctx, replace(card, image_src=None, asset_status=status))


def begin_images(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Say of the cards that their images are being made."""
    for card in target_cards(ctx.db, operation):
        ctx.db[CustomWorldDraftCard].update(replace(card, asset_status=AssetStatus.GENERATING))


def finish_images(
    ctx: ReducerContext, operation: CustomWorldAgentOperation, result: Mapping[str, Any]
) -> dict[str, object]:
    """Give the cards the images that a worker has made for them; other cards get none.

    Raises:
        ReducerError: ``agent.payload_malformed``.
    """
    images = result.get("images")
    if not isinstance(images, list):
        raise malformed("images", "must be a list")
    told: list[object] = []
    wanted = {card.card_id: card for card in target_cards(ctx.db, operation)}
    for number, image in enumerate(images):
        source = image.get("imageSrc") if isinstance(image, dict) else None
        if not isinstance(source, str) or not 0 < len(source) <= IMAGE_SRC_CHARS_MAX:
            raise malformed(f"images.{number}.imageSrc", "must be an image's address")
        card = wanted.get(str(image.get("cardId")))
        if card is not None:
            _give(ctx, card, source)
            told.append({"cardId": card.card_id, "imageSrc": source})
    stop_images(ctx, operation)
    return {"images": told}


def stop_images(ctx: ReducerContext, operation: CustomWorldAgentOperation) -> None:
    """Say of the cards whose image is not coming any more how they stand."""
    for card in target_cards(ctx.db, operation):
        if card.asset_status is AssetStatus.GENERATING:
            status = AssetStatus.FAILED if card.image_src is None else AssetStatus.READY
            ctx.db[CustomWorldDraftCard].update(replace(card, asset_status=status))


def target_cards(
    db: DatabaseReader, operation: CustomWorldAgentOperation
) -> list[CustomWorldDraftCard]:
    """The cards that an operation makes images for, as far as they are still there."""
    if operation.action is AgentAction.PUBLISH_WORLD:
        return db[CustomWorldDraftCard].filter(kind=EntityKind.WORLD)
    card_ids = input_of(operation).get("cardIds", [])
    found = (db[CustomWorldDraftCard].find(card_id) for card_id in card_ids)
    return [card for card in found if card is not None]


def sync_images(ctx: ReducerContext, kinds: Iterable[EntityKind]) -> dict[str, object]:
    """Give every card of these kinds the image that is bound to it now; counts both outcomes."""
    wanted = frozenset(kinds)
    linked = missing = 0
    for card in cards_of(ctx.db):
        if card.kind in wanted and is_compiled(card):
            binding = ctx.db[CustomWorldAgentBinding].find(_slot_of(card))
            if binding is None:
                missing += 1
            else:
                linked += 1
                _give(ctx, card, binding.image_src)
    return {"linked": linked, "missing": missing}


def assets_of_cards(cards: Iterable[CustomWorldDraftCard]) -> dict[str, str]:
    """The images of cards as the compile takes them."""
    return {_slot_of(card): card.image_src for card in cards if card.image_src is not None}


def links_of(db: DatabaseReader, card: CustomWorldDraftCard) -> list[AgentAssetLink]:
    """What is bound to a card's entity now; cards of some kinds have no images."""
    slot = IMAGE_SLOTS.get(card.kind)
    binding = None if slot is None else db[CustomWorldAgentBinding].find(_slot_of(card))
    if slot is None or binding is None:
        return []
    return [AgentAssetLink(slot, binding.image_src)]


def _give(ctx: ReducerContext, card: CustomWorldDraftCard, image_src: str) -> None:
    write_card(ctx, replace(card, image_src=image_src, asset_status=AssetStatus.READY))


def _slot_of(card: CustomWorldDraftCard) -> str:
    slot = IMAGE_SLOTS[card.kind]
    return derived_id(card.kind.name.lower(), card.entity_key, slot.name.lower())
