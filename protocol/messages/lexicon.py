"""Lexicon: what protocol v1 says beyond names, and how JSON is made of a module's bytes.

Version 1 numbers tables and reducers, and v1.json needs their types. Codecs are compiled when they
are first needed, so a server whose clients speak v2 and v3 never pays for them.
Source: wire spec 4, 7.2 and 7.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocol.bsatn import Codec, compile_codec
from protocol.errors import DecodeError
from protocol.sats_json import JsonCodec, compile_json, dumps, loads
from protocol.schema import ModuleSchema, TableSchema, ViewSchema
from protocol.types import UNIT, AlgebraicType

__all__ = ["FIRST_TABLE_ID", "UNKNOWN_REDUCER_ID", "Lexicon"]

FIRST_TABLE_ID = 4_097
"""Lower ids are the official host's own tables."""

UNKNOWN_REDUCER_ID = 0xFFFF_FFFF
"""Stands for a reducer that does not exist (wire spec 7.3)."""


class _Spelling(NamedTuple):
    """A type's values as BSATN and as JSON."""

    bsatn: Codec
    json: JsonCodec


class Lexicon:
    """Numbers and types of one module's tables and functions. Does not change."""

    def __init__(self, schema: ModuleSchema) -> None:
        sources: list[TableSchema | ViewSchema] = [*schema.tables, *schema.views]
        self._tables = {
            source.name: number for number, source in enumerate(sources, FIRST_TABLE_ID)
        }
        self._rows: dict[str, AlgebraicType] = {source.name: source.row_type for source in sources}
        self._reducers = {reducer.name: number for number, reducer in enumerate(schema.reducers)}
        self._reducer_params = {reducer.name: reducer.params for reducer in schema.reducers}
        self._procedures = {procedure.name: procedure for procedure in schema.procedures}
        self._spellings: dict[int, _Spelling] = {}

    def table_id(self, name: str) -> int:
        """Number of a table or view."""
        return self._tables[name]

    def reducer_id(self, name: str) -> int:
        """Number of a reducer; ``UNKNOWN_REDUCER_ID`` when there is none of that name."""
        return self._reducers.get(name, UNKNOWN_REDUCER_ID)

    # --- rows

    def initial_rows(self, table: str, rows: Sequence[bytes]) -> list[str]:
        """Rows as JSON texts: products by field name, sums as ``[tag, payload]``."""
        bsatn, json = self._spelling(self._rows[table])
        return [dumps(json.to_row(bsatn.decode_all(row))).decode() for row in rows]

    def changed_rows(self, table: str, rows: Sequence[bytes]) -> list[str]:
        """Rows as JSON texts: products as arrays, sums as ``[tag, payload]``."""
        bsatn, json = self._spelling(self._rows[table])
        return [dumps(json.to_untyped(bsatn.decode_all(row))).decode() for row in rows]

    def rows_from_json(self, table: str, rows: Sequence[str]) -> list[bytes]:
        """BSATN of rows in either of the two forms.

        Raises:
            DecodeError: a text is no row of the table, or there is no such table.
        """
        declared = self._rows.get(table)
        if declared is None:
            raise DecodeError(f"no type is known for table {table}")
        bsatn, json = self._spelling(declared)
        return [bsatn.encode(json.from_json(loads(row))) for row in rows]

    # --- arguments and returned values

    def arguments_from_json(self, function: str, text: str, *, is_procedure: bool) -> bytes:
        """BSATN of a call's arguments: a JSON array of them, or an object by parameter name.

        Nothing, for a function that does not exist: whoever looks for it will say so.

        Raises:
            DecodeError: they do not fit the parameters.
        """
        params = self._params(function, is_procedure=is_procedure)
        if params is None:
            return b""
        bsatn, json = self._spelling(params)
        return bsatn.encode(json.from_json(loads(text)))

    def arguments_to_json(self, function: str, args: bytes, *, is_procedure: bool) -> str:
        """A call's arguments as a JSON array, for a client; ``[]`` for an unknown function."""
        params = self._params(function, is_procedure=is_procedure)
        if params is None:
            return "[]"
        bsatn, json = self._spelling(params)
        return dumps(json.to_untyped(bsatn.decode_all(args))).decode()

    def returned_to_json(self, procedure: str, value: bytes) -> str:
        """What a procedure returned, as an untyped JSON text."""
        bsatn, json = self._spelling(self._returns(procedure))
        return dumps(json.to_untyped(bsatn.decode_all(value))).decode()

    def returned_from_json(self, procedure: str, text: str) -> bytes:
        """BSATN of what a procedure returned. Raises DecodeError when it is not of its type."""
        bsatn, json = self._spelling(self._returns(procedure))
        return bsatn.encode(json.from_json(loads(text)))

    def _params(self, function: str, *, is_procedure: bool) -> AlgebraicType | None:
        if is_procedure:
            procedure = self._procedures.get(function)
            return None if procedure is None else procedure.params
        return self._reducer_params.get(function)

    def _returns(self, procedure: str) -> AlgebraicType:
        known = self._procedures.get(procedure)
        if known is None:
            raise DecodeError(f"there is no procedure {procedure}")
        return known.returns or UNIT

    def _spelling(self, declared: AlgebraicType) -> _Spelling:
        known = self._spellings.get(id(declared))
        if known is None:
            known = _Spelling(compile_codec(declared), compile_json(declared))
            self._spellings[id(declared)] = known  # the schema's own types, which outlive this
        return known
