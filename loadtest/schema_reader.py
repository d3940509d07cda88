"""Schema reader: what a server publishes of its module, read back from its schema JSON.

Structs come back as named tuples and enumerations as ``IntEnum``, made here, so that a bot reads
rows by their columns' names without knowing the module. Source: wire spec 13.1 (version 9).
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from functools import partial
from typing import Any, TypeAlias

from loadtest.connection import Address
from loadtest.errors import LoadTestError, WireError
from loadtest.limits import ANSWER_SECONDS_MAX
from protocol.schema import FunctionSchema, ModuleSchema, TableSchema, ViewSchema
from protocol.types import (
    CONNECTION_ID,
    IDENTITY,
    SCHEDULE_AT,
    TIME_DURATION,
    TIMESTAMP,
    UNIT,
    UUID,
    AlgebraicType,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    Primitive,
    ProductType,
    ResultType,
    SumType,
)

__all__ = ["fetch_schema", "read_schema"]

_Json: TypeAlias = Any

# The names are known at run time only, which type checkers do not follow.
_struct_class: Callable[[str, list[str]], Any] = partial(
    namedtuple,  # noqa: PYI024 - the typed form wants its fields spelled out
    rename=True,
)
_enum_class: Callable[..., Any] = IntEnum

_SPECIAL: Mapping[str, AlgebraicType] = {
    "__identity__": IDENTITY,
    "__connection_id__": CONNECTION_ID,
    "__timestamp_micros_since_unix_epoch__": TIMESTAMP,
    "__time_duration_micros__": TIME_DURATION,
    "__uuid__": UUID,
}


async def fetch_schema(address: Address) -> ModuleSchema:
    """Ask a server for its schema.

    Raises:
        LoadTestError: it cannot be reached, or has no such database.
        WireError: its answer is no schema.
    """
    return read_schema(await asyncio.to_thread(_get, address))


def _get(address: Address) -> _Json:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=ANSWER_SECONDS_MAX)
    try:
        connection.request("GET", f"/v1/database/{address.database}/schema?version=9")
        answer = connection.getresponse()
        body = answer.read()
    except OSError as error:
        raise LoadTestError(f"no server at {address.host}:{address.port}: {error}") from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise LoadTestError(f"the schema was refused: {answer.status} {body[:200]!r}")
    return json.loads(body)


def read_schema(definition: _Json) -> ModuleSchema:
    """Read a V9 definition; primary keys of views are not in it (wire spec 13.1).

    Raises:
        WireError: it is none.
    """
    try:
        return _Reader(definition).schema()
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise WireError(f"the schema is malformed: {error!r}") from None


class _Reader:
    """Reads types by reference; each is made once, dependencies first."""

    def __init__(self, definition: _Json) -> None:
        self._definition = definition
        self._space: Sequence[_Json] = definition["typespace"]["types"]
        self._names: dict[int, str] = {
            entry["ty"]: entry["name"]["name"] for entry in definition["types"]
        }
        self._made: dict[int, AlgebraicType] = {}

    def schema(self) -> ModuleSchema:
        definition = self._definition
        exports = definition["misc_exports"]
        return ModuleSchema(
            tables=tuple(self._table(entry) for entry in definition["tables"]),
            reducers=tuple(self._function(entry) for entry in definition["reducers"]),
            procedures=tuple(
                self._function(entry["Procedure"]) for entry in exports if "Procedure" in entry
            ),
            views=tuple(self._view(entry["View"]) for entry in exports if "View" in entry),
        )

    def _table(self, entry: _Json) -> TableSchema:
        keys = entry["primary_key"]
        return TableSchema(
            name=entry["name"],
            row_type=self._product(entry["product_type_ref"]),
            primary_key=keys[0] if keys else None,
            is_public="Public" in entry["table_access"],
        )

    def _view(self, entry: _Json) -> ViewSchema:
        return ViewSchema(
            name=entry["name"],
            row_type=self._product(entry["return_type"]["Array"]["Ref"]),
            is_anonymous=entry["is_anonymous"],
        )

    def _function(self, entry: _Json) -> FunctionSchema:
        returns = entry.get("return_type")
        return FunctionSchema(
            name=entry["name"],
            params=ProductType(self._fields(entry["params"]["elements"])),
            returns=None if returns is None else self._type(returns, None),
        )

    def _product(self, reference: int) -> ProductType:
        made = self._reference(reference)
        if not isinstance(made, ProductType):
            raise TypeError(f"type {reference} is no product")
        return made

    def _reference(self, reference: int) -> AlgebraicType:
        made = self._made.get(reference)
        if made is None:
            made = self._type(self._space[reference], self._names.get(reference))
            self._made[reference] = made
        return made

    def _type(self, spelled: _Json, name: str | None) -> AlgebraicType:
        ((tag, value),) = spelled.items()
        if tag == "Ref":
            return self._reference(value)
        if tag == "Array":
            return ArrayType(self._type(value, None))
        if tag == "Product":
            return self._product_type(self._fields(value["elements"]), name)
        if tag == "Sum":
            return _sum_type(self._fields(value["variants"]), name)
        return Primitive(tag)

    def _product_type(self, fields: tuple[Field, ...], name: str | None) -> AlgebraicType:
        if not fields:
            return UNIT
        if len(fields) == 1 and fields[0].name in _SPECIAL:
            return _SPECIAL[fields[0].name]
        made = _struct_class(name or "Product", [field.name for field in fields])
        return ProductType(fields, name, made._make)

    def _fields(self, elements: Sequence[_Json]) -> tuple[Field, ...]:
        return tuple(
            Field(element["name"]["some"], self._type(element["algebraic_type"], None))
            for element in elements
        )


def _sum_type(variants: tuple[Field, ...], name: str | None) -> AlgebraicType:
    names = tuple(variant.name for variant in variants)
    if names == ("some", "none"):
        return OptionType(variants[0].type)
    if names == ("ok", "err"):
        return ResultType(variants[0].type, variants[1].type)
    if names == ("Interval", "Time") and variants[0].type == TIME_DURATION:
        return SCHEDULE_AT
    if all(variant.type == UNIT for variant in variants):
        members = [(variant, tag) for tag, variant in enumerate(names)]
        return EnumType(names, name, _enum_class(name or "Enumeration", members))
    return SumType(variants, name)
