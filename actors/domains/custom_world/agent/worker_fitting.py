"""Fitting: whether cards that a model has made fit the world that is there (domain 6.3, 8.3)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from actors.domains.ai.limits import STRUCTURED_BYTES_MAX
from actors.domains.custom_world.limits import CARD_PAYLOAD_BYTES_MAX
from actors.domains.data.unsafe import DENIED
from actors.domains.domain_types import CardStatus, EntityKind, Finding, Severity
from actors.domains.rules.agent import NewCard
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.compile import DraftCard, DraftMeta, check_card, compile_cards
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import MODEL_FAULTS_MAX
from actors.domains.rules.struct_json import enum_from_json

__all__ = ["cards_from_json", "cards_to_json", "findings_about", "unfit"]

_META = DraftMeta("cwp_fitting", "en", 1, "everyone", None)
"""Nothing that is found depends on it."""


def cards_to_json(cards: Iterable[NewCard], status: CardStatus) -> str:
    """Cards as the result of an operation."""
    entries = [
        {
            "kind": card.kind.name.lower(),
            "key": card.key,
            "payload": card.payload,
            "status": status.name.lower(),
        }
        for card in cards
    ]
    return write_json({"cards": entries})


def cards_from_json(text: str) -> list[NewCard]:
    """The cards of such a result again."""
    return [
        NewCard(enum_from_json(EntityKind, entry["kind"]), entry["key"], entry["payload"])
        for entry in json.loads(text)["cards"]
    ]


def unfit(
    cards: Sequence[NewCard],
    known: Sequence[NewCard],
    reserved: Collection[tuple[EntityKind, str]],
) -> list[str]:
    """What keeps new cards from being added to known ones, in words for whoever has made them."""
    faults: list[str] = []
    taken = set(reserved)
    for card in cards:
        place = f"{card.kind.name.lower()} {card.key}"
        if (card.kind, card.key) in taken:
            faults.append(f"{place}: the key is taken")
        taken.add((card.kind, card.key))
        try:
            check_card(card.kind, card.payload)
        except RuleError as refusal:
            faults.append(refusal.message)
        if len(write_json(card.payload).encode()) > CARD_PAYLOAD_BYTES_MAX:
            faults.append(f"{place}: too long")
    if len(cards_to_json(cards, CardStatus.ACCEPTED).encode()) > STRUCTURED_BYTES_MAX:
        faults.append("all of it: too long")
    if not faults:
        before = set(_blockers(known))
        faults = [
            f"{found.entity_kind.name.lower()} {found.entity_key}: {found.message}"
            for found in _blockers([*known, *cards])
            if found not in before
        ]
    return faults[:MODEL_FAULTS_MAX]


def findings_about(card: NewCard, known: Sequence[NewCard]) -> list[Finding]:
    """What a compile of known cards and a new one finds about the new one."""
    return [
        finding
        for finding in _findings([*known, card])
        if (finding.entity_kind, finding.entity_key) == (card.kind, card.key)
    ]


def _blockers(cards: Sequence[NewCard]) -> list[Finding]:
    return [found for found in _findings(cards) if found.severity is Severity.BLOCKER]


def _findings(cards: Sequence[NewCard]) -> tuple[Finding, ...]:
    drafts = [
        DraftCard(f"{place:04}", card.kind, card.key, card.payload, CardStatus.ACCEPTED, place)
        for place, card in enumerate(cards)
    ]
    return compile_cards(drafts, _META, {}, DENIED).findings
