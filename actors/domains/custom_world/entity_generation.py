"""Entity generation: an entity for whoever asks, which is written nowhere (domain 7.7, 11.2).

What is asked for leaves an AI task in the user's actor, and nothing else.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Final, NamedTuple

from actors import (
    ProcedureContext,
    Rate,
    ReducerError,
    TextModel,
    ViewContext,
    procedure,
    struct,
)
from actors.domains.ai.calls import (
    CompleteAiTask,
    CreateAiTask,
    complete_ai_task,
    create_ai_task,
)
from actors.domains.ai.pipeline import AnswerForm, Pipeline
from actors.domains.ai.reads import AiTaskSnapshot
from actors.domains.ai.stages import AiStageKind
from actors.domains.ai.tasks import AiScope, AiTaskKind
from actors.domains.custom_world.agent.cards import cards_of, is_compiled
from actors.domains.custom_world.agent.prompt import entity_prompt
from actors.domains.custom_world.agent.session import own_session
from actors.domains.custom_world.agent.worker_cards import read_placed
from actors.domains.custom_world.agent.worker_fitting import findings_about, unfit
from actors.domains.custom_world.agent.worker_job import known_card
from actors.domains.custom_world.limits import (
    GENERATION_CONTEXT_BYTES_MAX,
    HINT_CHARS_MAX,
)
from actors.domains.custom_world.profile import CustomWorldProfileDocument, profile_of
from actors.domains.data.agent_books import agent_book
from actors.domains.domain_types import EntityKind, Finding, TextSource
from actors.domains.kinds import AGENT, USER
from actors.domains.rules.agent import (
    ENTITY_KINDS,
    NewCard,
    Wish,
    anchor_values,
    entity_schema,
    generate_entity,
)
from actors.domains.rules.canonical_json import read_json, write_json
from actors.domains.rules.compile import KEY_FIELD
from actors.domains.rules.ids import derived_id
from actors.domains.rules.struct_json import camel_case
from actors.domains.rules.text import check_id, check_slug, clean_text
from actors.domains.rules.world_sections import SECTION_OF_KIND

__all__ = [
    "GenerateCustomWorldEntity",
    "GenerateCustomWorldSceneNpc",
    "GeneratedEntity",
    "generate_custom_world_entity",
    "generate_custom_world_scene_npc",
]

_GENERATIONS: Final = Rate("generations", per_minute=12, burst=6)

_PLAIN: Final = [AiStageKind.PREPARE_PROMPT, AiStageKind.PERSIST_RESULT]
_ASKED: Final = [
    AiStageKind.PREPARE_PROMPT,
    AiStageKind.REQUEST_MODEL,
    AiStageKind.NORMALIZE_RESULT,
    AiStageKind.REPAIR_RESPONSE,
    AiStageKind.REPAIR_RESPONSE,
    AiStageKind.PERSIST_RESULT,
]


@struct
class GenerateCustomWorldEntity:
    """Input of ``generate_custom_world_entity``; the kind is named in snake case.

    With a profile or a session of the caller's, the entity fits the world that is there.
    """

    kind: str
    hint: str | None
    profile_id: str | None
    session_id: str | None
    context_json: str | None
    locale: str | None
    request_id: str


@struct
class GenerateCustomWorldSceneNpc:
    """Input of ``generate_custom_world_scene_npc``; ``scene_json`` says what the scene is like."""

    scene_key: str
    scene_json: str | None
    hint: str | None
    profile_id: str | None
    session_id: str | None
    locale: str | None
    request_id: str


@struct
class GeneratedEntity:
    """An entry of a section, who has made it, and what a compile would find about it."""

    entity_json: str
    source: TextSource
    findings: list[Finding]
    ai_task_id: str


class _World(NamedTuple):
    """What there is of the world that an entity is for."""

    locale: str
    anchors: dict[str, str]
    cards: list[NewCard]


class _Order(NamedTuple):
    """What is asked for, whichever way."""

    kind: EntityKind
    task_kind: AiTaskKind
    wish: Wish
    locale: str
    known: list[NewCard]
    scene_key: str | None
    context: object
    request_id: str


@procedure(actor=USER, rate=_GENERATIONS)
async def generate_custom_world_entity(
    ctx: ProcedureContext, input: GenerateCustomWorldEntity
) -> GeneratedEntity:
    """Make an entity of a kind; equal orders get equal ones from the rules.

    Raises ``input.unknown_variant``, ``world.not_found``, ``agent.session_not_found``, and the
    refusals of texts, ids and JSON.
    """
    kind = EntityKind.__members__.get(input.kind.upper())
    if kind not in ENTITY_KINDS or input.kind != input.kind.lower():
        raise ReducerError("input.unknown_variant", "no such entities are made", kind=input.kind)
    assert kind is not None
    context = _context(input.context_json)
    world = await _world(ctx, input.profile_id, input.session_id)
    order = _Order(
        kind=kind,
        task_kind=AiTaskKind.ENTITY_GENERATION,
        wish=_wish(input.profile_id, input.session_id, world, input.hint),
        locale=input.locale or world.locale,
        known=world.cards,
        scene_key=None,
        context=context,
        request_id=input.request_id,
    )
    return await _generate(ctx, order)


@procedure(actor=USER, rate=_GENERATIONS)
async def generate_custom_world_scene_npc(
    ctx: ProcedureContext, input: GenerateCustomWorldSceneNpc
) -> GeneratedEntity:
    """Make an npc who lives in a scene.

    Raises as ``generate_custom_world_entity``.
    """
    scene_key = check_slug(input.scene_key)
    context = _context(input.scene_json)
    world = await _world(ctx, input.profile_id, input.session_id)
    order = _Order(
        kind=EntityKind.NPC,
        task_kind=AiTaskKind.SCENE_NPC,
        wish=_wish(input.profile_id, input.session_id, world, input.hint),
        locale=input.locale or world.locale,
        known=world.cards,
        scene_key=scene_key,
        context={"sceneKey": scene_key, "scene": context},
        request_id=input.request_id,
    )
    return await _generate(ctx, order)


async def _generate(ctx: ProcedureContext, order: _Order) -> GeneratedEntity:
    service = ctx.as_service()
    model = ctx.port(TextModel)
    payload = {"hint": order.wish.hint, "kind": order.kind.name.lower()}
    new = CreateAiTask(
        scope_kind=AiScope.USER,
        scope_id=ctx.user_id,
        task_kind=order.task_kind,
        label=order.kind.name.lower(),
        payload_json=write_json(payload),
        stages=_PLAIN if model is None else _ASKED,
        source_entity_id=None,
        request_id=derived_id(order.request_id, ctx.timestamp),
    )
    begun: AiTaskSnapshot = await service.call(create_ai_task, new)
    pipeline = Pipeline(service, ctx.user_id, begun.task, begun.stages)
    await pipeline.begin()
    card: NewCard | None = None
    source = TextSource.FALLBACK
    if model is not None:
        card, source = await _asked(model, pipeline, order)
    if card is None:
        book = agent_book(order.locale)
        card = generate_entity(order.kind, order.wish, book, order.known, scene_key=order.scene_key)
    entity_json = write_json(card.payload)
    await pipeline.start(begun.stages[-1].stage_order)
    await pipeline.complete(begun.stages[-1].stage_order, None, entity_json)
    task_id = begun.task.ai_task_id
    await service.call(
        complete_ai_task, CompleteAiTask(task_id, None, source, pipeline.request_id())
    )
    return GeneratedEntity(entity_json, source, findings_about(card, order.known), task_id)


async def _asked(
    model: TextModel, pipeline: Pipeline, order: _Order
) -> tuple[NewCard | None, TextSource]:
    """What the model makes, if it fits."""
    form: AnswerForm[NewCard] = AnswerForm(
        schema=entity_schema(order.kind),
        read=partial(_read, order=order),
        write=lambda card: write_json(card.payload),
    )
    wish = order.wish
    prompt = entity_prompt(
        order.locale, wish.anchors, order.known, order.kind, wish.hint, order.context
    )
    answer = await pipeline.gather(model, prompt, form)
    if answer is None:
        return None, TextSource.FALLBACK
    return await pipeline.check(model, prompt, answer, form)


def _read(answer: str, *, order: _Order) -> tuple[NewCard | None, list[str]]:
    cards, faults = read_placed(answer, kind=order.kind, scene_key=order.scene_key)
    if cards is None:
        return None, faults
    faults = unfit(cards, order.known, frozenset()) if order.known else []
    return (None, faults) if faults else (cards[0], [])


def _context(context_json: str | None) -> object:
    if context_json is None:
        return None
    return read_json(context_json, GENERATION_CONTEXT_BYTES_MAX)


def _wish(profile_id: str | None, session_id: str | None, world: _World, hint: str | None) -> Wish:
    words = clean_text(hint or "", HINT_CHARS_MAX)
    reserved = frozenset((card.kind, card.key) for card in world.cards)
    return Wish(session_id or profile_id or "", world.anchors, words, reserved)


async def _world(ctx: ProcedureContext, profile_id: str | None, session_id: str | None) -> _World:
    """The world of a session of the caller's, or of a profile, or none.

    Raises:
        ReducerError: ``agent.session_not_found`` or ``world.not_found``.
    """
    if session_id is not None:
        if not check_id(session_id).startswith(AGENT.names):
            raise ReducerError("agent.session_not_found", "there is no such session")
        return await ctx.read(AGENT.key(session_id), partial(_of_session, session_id=session_id))
    if profile_id is not None:
        check_id(profile_id)
        return await ctx.read(USER.key(ctx.user_id), partial(_of_profile, profile_id=profile_id))
    return _World("en", {}, [])


def _of_session(view: ViewContext, *, session_id: str) -> _World:
    session = own_session(view, session_id)
    cards = [known_card(card) for card in cards_of(view.db) if is_compiled(card)]
    return _World(session.locale, anchor_values(session.anchors), cards)


def _of_profile(view: ViewContext, *, profile_id: str) -> _World:
    profile = profile_of(view.db, profile_id)
    row = view.db[CustomWorldProfileDocument].get(profile.profile_id)
    document: dict[str, Any] = json.loads(row.draft_document_json)
    cards = [
        NewCard(kind, entry[field], entry)
        for kind, field in KEY_FIELD.items()
        for entry in document.get(camel_case(SECTION_OF_KIND[kind]), [])
    ]
    world = NewCard(EntityKind.WORLD, "world", document["world"])
    return _World(document["meta"]["locale"], {}, [world, *cards])
