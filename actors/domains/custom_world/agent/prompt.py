"""Agent prompts: what a model is told about a session and what it is asked for (domain 8.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from actors import Prompt
from actors.domains.ai.limits import DIGEST_CHARS_MAX, HISTORY_CHARS_MAX, HISTORY_EVENTS_MAX
from actors.domains.ai.prompts import fenced
from actors.domains.custom_world.agent.worker_job import Job, known_card
from actors.domains.data import agent_prompt, language_of
from actors.domains.domain_types import CardStatus, EntityKind
from actors.domains.rules.agent import (
    CHAPTER_SCHEMA,
    FOUNDATION_SCHEMA,
    NewCard,
    anchor_values,
    entity_schema,
    name_of,
)
from actors.domains.rules.text import cut_text

__all__ = [
    "chapter_prompt",
    "entity_prompt",
    "foundation_prompt",
    "image_prompt",
    "reply_prompt",
]

_TEXTS: Final = ("title", "role", "rank", "mood", "description", "goal", "synopsis", "premise")


def reply_prompt(job: Job) -> Prompt:
    """What a model is asked for the next reply."""
    cards = [known_card(card) for card in job.cards if card.status is not CardStatus.REMOVED]
    user = (
        fenced("anchors", anchor_values(job.session.anchors)),
        fenced("world so far", _digest(cards)),
        fenced("conversation", _history(job)),
    )
    return Prompt(_rules("reply", job.session.locale), "\n".join(user))


def foundation_prompt(job: Job, known: Sequence[NewCard]) -> Prompt:
    """What a model is asked for a whole world."""
    user = (
        fenced("anchors", anchor_values(job.session.anchors)),
        fenced("conversation", _history(job)),
        fenced("kept", _digest(known)),
        f"Schema: {FOUNDATION_SCHEMA}",
    )
    return Prompt(_rules("foundation", job.session.locale), "\n".join(user))


def entity_prompt(
    locale: str,
    anchors: Mapping[str, str],
    known: Sequence[NewCard],
    kind: EntityKind,
    hint: str,
    scene: object,
) -> Prompt:
    """What a model is asked for one entity of a world."""
    user = (
        fenced("anchors", dict(anchors)),
        fenced("world", _digest(known)),
        fenced("kind", kind.name.lower()),
        fenced("scene", scene),
        fenced("hint", hint),
        f"Schema: {entity_schema(kind)}",
    )
    return Prompt(_rules("entity", locale), "\n".join(user))


def chapter_prompt(job: Job, known: Sequence[NewCard], hint: str) -> Prompt:
    """What a model is asked for the next chapter of a world."""
    user = (
        fenced("anchors", anchor_values(job.session.anchors)),
        fenced("world", _digest(known)),
        fenced("hint", hint),
        f"Schema: {CHAPTER_SCHEMA}",
    )
    return Prompt(_rules("chapter", job.session.locale), "\n".join(user))


def image_prompt(kind: EntityKind, words: str) -> Prompt:
    """What a text model is asked for the prompt of an image; image models read English best."""
    user = (fenced("kind", kind.name.lower()), fenced("described", words))
    return Prompt(_rules("image", "en"), "\n".join(user))


def _rules(task: str, locale: str) -> str:
    return agent_prompt(task, language_of(locale))


def _digest(cards: Sequence[NewCard]) -> str:
    """Lines on a world by kind, cut at the end."""
    return cut_text("\n".join(_lines(cards)), DIGEST_CHARS_MAX)


def _lines(cards: Sequence[NewCard]) -> Iterator[str]:
    for card in sorted(cards, key=lambda card: card.kind):
        texts = (str(card.payload[key]) for key in _TEXTS if card.payload.get(key))
        about = ". ".join(text for text in texts if text != name_of(card))
        ways = ", ".join(card.payload.get("connections", ()))
        near = f" (near: {ways})" if ways else ""
        yield f"{card.kind.name.lower()} {card.key} = {name_of(card)}{near}: {about}"


def _history(job: Job) -> list[str]:
    """What was said last, oldest first; the reply that is to come is not in it."""
    said = (
        f"{message.role.name.lower()}: {message.text}"
        for message in reversed(job.messages)
        if message.text and message.message_id != job.operation.message_id
    )
    room = HISTORY_CHARS_MAX
    texts: list[str] = []
    for text in islice(said, HISTORY_EVENTS_MAX):
        room -= len(text)
        if room < 0:
            break
        texts.append(text)
    return texts[::-1]
