"""Agent worker for images: covers, portraits and scenes of cards (domain 7.5, 12.5, 12.7)."""

from __future__ import annotations

from typing import Final

from actors import EffectContext, ImageModel, TextModel, TextModelError
from actors.domains.ai.limits import ANSWER_TOKENS_MAX
from actors.domains.asset_metadata.image_worker import ImageRequest, make_image
from actors.domains.custom_world.agent.cards import CustomWorldDraftCard, payload_of
from actors.domains.custom_world.agent.prompt import image_prompt
from actors.domains.custom_world.agent.worker_job import Job, Lease
from actors.domains.data.unsafe import DENIED
from actors.domains.domain_types import (
    AgentAction,
    AssetEntityKind,
    AssetSource,
    EntityKind,
    TextSource,
)
from actors.domains.rules.agent import IMAGE_PROMPT_SCHEMA, read_image_prompt
from actors.domains.rules.assets.image_kinds import ImageKind
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.limits import IMAGE_PROMPT_CHARS_MAX
from actors.domains.rules.text import cut_text

__all__ = ["make_images"]

_KINDS: Final = {
    EntityKind.WORLD: ImageKind.COVER,
    EntityKind.LANDMARK: ImageKind.SCENE,
}
_TEXTS: Final = ("name", "title", "subtitle", "mood", "description", "summary")


async def make_images(ctx: EffectContext, lease: Lease, job: Job) -> None:
    """Make the images that an operation asks for, one after the other, and hand them in.

    Every one is kept and bound by itself, so one that was made before a crash is made no second
    time for nothing: the same request gives the same object.
    """
    is_cover = job.operation.action is AgentAction.PUBLISH_WORLD
    targets = _world_of(job) if is_cover else _targets(job)
    phase = "cover" if is_cover else "images"
    images = []
    sources = set()
    for number, card in enumerate(targets):
        await lease.report(phase, 50 + 900 * number // len(targets))
        request = ImageRequest(
            kind=_KINDS.get(card.kind, ImageKind.ROLE),
            owner_user_id=job.session.user_id,
            entity_kind=AssetEntityKind[card.kind.name],
            entity_key=card.entity_key,
            prompt=await _prompt(ctx, job, card),
            title=card.title,
            agent_session_id=job.session.agent_session_id,
        )
        made = await make_image(ctx, request)
        images.append({"cardId": card.card_id, "imageSrc": made.image_src})
        sources.add(made.source)
    is_drawn = sources <= {AssetSource.FALLBACK}
    source = TextSource.FALLBACK if is_drawn else TextSource.LLM
    await lease.finish(write_json({"images": images}), source)


def _targets(job: Job) -> list[CustomWorldDraftCard]:
    wanted = job.asked.get("cardIds", [])
    return [card for card in job.cards if card.card_id in wanted]


def _world_of(job: Job) -> list[CustomWorldDraftCard]:
    return [card for card in job.cards if card.kind is EntityKind.WORLD]


async def _prompt(ctx: EffectContext, job: Job, card: CustomWorldDraftCard) -> str:
    """What a card's image is to show: its own texts, or what a text model makes of them."""
    payload = payload_of(card)
    words = cut_text(
        ". ".join(str(payload[key]) for key in _TEXTS if payload.get(key)), IMAGE_PROMPT_CHARS_MAX
    )
    model = ctx.port(TextModel)
    if model is None or ctx.port(ImageModel) is None:
        return words
    try:
        answer = await model.complete_structured(
            image_prompt(card.kind, words),
            user_id=job.session.user_id,
            tokens_max=ANSWER_TOKENS_MAX,
            json_schema=IMAGE_PROMPT_SCHEMA,
        )
    except TextModelError:
        return words
    output, _ = read_image_prompt(answer, DENIED)
    return words if output is None else output.words()
