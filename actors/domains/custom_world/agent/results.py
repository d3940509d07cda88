"""Agent results: what a worker hands in, checked before anything of it is applied (8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from actors import ReducerError
from actors.domains.custom_world.limits import OPERATION_RESULT_BYTES_MAX
from actors.domains.domain_types import AgentAnchor, CardStatus, EntityKind, TextSource
from actors.domains.rules.agent import ANCHOR_KEYS
from actors.domains.rules.canonical_json import read_json
from actors.domains.rules.compile import check_card
from actors.domains.rules.errors import RuleError
from actors.domains.rules.struct_json import enum_from_json
from actors.domains.rules.text import cut_text

__all__ = [
    "CardEntry",
    "malformed",
    "read_anchors",
    "read_new_cards",
    "read_result",
    "texts_of",
]

_CONFIDENCE_MAX = 1_000


class CardEntry(NamedTuple):
    """A card that a worker has made; its payload is checked."""

    kind: EntityKind
    payload: Mapping[str, Any]
    status: CardStatus


def malformed(path: str, rule: str) -> ReducerError:
    """The refusal of something that has not the form that it must have."""
    return ReducerError("agent.payload_malformed", f"{path}: {rule}", path=path, rule=rule)


def read_result(result_json: str) -> dict[str, Any]:
    """A worker's result; raises ``agent.payload_malformed`` and the refusals of JSON."""
    result = read_json(result_json, OPERATION_RESULT_BYTES_MAX)
    if not isinstance(result, dict):
        raise malformed("result", "must be an object")
    return cast("dict[str, Any]", result)


def read_anchors(value: object, source: TextSource) -> list[AgentAnchor]:
    """The anchors that a reply has found; raises ``agent.payload_malformed``."""
    anchors = []
    for number, entry in enumerate(_objects(value, "anchors")):
        key, text = entry.get("key"), entry.get("value")
        confidence = entry.get("confidence")
        if key not in ANCHOR_KEYS or not isinstance(text, str):
            raise malformed(f"anchors.{number}", "must be a known key with a text")
        if isinstance(confidence, bool) or not isinstance(confidence, int):
            raise malformed(f"anchors.{number}.confidence", "must be a number")
        if not 0 <= confidence <= _CONFIDENCE_MAX:
            raise malformed(f"anchors.{number}.confidence", "must be 0 to 1000")
        anchors.append(AgentAnchor(key, text, confidence, source))
    return anchors


def read_new_cards(value: object, *, are_dropped: bool = False) -> list[CardEntry]:
    """The cards that a worker has made.

    Args:
        value: a list of objects with kind, payload and perhaps status; absent means none.
        are_dropped: whether a card that breaks the rules is left out, and not refused.

    Raises:
        ReducerError: ``agent.payload_malformed``.
    """
    cards = []
    for number, entry in enumerate(_objects(value, "cards")):
        try:
            cards.append(_card(entry, f"cards.{number}"))
        except RuleError:
            if not are_dropped:
                raise
    return cards


def texts_of(value: object, chars_max: int) -> list[str]:
    """The texts of a list, cut; whatever else stands in it is left out."""
    texts = value if isinstance(value, list) else []
    cut = (cut_text(text, chars_max) for text in texts if isinstance(text, str))
    return [text for text in cut if text]


def _card(entry: dict[str, Any], path: str) -> CardEntry:
    try:
        kind = enum_from_json(EntityKind, entry.get("kind"))
        status = enum_from_json(CardStatus, entry.get("status", "accepted"))
    except ValueError as error:
        raise RuleError("agent.payload_malformed", f"{path}: {error}", path=path) from None
    return CardEntry(kind, check_card(kind, entry.get("payload")), status)


def _objects(value: object, path: str) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise malformed(path, "must be a list of objects")
    return cast("list[dict[str, Any]]", value)
