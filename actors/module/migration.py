"""Migration: what differs between the module that wrote a store and the one that is to serve it.

What is stored is never lost or guessed at: a change that cannot keep every stored row, message and
key as it was is refused. What only clients notice is told, and goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from actors.module.remembered import Column, Remembered, RememberedTable
from protocol.schema_json import Json

__all__ = ["Change", "Effect", "MigrationPlan", "plan_migration", "spell"]


class Effect(StrEnum):
    """What a change does."""

    FINE = "fine"
    """Nobody notices."""
    CLIENTS = "clients"
    """The server starts; clients that use this need bindings that are generated anew."""
    REFUSED = "refused"
    """The server does not start."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        subject: what it is about, as in ``table item``.
        text: what is different, as a clause.
        advice: what to do about it; empty when nothing has to be done.
    """

    subject: str
    text: str
    effect: Effect
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.effect.value:<8} {self.subject}: {self.text}"
        return f"{line}\n         -> {self.advice}" if self.advice else line


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """All differences, the worst first. ``is_first``: the store is empty, so there are none."""

    changes: tuple[Change, ...]
    is_first: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether the module cannot be served over this store."""
        return any(change.effect is Effect.REFUSED for change in self.changes)

    def __str__(self) -> str:
        return "\n".join((self._verdict(), *map(str, self.changes)))

    def _verdict(self) -> str:
        if self.is_first:
            return "the store is empty: the module begins in it"
        if not self.changes:
            return "the module declares what the store was written with: nothing changes"
        if self.is_refused:
            return "the store holds data of another schema, which this module cannot take over:"
        return "the module can be served over this store; compared with the last start:"


def plan_migration(old: Remembered | None, new: Remembered) -> MigrationPlan:
    """Compare what a store remembers, None when that is nothing, with a module."""
    if old is None:
        return MigrationPlan((), is_first=True)
    found = [*_tables(old, new), *_payloads(old, new), *_functions(old, new)]
    worst_first = (Effect.REFUSED, Effect.CLIENTS, Effect.FINE)
    return MigrationPlan(tuple(sorted(found, key=lambda change: worst_first.index(change.effect))))


_ELSE = "or begin an empty store: `genarrative serve --reset`"
_NEW_BINDINGS = "generate the bindings of clients that subscribe to it anew"


def _tables(old: Remembered, new: Remembered) -> Iterator[Change]:
    before, after = old["tables"], new["tables"]
    for name, table in after.items():
        subject = f"table {name}"
        if name not in before:
            yield Change(subject, "is new", Effect.FINE)
        else:
            yield from _table(subject, before[name], table)
    for name, table in before.items():
        if name not in after and not table["is_internal"]:
            if table["is_event"]:
                yield Change(f"table {name}", "is gone", Effect.CLIENTS, _NEW_BINDINGS)
            else:
                advice = f"declare it again, if only to keep its rows, {_ELSE}"
                yield Change(f"table {name}", "is gone", Effect.REFUSED, advice)


def _table(subject: str, old: RememberedTable, new: RememberedTable) -> Iterator[Change]:
    if old["is_event"]:
        # No row was ever stored: whatever it is now, it begins.
        if not new["is_event"]:
            yield Change(subject, "keeps its rows by now", Effect.CLIENTS, _NEW_BINDINGS)
        elif [*map(_wire, old["columns"])] != [*map(_wire, new["columns"])]:
            yield Change(subject, "has other columns", Effect.CLIENTS, _NEW_BINDINGS)
        return
    if new["is_event"]:
        yield Change(subject, "is one of events by now", Effect.REFUSED, f"name it anew, {_ELSE}")
    yield from _columns(subject, old["columns"], new["columns"])
    yield from _keys(subject, old, new)
    gone = sorted(set(old["kinds"]) - set(new["kinds"]))
    if gone:
        text = f"its rows are in actors of kind {', '.join(gone)}, which have none by now"
        yield Change(subject, text, Effect.REFUSED, f"leave it to those actors too, {_ELSE}")
    if old["is_public"] and not new["is_public"]:
        text = "clients may not subscribe to it any more"
        yield Change(subject, text, Effect.CLIENTS, _NEW_BINDINGS)
    elif new["is_public"] and not old["is_public"]:
        yield Change(subject, "clients may subscribe to it", Effect.FINE)


def _wire(column: Column) -> tuple[str, Json]:
    return column["name"], column["type"]


def _columns(subject: str, old: list[Column], new: list[Column]) -> Iterator[Change]:
    names = [column["name"] for column in old]
    kept = [column["name"] for column in new if column["name"] in names]
    for name in names:
        if name not in kept:
            advice = f"declare it again; its values are in the rows, {_ELSE}"
            yield Change(subject, f"column {name} is gone", Effect.REFUSED, advice)
    if len(kept) == len(names) and kept != names:
        text = "its columns are in another order"
        advice = f"declare them in this order: {', '.join(names)}"
        yield Change(subject, text, Effect.REFUSED, advice)
    types = {column["name"]: column["type"] for column in old}
    for position, column in enumerate(new):
        name = column["name"]
        if name in types:
            yield from _type(subject, f"column {name}", types[name], column["type"])
        elif position < len(old):
            text = f"column {name} is new, and not behind those that were there"
            yield Change(subject, text, Effect.REFUSED, "declare new columns last")
        elif column["default"] is None:
            text = f"column {name} is new, and has no default for the rows that are there"
            advice = 'give it one in the class, as in `note: str = ""`; columns of keys take none'
            yield Change(subject, text, Effect.REFUSED, advice)
        else:
            text = f"column {name} is new; rows that are there have its default"
            yield Change(subject, text, Effect.CLIENTS, _NEW_BINDINGS)


