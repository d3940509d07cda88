"""Remembered schema: what a store keeps of the module that wrote it, to compare the next one with.

It is plain JSON. Types are spelled as in the schema that clients get (wire spec 13), because two
types that are spelled alike are alike on the wire and in the store.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TypedDict

import orjson

from actors.module.module import Module
from actors.module.schema import column_defaults, module_schema
from actors.module.system import SYSTEM_TABLES
from actors.module.tables import TableDeclaration, declaration_of
from actors.module.types import product_type
from protocol.schema import visible_part
from protocol.schema_json import Json, type_json
from protocol.types import UNIT

__all__ = ["Column", "Remembered", "RememberedTable", "remember"]


class Column(TypedDict):
    """A column; ``default`` is the BSATN of its value in rows of before, in hexadecimal digits."""

    name: str
    type: Json
    default: str | None


class RememberedTable(TypedDict):
    """A table. ``is_internal``: it is the server's own, and may be missing."""

    columns: list[Column]
    kinds: list[str]
    primary_key: str | None
    unique: list[str]
    auto_increment: str | None
    is_event: bool
    is_public: bool
    is_internal: bool


class Remembered(TypedDict):
    """A module: tables, what clients may call and subscribe to, and what actors send and keep.

    ``functions`` are reducers, procedures and views, each as a digest of its signature;
    ``payloads`` those of messages, timers and requests of effects.
    """

    tables: dict[str, RememberedTable]
    functions: dict[str, str]
    payloads: dict[str, Json]


@lru_cache(maxsize=1)
def remember(module: Module) -> Remembered:
    """What is to be kept of a module; nobody may change it.

    Raises:
        DeclarationError: a default is no value of its column.
    """
    system = map(declaration_of, SYSTEM_TABLES)
    tables = {table.name: _table(table, is_internal=True) for table in system}
    for name, table in module.tables.items():
        tables[name] = _table(table, is_internal=name in module.internal)
    schema = visible_part(module_schema(module))
    functions: dict[str, str] = {}
    for function in (*schema.reducers, *schema.procedures):
        returns = UNIT if function.returns is None else function.returns
        functions[function.name] = _digest(type_json(function.params), type_json(returns))
    for view in schema.views:
        functions[view.name] = _digest(type_json(view.row_type))
    payloads = {name: type_json(product_type(e.payload)) for name, e in module.messages.items()}
    for name, effect in module.effects.items():
        payloads[f"effect/{name}"] = type_json(product_type(effect.payload))
    return {"tables": tables, "functions": functions, "payloads": payloads}


def _digest(*signature: Json) -> str:
    """What stands for a signature, which may be long, as only a difference matters."""
    return hashlib.sha256(orjson.dumps(signature)).hexdigest()[:16]


def _table(table: TableDeclaration, *, is_internal: bool) -> RememberedTable:
    defaults = dict(column_defaults(table))
    columns: list[Column] = [
        {
            "name": name,
            "type": type_json(kind),
            "default": defaults[name].hex() if name in defaults else None,
        }
        for name, kind in table.row_type.elements
    ]
    return {
        "columns": columns,
        "kinds": [kind.name for kind in table.kinds],
        "primary_key": table.primary_key,
        "unique": list(table.unique),
        "auto_increment": table.auto_increment,
        "is_event": table.is_event,
        "is_public": table.is_public,
        "is_internal": is_internal,
    }
