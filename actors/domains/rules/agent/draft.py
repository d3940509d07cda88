"""Draft: the cards of a world while more of them are made, with names and keys of their own (7.7).

Every card is made from a stream of its own, which depends on the session's words, the card's kind
and how many of that kind there were; so equal sessions get equal cards, and one card more changes
none of those that come after it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from actors.domains.domain_types import EntityKind
from actors.domains.rules.canonical_json import write_json
from actors.domains.rules.compile.entries import KEY_FIELD
from actors.domains.rules.ids import seed_of_text
from actors.rng import SplitMix64

__all__ = ["Draft", "Name", "NewCard", "Wish", "name_of", "slug_of"]

_RETRIES: Final = 8
"""How often another name is drawn in place of one that is taken (domain 7.7)."""

_SLUG_CHARS: Final = 48
_NO_SLUG: Final = re.compile("[^a-z0-9]+")
_ROMAN: Final = ((50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


class NewCard(NamedTuple):
    """A card that is made, or known: ``payload`` is the entry of its section (domain 6.2)."""

    kind: EntityKind
    key: str
    payload: dict[str, Any]


class Wish(NamedTuple):
    """What is asked for, and by which session; cards depend on nothing else that was said.

    Attributes:
        session: the session's id, or whatever else equal wishes have in common.
        anchors: the anchors' texts by their keys.
        hint: the author's own words; empty when there are none.
        reserved: keys that no new card may have, besides those of known cards.
    """

    session: str
    anchors: Mapping[str, str]
    hint: str
    reserved: frozenset[tuple[EntityKind, str]] = frozenset()


class Name(NamedTuple):
    """A drawn name, what it is called in keys, and the words that it was made of."""

    text: str
    slug: str
    slots: dict[str, str]


class Draft:
    """The cards that there are, and what new ones need of them.

    Args:
        wish: what new cards are made from.
        known: cards that are there already; only their kinds, keys, names and references count.
    """

    def __init__(self, wish: Wish, known: Iterable[NewCard] = ()) -> None:
        self.wish = wish
        self.made: list[NewCard] = []
        self._cards: defaultdict[EntityKind, dict[str, NewCard]] = defaultdict(dict)
        for card in known:
            self._cards[card.kind][card.key] = card

    def of(self, kind: EntityKind) -> list[NewCard]:
        """The cards of a kind: known ones first, then new ones in the order they were made."""
        return list(self._cards[kind].values())

    def find(self, kind: EntityKind, key: str | None) -> NewCard | None:
        """A card by its key."""
        return self._cards[kind].get(key or "")

    def stream(self, kind: EntityKind) -> SplitMix64:
        """The chance of the next card of a kind."""
        seed = {
            "anchors": dict(self.wish.anchors),
            "hint": self.wish.hint,
            "kind": kind.name.lower(),
            "n": len(self._cards[kind]),
            "session": self.wish.session,
        }
        return SplitMix64(seed_of_text(write_json(seed)))

    def named(self, kind: EntityKind, draw: Callable[[], Name]) -> Name:
        """A name that no other card of the kind has: another draw, and in the end a number."""
        taken = {name_of(card) for card in self._cards[kind].values()}
        name = draw()
        for _ in range(_RETRIES):
            if name.text not in taken:
                return name
            name = draw()
        number, numbered = 1, name
        while numbered.text in taken:
            number += 1
            roman = _roman(number)
            numbered = Name(f"{name.text} {roman}", f"{name.slug}_{roman.lower()}", name.slots)
        return numbered

    def add(self, kind: EntityKind, name: Name, entry: dict[str, Any]) -> NewCard:
        """A new card with a key of its own, made from its name."""
        key, number = name.slug, 1
        while key in self._cards[kind] or (kind, key) in self.wish.reserved:
            number += 1
            key = f"{name.slug[: _SLUG_CHARS - 4]}_{number}"
        return self.put(NewCard(kind, key, {KEY_FIELD[kind]: key, **entry}))

    def put(self, card: NewCard) -> NewCard:
        """A new card whose key nobody else has."""
        assert card.key not in self._cards[card.kind]
        self._cards[card.kind][card.key] = card
        self.made.append(card)
        return card


def name_of(card: NewCard) -> str:
    """What people call the entity of a card."""
    return str(card.payload.get("name") or card.payload.get("title") or "")


def slug_of(name: str) -> str:
    """A name as a slug; empty when it has no letters that slugs have."""
    return _NO_SLUG.sub("_", name.lower()).strip("_")[:_SLUG_CHARS].rstrip("_")


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text
