"""Command ``sql``: one SQL statement over HTTP."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.table import Table
from rich.text import Text

from protocol.errors import DecodeError, SchemaError
from protocol.sats_json import compile_json, loads
from protocol.schema_reading import read_product_json
from protocol.types import TIMESTAMP, ProductType
from server.commands.admin_show import console_for_people
from server.commands.admin_values import harmless, moment
from server.commands.client_link import ClientLink, Target
from server.errors import StartError

__all__ = ["run_sql"]


def run_sql(target: Target, query: str, *, as_json: bool, confirmed: bool | None) -> None:
    """Run a statement; prints its rows as a table, or the server's answer as it is.

    Raises:
        RefusedError: the server refuses the statement.
        StartError: the server cannot be reached, or answers something else.
    """
    options = None if confirmed is None else {"confirmed": str(confirmed).lower()}
    with ClientLink(target) as link:
        answer = link.ask("POST", "/sql", query=options, body=query.encode())
    if as_json:
        sys.stdout.write(f"{answer.text}\n")
        return
    try:
        statements: Any = loads(answer.content)
        for statement in statements:
            _print(statement)
    except (DecodeError, SchemaError, KeyError, TypeError) as error:
        raise StartError(f"{target.server} answers no rows: {error!r}") from None


def _print(statement: dict[str, Any]) -> None:
    product = read_product_json(statement["schema"])
    codec = compile_json(product)
    console = console_for_people()
    if product.elements:
        table = Table(*(field.name for field in product.elements), box=None, pad_edge=False)
        for row in statement["rows"]:
            typed: Any = codec.to_typed(codec.from_json(row))
            table.add_row(*map(Text, _cells(product, typed)))
        console.print(table)
    stats = statement["stats"]
    changed = [f"{stats[name]} {name[5:]}" for name in stats if stats[name]]
    count = len(statement["rows"])
    shown = [f"{count} row{'' if count == 1 else 's'}", *changed]
    micros = statement["total_duration_micros"]
    console.print(Text(f"({', '.join(shown)}; {micros / 1000:.1f} ms)", style="dim"))


def _cells(product: ProductType, row: dict[str, Any]) -> list[str]:
    return [
        moment(row[field.name][_MICROS]) if field.type == TIMESTAMP else _cell(row[field.name])
        for field in product.elements
    ]


_MICROS = "__timestamp_micros_since_unix_epoch__"


def _cell(value: Any) -> str:
    """A value for people: texts as they are, special types without their wrapping."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name.startswith("__"):
            return str(inner)
        if name == "some":
            return _cell(inner)
        if name == "none":
            return "-"
    return str(harmless(value if isinstance(value, str) else json.dumps(value)))
