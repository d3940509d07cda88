"""Arguments: words of the command line as the JSON that a function takes, by its types."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Sequence

from protocol.errors import DecodeError
from protocol.sats_json import compile_json, dumps, loads
from protocol.schema import FunctionSchema, ModuleSchema, visible_part
from protocol.type_rules import type_name
from protocol.types import (
    CONNECTION_ID,
    IDENTITY,
    STRING,
    UUID,
    AlgebraicType,
    ArrayType,
    EnumType,
    OptionType,
)
from protocol.values import ConnectionId, Identity
from server.errors import StartError

__all__ = ["arguments_json", "find_function", "signature", "spell_type"]


def find_function(schema: ModuleSchema, name: str) -> FunctionSchema:
    """Find what may be called by a name; reducers and procedures share their names.

    Raises:
        StartError: there is none; the text has names like it.
    """
    visible = visible_part(schema)
    functions = {one.name: one for one in (*visible.reducers, *visible.procedures)}
    if name in functions:
        return functions[name]
    close = difflib.get_close_matches(name, functions, n=3)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise StartError(f"no such reducer or procedure: {name}{hint}")


def signature(function: FunctionSchema) -> str:
    """A function as one line: ``add(name: String, count: U32) -> U64``."""
    fields = ", ".join(
        f"{field.name}: {spell_type(field.type)}" for field in function.params.elements
    )
    returns = "" if function.returns is None else f" -> {spell_type(function.returns)}"
    return f"{function.name}({fields}){returns}"


def spell_type(type_: AlgebraicType) -> str:
    """A type in a few letters: ``Array<U8>``, ``Option<Item>``."""
    if isinstance(type_, ArrayType):
        return f"Array<{spell_type(type_.element)}>"
    if isinstance(type_, OptionType):
        return f"Option<{spell_type(type_.some)}>"
    return type_name(type_)


def arguments_json(function: FunctionSchema, words: Sequence[str]) -> bytes:
    """Spell a call's arguments.

    A word is JSON. Texts need no quotes; identities, connection ids and UUIDs are as they are
    printed, variants without a payload their names, and ``some`` may be left out.

    Raises:
        StartError: there are too many words or too few, or one does not fit its type.
    """
    fields = function.params.elements
    if len(words) != len(fields):
        counts = f"{len(fields)} arguments, not {len(words)}"
        raise StartError(f"{function.name} takes {counts}: {signature(function)}")
    structure = []
    for field, word in zip(fields, words, strict=True):
        try:
            value = _read(field.type, word)
            compile_json(field.type).from_json(value)
        except (DecodeError, ValueError) as error:
            raise StartError(f"{field.name} is no {spell_type(field.type)}: {error}") from None
        structure.append(value)
    return dumps(structure)


def _read(type_: AlgebraicType, word: str) -> object:
    """A word as JSON; raises DecodeError or ValueError."""
    is_quoted = len(word) >= 2 and word[0] == word[-1] == '"'
    bare = word.strip('"')
    if type_ == STRING:
        return loads(word) if is_quoted else word
    if type_ == IDENTITY and word[:1] not in ("{", "["):
        return [hex(Identity.from_hex(bare))]
    if type_ == CONNECTION_ID and word[:1] not in ("{", "["):
        return [int(ConnectionId.from_hex(bare))]
    if type_ == UUID and word[:1] not in ("{", "["):
        return [uuid.UUID(bare).int]
    if isinstance(type_, EnumType) and bare in type_.variants:
        return {bare: []}
    if isinstance(type_, OptionType):
        return _read_option(type_, word)
    return loads(word)


def _read_option(type_: OptionType, word: str) -> object:
    """An option as JSON, or the value that it holds."""
    try:
        value = loads(word)
        compile_json(type_).from_json(value)
    except DecodeError:
        return {"some": _read(type_.some, word)}
    return value