def _type(subject: str, what: str, old: Json, new: Json) -> Iterator[Change]:
    if old == new:
        return
    variants = _new_variants(old, new)
    if variants:
        text = f"{what} has new variants: {', '.join(variants)}"
        advice = "clients with older bindings cannot read rows that hold one"
        yield Change(subject, text, Effect.CLIENTS, advice)
    else:
        text = f"{what} is {spell(new)}, and was {spell(old)}"
        advice = f"add a column of the new type instead, {_ELSE}"
        yield Change(subject, text, Effect.REFUSED, advice)


def _keys(subject: str, old: RememberedTable, new: RememberedTable) -> Iterator[Change]:
    if old["primary_key"] != new["primary_key"]:
        text = f"its primary key is {new['primary_key']}, and was {old['primary_key']}"
        yield Change(subject, text, Effect.REFUSED, f"copy the rows to a new table, {_ELSE}")
    known = {*old["unique"], old["primary_key"]}
    for column in new["unique"]:
        if column not in known:
            text = f"column {column} is unique by now; rows that are there may not be"
            advice = "check that in reducers, or copy the rows to a new table"
            yield Change(subject, text, Effect.REFUSED, advice)
    numbered = new["auto_increment"]
    if numbered not in {None, old["auto_increment"]}:
        text = f"column {numbered} counts by now; rows that are there may have its numbers"
        yield Change(subject, text, Effect.REFUSED, "number rows in reducers")


def _payloads(old: Remembered, new: Remembered) -> Iterator[Change]:
    """Messages, timers and requests may be on their way, as bytes."""
    for name, payload in old["payloads"].items():
        subject = f"message {name}"
        now = new["payloads"].get(name)
        if now is None:
            text = "is gone; one that is still on its way becomes a dead letter"
            yield Change(subject, text, Effect.FINE)
        elif now != payload and not _new_variants(payload, now):
            text = f"is {spell(now)}, and was {spell(payload)}"
            advice = "name the new one anew, and keep this one until none is on its way"
            yield Change(subject, text, Effect.REFUSED, advice)


def _functions(old: Remembered, new: Remembered) -> Iterator[Change]:
    before, after = old["functions"], new["functions"]
    for name in after:
        if name not in before:
            yield Change(f"function {name}", "is new", Effect.FINE)
    for name, function in before.items():
        subject = f"function {name}"
        advice = "generate the bindings of clients that use it anew"
        if name not in after:
            yield Change(subject, "is gone", Effect.CLIENTS, advice)
        elif after[name] != function:
            text = "takes or answers something else"
            yield Change(subject, text, Effect.CLIENTS, advice)


def _new_variants(old: Json, new: Json) -> list[str]:
    """Variants that a type has got, by which the bytes of all its old values stay what they were.

    Empty when there are none, or when anything else is different.
    """
    found: list[str] = []
    return found if _gather(old, new, found) else []


def _gather(old: Any, new: Any, found: list[str]) -> bool:
    if old == new:
        return True
    ((old_sort, old_inner),) = old.items()
    ((new_sort, new_inner),) = new.items()
    if old_sort != new_sort:
        return False
    if old_sort == "Array":
        return _gather(old_inner, new_inner, found)
    if old_sort not in {"Product", "Sum"}:
        return False
    part = "elements" if old_sort == "Product" else "variants"
    old_parts, new_parts = old_inner[part], new_inner[part]
    added = new_parts[len(old_parts) :]
    if len(new_parts) < len(old_parts) or (added and old_sort == "Product"):
        return False
    found += [one["name"]["some"] for one in added]
    return all(
        was["name"] == one["name"] and _gather(was["algebraic_type"], one["algebraic_type"], found)
        for was, one in zip(old_parts, new_parts, strict=False)
    )


def spell(kind: Any) -> str:
    """A type as people write it: ``{a: U32, b: [String]}``, ``Red | Blue(U8)``."""
    ((sort, inner),) = kind.items()
    if sort == "Array":
        return f"[{spell(inner)}]"
    if sort == "Product":
        fields = (f"{e['name']['some']}: {spell(e['algebraic_type'])}" for e in inner["elements"])
        return "{" + ", ".join(fields) + "}"
    if sort != "Sum":
        return str(sort)
    names = []
    for variant in inner["variants"]:
        payload = spell(variant["algebraic_type"])
        names.append(variant["name"]["some"] + ("" if payload == "{}" else f"({payload})"))
    return " | ".join(names)
