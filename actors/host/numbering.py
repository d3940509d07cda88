"""Numbering: the store's numbers for tables and their layouts, and its memory of the last module.

A layout keeps its number for the store's life. A table that gets columns gets a new number with
them; its rows under the older numbers are what they were, and lack at their end what is kept here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TypedDict

import orjson

from actors.errors import SchemaMismatchError
from actors.host.kind import OlderLayout, layout_fingerprint
from actors.module.migration import Change, Effect, MigrationPlan, plan_migration
from actors.module.module import Module
from actors.module.remembered import Remembered, RememberedTable, remember
from actors.module.system import SYSTEM_TABLES
from actors.module.tables import declaration_of
from persistence.store import Store

__all__ = ["META_KEYS", "Numbering", "number_tables", "plan_of"]

log = logging.getLogger("actors.schema")

_SCHEMA = "schema"
_TABLES = "tables"

META_KEYS = (_SCHEMA, _TABLES)
"""The store's entries about the module: the schema; and what servers of before had in its place,
a number and a fingerprint for each table."""

_TAKEN_OVER = "see schema"
"""In the place of a fingerprint: servers of before must not serve what they cannot understand."""


class _Layout(TypedDict):
    """One layout of a table: its number, and the columns that it added to the one before."""

    number: int
    added: str


class _Kept(TypedDict):
    """What is stored; ``layouts`` of each table, the one of today last."""

    format: int
    module: Remembered
    layouts: dict[str, list[_Layout]]


class Numbering:
    """The numbers of a module's tables.

    Attributes:
        numbers: of the layouts of today, by table.
        older: the layouts of before, by table, each with all that its rows lack.
    """

    def __init__(self, layouts: Mapping[str, list[_Layout]]) -> None:
        self.numbers = {name: found[-1]["number"] for name, found in layouts.items()}
        self.older: dict[str, list[OlderLayout]] = {}
        for name, found in layouts.items():
            lacking = b""
            for layout, newer in zip(found[-2::-1], found[:0:-1], strict=True):
                lacking = bytes.fromhex(newer["added"]) + lacking
                self.older.setdefault(name, []).append(OlderLayout(layout["number"], lacking))


def plan_of(module: Module, meta: Mapping[str, bytes | None]) -> MigrationPlan:
    """What would happen if a module were served over the store with these ``META_KEYS``."""
    return _compare(module, meta)[0]


async def number_tables(module: Module, store: Store) -> Numbering:
    """Give every layout of a module's tables a number that it keeps, and remember the module.

    Raises:
        SchemaMismatchError: what is stored does not fit the module; its text is the plan.
    """
    meta = {key: await store.read_meta(key) for key in META_KEYS}
    plan, kept = _compare(module, meta)
    if plan.is_refused:
        raise SchemaMismatchError(str(plan))
    for change in plan.changes:
        log.info("the schema has changed: %s: %s", change.subject, change.text)
    data = orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)
    if data != meta[_SCHEMA]:
        await store.write_meta(_SCHEMA, data)
    taken_over = {
        name: [found[-1]["number"], _TAKEN_OVER] for name, found in kept["layouts"].items()
    }
    data = orjson.dumps(taken_over, option=orjson.OPT_SORT_KEYS)
    if data != meta[_TABLES]:
        await store.write_meta(_TABLES, data)
    return Numbering(kept["layouts"])


def _compare(module: Module, meta: Mapping[str, bytes | None]) -> tuple[MigrationPlan, _Kept]:
    new = remember(module)
    schema, tables = meta[_SCHEMA], meta[_TABLES]
    if schema is not None:
        kept: _Kept = orjson.loads(schema)
        plan = plan_migration(kept["module"], new)
        layouts = kept["layouts"]
        old = kept["module"]["tables"]
    elif tables is not None:
        plan, layouts = _compare_fingerprints(module, orjson.loads(tables))
        old = new["tables"]
    else:
        plan, layouts, old = plan_migration(None, new), {}, {}
    if plan.is_refused:
        return plan, {"format": 1, "module": new, "layouts": layouts}
    numbers = [layout["number"] for found in layouts.values() for layout in found]
    last = max(numbers, default=0)
    for name, table in new["tables"].items():
        added = _added(old.get(name), table)
        if name not in layouts or added is not None:
            last += 1
            layouts.setdefault(name, []).append({"number": last, "added": (added or b"").hex()})
    # What a server has beside its module is remembered, although another server may lack it.
    internal = {name: table for name, table in old.items() if table["is_internal"]}
    kept_module: Remembered = {**new, "tables": {**internal, **new["tables"]}}
    return plan, {"format": 1, "module": kept_module, "layouts": layouts}


def _added(old: RememberedTable | None, new: RememberedTable) -> bytes | None:
    """BSATN of the columns that rows of before lack; None when they lack none."""
    if old is None or old["is_event"] or len(old["columns"]) == len(new["columns"]):
        return None
    added = new["columns"][len(old["columns"]) :]
    return b"".join(bytes.fromhex(column["default"] or "") for column in added)


def _compare_fingerprints(
    module: Module, known: dict[str, tuple[int, str]]
) -> tuple[MigrationPlan, dict[str, list[_Layout]]]:
    """Compare with what servers of before have kept: that a table is the same, or is not."""
    changes = []
    for table in (*module.tables.values(), *map(declaration_of, SYSTEM_TABLES)):
        subject = f"table {table.name}"
        if table.name not in known:
            changes.append(Change(subject, "is new", Effect.FINE))
        elif known[table.name][1] != layout_fingerprint(table):
            text = "has other columns, types or another key than its rows"
            advice = "start once with the module as it was; from then on the plan can say more"
            changes.append(Change(subject, text, Effect.REFUSED, advice))
    layouts: dict[str, list[_Layout]] = {
        name: [{"number": number, "added": ""}] for name, (number, _) in known.items()
    }
    return MigrationPlan(tuple(changes)), layouts
