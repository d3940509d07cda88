"""Command ``describe``: what a database publishes, whole or one thing of it."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from protocol.schema import (
    FunctionSchema,
    ModuleSchema,
    NamedType,
    TableSchema,
    ViewSchema,
    named_types,
)
from protocol.schema_reading import read_v10_json
from protocol.types import EnumType, ProductType
from server.commands.admin_show import console_for_people
from server.commands.arguments import signature, spell_type
from server.commands.client_link import ClientLink, Target
from server.errors import StartError

__all__ = ["KINDS", "describe_database"]

KINDS = {
    "table": "Tables",
    "view": "Views",
    "reducer": "Reducers",
    "procedure": "Procedures",
    "type": "Types",
}
"""What can be described, and the section of the schema that it is in."""


def describe_database(target: Target, kind: str | None, name: str | None, *, as_json: bool) -> None:
    """Print the schema, or one of its entries.

    With ``as_json`` it is the schema JSON of version 10, as the server has it.

    Raises:
        RefusedError: there is no such database.
        StartError: there is no such entry, or the server cannot be reached.
    """
    with ClientLink(target) as link:
        definition = link.schema_json()
    if as_json:
        shown = definition if kind is None else _entry(definition, kind, name)
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return
    if kind is not None:
        _entry(definition, kind, name)
    _print(read_v10_json(definition), kind, name)


def _entry(definition: Any, kind: str, name: str | None) -> Any:
    """One entry's JSON; of a type, its structure."""
    sections: dict[str, Any] = {}
    for section in definition["sections"]:
        sections.update(section)
    for entry in sections.get(KINDS[kind], ()):
        if kind == "type" and entry["source_name"]["source_name"] == name:
            return sections["Typespace"]["types"][entry["ty"]]
        if entry["source_name"] == name:
            return entry
    raise StartError(f"no such {kind}: {name}")


def _print(schema: ModuleSchema, kind: str | None, name: str | None) -> None:
    console = console_for_people()
    entries: list[tuple[str, str, list[str]]] = [
        *(("table", table.name, _table(table)) for table in schema.tables),
        *(("view", view.name, _columns(view)) for view in schema.views),
        *(("reducer", one.name, [_function(one)]) for one in schema.reducers),
        *(("procedure", one.name, [_function(one)]) for one in schema.procedures),
        *(("type", one, _type(type_)) for one, type_ in named_types(schema).items()),
    ]
    grid = Table(
        Column(style="dim"), Column(), Column(overflow="fold"), box=None, show_header=False
    )
    for sort, title, lines in entries:
        if kind is None or (kind, name) == (sort, title):
            grid.add_row(sort, Text(title, style="bold"), Text("\n".join(lines)))
    console.print(grid)


def _table(table: TableSchema) -> list[str]:
    marks = ["public" if table.is_public else "private"]
    if table.is_event:
        marks.append("event")
    if table.schedule is not None:
        marks.append(f"calls {table.schedule.function} at {table.schedule.column}")
    return [*_columns(table), f"({', '.join(marks)})"]


def _columns(source: TableSchema | ViewSchema) -> list[str]:
    lines = []
    for position, field in enumerate(source.row_type.elements):
        line = f"{field.name}: {spell_type(field.type)}"
        if source.primary_key in (position, field.name):
            line += " primary key"
        if isinstance(source, TableSchema):
            is_key = source.primary_key == position
            line += " unique" if (field.name,) in source.unique and not is_key else ""
            line += " auto-increment" if field.name in source.sequences else ""
        lines.append(line)
    return lines


def _function(function: FunctionSchema) -> str:
    if function.lifecycle is not None:
        return f"{signature(function)}  ({function.lifecycle.value})"
    return signature(function) + ("  (private)" if function.is_private else "")


def _type(type_: NamedType) -> list[str]:
    if isinstance(type_, EnumType):
        return list(type_.variants)
    elements = type_.elements if isinstance(type_, ProductType) else type_.variants
    return [f"{element.name}: {spell_type(element.type)}" for element in elements]
