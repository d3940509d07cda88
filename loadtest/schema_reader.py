"""Schema reader: what a server publishes of its module, read back from its schema JSON.

Structs come back as named tuples and enumerations as ``IntEnum``, made here, so that a bot reads
rows by their columns' names without knowing the module. Source: wire spec 13.2 (version 10).
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections import namedtuple
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from loadtest.connection import Address
from loadtest.errors import LoadTestError, WireError
from loadtest.limits import ANSWER_SECONDS_MAX
from protocol.errors import SchemaError
from protocol.schema import ModuleSchema
from protocol.schema_reading import ValueClasses, read_v10_json

__all__ = ["fetch_schema", "read_schema"]

_namedtuple: Callable[..., Any] = namedtuple  # noqa: PYI024


def _struct(name: str | None, fields: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    # The names are known at run time only, which type checkers do not follow.
    made: Any = _namedtuple(name or "Product", fields, rename=True)
    make: Callable[[Sequence[Any]], Any] = made._make
    return make


def _enumeration(name: str | None, members: Sequence[str]) -> type[int]:
    # Two arguments make a class, which type checkers know for literal ones only.
    make: Callable[..., Any] = IntEnum
    made: type[int] = make(name or "Enumeration", [(m, tag) for tag, m in enumerate(members)])
    return made


_CLASSES = ValueClasses(_struct, _enumeration)


async def fetch_schema(address: Address) -> ModuleSchema:
    """Ask a server for its schema.

    Raises:
        LoadTestError: it cannot be reached, or has no such database.
        WireError: its answer is no schema.
    """
    return read_schema(await asyncio.to_thread(_get, address))


def _get(address: Address) -> object:
    connection = http.client.HTTPConnection(address.host, address.port, timeout=ANSWER_SECONDS_MAX)
    try:
        connection.request("GET", f"/v1/database/{address.database}/schema?version=10")
        answer = connection.getresponse()
        body = answer.read()
    except OSError as error:
        raise LoadTestError(f"no server at {address.host}:{address.port}: {error}") from None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise LoadTestError(f"the schema was refused: {answer.status} {body[:200]!r}")
    definition: object = json.loads(body)
    return definition


def read_schema(definition: object) -> ModuleSchema:
    """Read a V10 definition.

    Raises:
        WireError: it is none.
    """
    try:
        return read_v10_json(definition, _CLASSES)
    except SchemaError as error:
        raise WireError(str(error)) from None
