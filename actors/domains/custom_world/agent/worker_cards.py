"""Agent worker for cards: foundations, entities and chapters, by a model or by rules (7.7, 8.3).

What a model makes is only taken when it fits the world that is there: the compile must find nothing
new that keeps it from being played.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from actors import EffectContext, Prompt, TextModel
from actors.domains.ai.limits import DRAFT_CHARS_MAX, DRAFT_TOKENS_MAX
from actors.domains.ai.pipeline import AnswerForm, Pipeline
from actors.domains.custom_world.agent.prompt import (
    chapter_prompt,
    entity_prompt,
    foundation_prompt,
)
from actors.domains.custom_world.agent.worker_fitting import cards_from_json, cards_to_json, unfit
from actors.domains.custom_world.agent.worker_job import Job, Lease, known_card
from actors.domains.data.unsafe import DENIED
from actors.domains.domain_types import AgentAction, CardStatus, EntityKind, TextSource
from actors.domains.rules.agent import (
    CHAPTER_SCHEMA,
    FOUNDATION_SCHEMA,
    NewCard,
    Wish,
    anchor_values,
    entity_schema,
    expand_chapter,
    generate_entity,
    generate_foundation,
    read_chapter,
    read_entity,
    read_foundation,
)
from actors.domains.rules.struct_json import enum_from_json

__all__ = ["make_cards", "read_placed"]

_COLLECTED: Final = frozenset({CardStatus.ACCEPTED, CardStatus.LOCKED})

_FOUNDATION_PHASES: Final = (
    ("factions", 200),
    ("cast", 450),
    ("places", 650),
    ("chapters", 850),
    ("check", 950),
)
_ENTITY_PHASES: Final = (("check", 950),)


class _Plan(NamedTuple):
    """How an operation comes to its cards.

    Attributes:
        phase: what is done while a model writes, and how far that is.
        phases: what is done with the result.
        status: of the new cards.
        known: the cards that they have to fit.
        reserved: keys that they may not have.
        invent: makes them without a model.
        prompt: asks a model for them.
        schema: of the model's answer.
        read: the answer as cards, or what is wrong with it.
    """

    phase: tuple[str, int]
    phases: Sequence[tuple[str, int]]
    status: CardStatus
    known: Sequence[NewCard]
    reserved: frozenset[tuple[EntityKind, str]]
    invent: Callable[[], list[NewCard]]
    prompt: Prompt
    schema: str
    read: Callable[[str], tuple[list[NewCard] | None, list[str]]]


async def make_cards(ctx: EffectContext, lease: Lease, job: Job) -> None:
    """Make the cards that an operation asks for, and hand them in."""
    plan = _PLANS[job.operation.action](job)
    await lease.report(*plan.phase)
    model = ctx.port(TextModel)
    cards: list[NewCard] | None = None
    source = TextSource.FALLBACK
    if model is not None:
        pipeline = Pipeline(ctx, job.session.user_id, job.task, job.stages)
        cards, source = await _asked(model, pipeline, lease, plan)
    if cards is None:
        cards = plan.invent()
    for phase in plan.phases:
        await lease.report(*phase)
    await lease.finish(cards_to_json(cards, plan.status), source)


async def _asked(
    model: TextModel, pipeline: Pipeline, lease: Lease, plan: _Plan
) -> tuple[list[NewCard] | None, TextSource]:
    """What the model makes, if it fits."""
    form = AnswerForm(
        schema=plan.schema,
        read=partial(_read, plan=plan),
        write=partial(cards_to_json, status=plan.status),
        recall=cards_from_json,
        tokens_max=DRAFT_TOKENS_MAX,
        chars_max=DRAFT_CHARS_MAX,
    )
    look_in = partial(lease.report, *plan.phase)
    await pipeline.begin()
    answer = await pipeline.gather(model, plan.prompt, form, look_in)
    if answer is None:
        return None, TextSource.FALLBACK
    return await pipeline.check(model, plan.prompt, answer, form, look_in)


def _read(answer: str, *, plan: _Plan) -> tuple[list[NewCard] | None, list[str]]:
    cards, faults = plan.read(answer)
    faults = faults if cards is None else unfit(cards, plan.known, plan.reserved)
    return (None, faults) if faults else (cards, [])


def _foundation(job: Job) -> _Plan:
    """Locked cards stay; the others only when nothing is replaced."""
    is_kept = partial(_stays, replace=bool(job.asked.get("replace")))
    staying = [card for card in job.cards if is_kept(card.status)]
    known = [known_card(card) for card in staying if card.status in _COLLECTED]
    reserved = frozenset((card.kind, card.entity_key) for card in staying)
    wish = _wish(job, str(job.drafts) if job.drafts else "", reserved)
    return _Plan(
        phase=("collect", 50),
        phases=_FOUNDATION_PHASES,
        status=CardStatus.ACCEPTED,
        known=known,
        reserved=reserved,
        invent=lambda: generate_foundation(wish, job.book, known),
        prompt=foundation_prompt(job, known),
        schema=FOUNDATION_SCHEMA,
        read=lambda answer: read_foundation(answer, DENIED),
    )


def _entity(job: Job) -> _Plan:
    kind = enum_from_json(EntityKind, job.asked.get("kind"))
    return _one(job, kind, CardStatus.PROPOSED)


def _scene_npc(job: Job) -> _Plan:
    return _one(job, EntityKind.NPC, CardStatus.ACCEPTED)


def _one(job: Job, kind: EntityKind, status: CardStatus) -> _Plan:
    """One card of a kind, in a scene if that is said."""
    known, reserved = _there(job)
    wish = _wish(job, _hint(job), reserved)
    scene_key = job.asked.get("sceneKey")
    return _Plan(
        phase=("entity", 100),
        phases=_ENTITY_PHASES,
        status=status,
        known=known,
        reserved=reserved,
        invent=lambda: [generate_entity(kind, wish, job.book, known, scene_key=scene_key)],
        prompt=entity_prompt(job.session.locale, wish.anchors, known, kind, wish.hint, scene_key),
        schema=entity_schema(kind),
        read=partial(read_placed, kind=kind, scene_key=scene_key),
    )


def _chapter(job: Job) -> _Plan:
    known, reserved = _there(job)
    wish = _wish(job, _hint(job), reserved)
    return _Plan(
        phase=("entity", 100),
        phases=(("chapters", 850), ("check", 950)),
        status=CardStatus.ACCEPTED,
        known=known,
        reserved=reserved,
        invent=lambda: expand_chapter(wish, job.book, known),
        prompt=chapter_prompt(job, known, wish.hint),
        schema=CHAPTER_SCHEMA,
        read=lambda answer: read_chapter(answer, DENIED),
    )


_PLANS: Final[dict[AgentAction, Callable[[Job], _Plan]]] = {
    AgentAction.DRAFT_FOUNDATION: _foundation,
    AgentAction.GENERATE_ENTITY: _entity,
    AgentAction.GENERATE_SCENE_NPC: _scene_npc,
    AgentAction.EXPAND_CHAPTER: _chapter,
}


def read_placed(
    answer: str, *, kind: EntityKind, scene_key: str | None
) -> tuple[list[NewCard] | None, list[str]]:
    """One card from an answer; an npc or a treasure is where it is wanted."""
    card, faults = read_entity(answer, kind, DENIED)
    if card is None:
        return None, faults
    place = {EntityKind.NPC: "homeSceneKey", EntityKind.TREASURE: "sceneKey"}.get(kind)
    fixed: dict[str, Any] = {} if place is None or scene_key is None else {place: scene_key}
    return [card._replace(payload=card.payload | fixed)], []


def _stays(status: CardStatus, *, replace: bool) -> bool:
    return status is CardStatus.LOCKED or not replace


def _there(job: Job) -> tuple[list[NewCard], frozenset[tuple[EntityKind, str]]]:
    """The cards that make the world now, and the keys that are taken in the session."""
    known = [known_card(card) for card in job.cards if card.status in _COLLECTED]
    return known, frozenset((card.kind, card.entity_key) for card in job.cards)


def _hint(job: Job) -> str:
    return str(job.asked.get("hint") or "")


def _wish(job: Job, hint: str, reserved: frozenset[tuple[EntityKind, str]]) -> Wish:
    session = job.session
    return Wish(session.agent_session_id, anchor_values(session.anchors), hint, reserved)
