"""The BSATN spelling of protocol v1: concatenation, as in v2. Source: wire spec 5.4 and 7.2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import cast

from protocol.bsatn import compile_codec
from protocol.messages.requests import ClientMessage, OpaqueId
from protocol.messages.v1 import CallReport, V1Dialect
from protocol.messages.v1_requests import neutral_request
from protocol.messages.v1_types import CLIENT_BSATN, ServerTag
from protocol.row_list import EMPTY_ROW_LIST, encode_row_list
from protocol.values import ConnectionId, Identity, Variant

__all__ = ["V1Bsatn"]

_U32 = Struct("<I")
_TAG_ID = Struct("<BI")
_COUNTS = Struct("<QI")
_ID_DURATION = Struct("<Iq")
_APPLIED_HEAD = Struct("<BIQI")
_CALL_TAIL = Struct("<IQQq")
_PROCEDURE_TAIL = Struct("<qqI")
_DURATION = Struct("<q")
_decode = compile_codec(CLIENT_BSATN).decode
_UNCOMPRESSED = b"\x00"
_NONE = b"\x01"


def _blob(data: bytes) -> bytes:
    return _U32.pack(len(data)) + data


def _text(value: str) -> bytes:
    return _blob(value.encode())


def _option(value: int | None) -> bytes:
    return _NONE if value is None else b"\x00" + _U32.pack(value)


_name = lru_cache(4096)(_text)  # tables are few and named in every update


class V1Bsatn(V1Dialect):
    """v1.bsatn. Fragments are what they are in the message, behind their count of rows."""

    def transaction_update(self, body: bytes, request_id: OpaqueId) -> bytes:
        """TransactionUpdateLight, tag 2."""
        return _TAG_ID.pack(2, request_id) + body

    def _rows(self, _table: str, rows: Sequence[bytes]) -> bytes:
        return encode_row_list(rows)

    def _changes(self, _table: str, inserts: Sequence[bytes], deletes: Sequence[bytes]) -> bytes:
        return b"".join((_UNCOMPRESSED, encode_row_list(deletes), encode_row_list(inserts)))

    def _listed(self, rows: bytes, *, is_dropped: bool) -> bytes:
        both = (rows, EMPTY_ROW_LIST) if is_dropped else (EMPTY_ROW_LIST, rows)
        return b"".join((_UNCOMPRESSED, *both))

    def _table(self, table: str, count: int, updates: Sequence[bytes]) -> bytes:
        number = _U32.pack(self.lexicon.table_id(table))
        return b"".join((number, _name(table), _COUNTS.pack(count, len(updates)), *updates))

    def _database(self, tables: Sequence[bytes]) -> bytes:
        return b"".join((_U32.pack(len(tables)), *tables))

    # --- messages

    def decode_request(self, data: bytes, offset: int, began: float) -> tuple[ClientMessage, int]:
        """Decode by the declared type."""
        message, end = _decode(data, offset)
        return neutral_request(cast("Variant", message), began), end

    def identity_token(self, identity: Identity, token: str, connection_id: ConnectionId) -> bytes:
        """Tag 3; the token stands between the two ids."""
        return b"".join(
            (
                b"\x03",
                identity.to_bytes(32, "little"),
                _text(token),
                connection_id.to_bytes(16, "little"),
            )
        )

    def initial_subscription(self, update: bytes, request_id: int, duration: int) -> bytes:
        """Tag 0."""
        return b"\x00" + update + _ID_DURATION.pack(request_id, duration)

    def single_applied(
        self, tag: ServerTag, request_id: int, duration: int, query_id: int, table: str, rows: bytes
    ) -> bytes:
        """Tag 5 or 6; the table is named once more inside its rows."""
        head = _APPLIED_HEAD.pack(tag, request_id, duration, query_id)
        return b"".join((head, _U32.pack(self.lexicon.table_id(table)), _name(table), rows))

    def multi_applied(
        self, tag: ServerTag, request_id: int, duration: int, query_id: int, update: bytes
    ) -> bytes:
        """Tag 8 or 9."""
        return _APPLIED_HEAD.pack(tag, request_id, duration, query_id) + update

    def subscription_error(
        self, duration: int, request_id: int | None, query_id: int | None, error: str
    ) -> bytes:
        """Tag 7; no table is ever to blame."""
        head = b"\x07" + _DURATION.pack(duration)
        return b"".join((head, _option(request_id), _option(query_id), _NONE, _text(error)))

    def one_off_response(
        self, message_id: bytes, error: str | None, table: tuple[str, bytes] | None, duration: int
    ) -> bytes:
        """Tag 4."""
        outcome = _NONE if error is None else b"\x00" + _text(error)
        tables = _U32.pack(0)
        if table is not None:
            name, rows = table
            tables = b"".join((_U32.pack(1), _name(name), self.bare_rows(rows)))
        tail = _DURATION.pack(duration)
        return b"".join((b"\x04", _blob(message_id), outcome, tables, tail))

    def call_committed(self, update: bytes, report: CallReport) -> bytes:
        """Tag 1, status 0."""
        return b"\x01\x00" + update + _spell(report)

    def call_failed(self, error: str, report: CallReport) -> bytes:
        """Tag 1, status 1."""
        return b"\x01\x01" + _text(error) + _spell(report)

    def procedure_returned(
        self, _procedure: str, value: bytes, timestamp: int, duration: int, request_id: int
    ) -> bytes:
        """Tag 10, status 0."""
        tail = _PROCEDURE_TAIL.pack(timestamp, duration, request_id)
        return b"\x0a\x00" + _blob(value) + tail

    def procedure_failed(self, error: str, timestamp: int, duration: int, request_id: int) -> bytes:
        """Tag 10, status 2."""
        tail = _PROCEDURE_TAIL.pack(timestamp, duration, request_id)
        return b"\x0a\x02" + _text(error) + tail


def _spell(report: CallReport) -> bytes:
    args = report.args
    assert isinstance(args, bytes), "arguments are repeated as they came"
    return b"".join(
        (
            _DURATION.pack(report.timestamp),
            report.identity.to_bytes(32, "little"),
            report.connection_id.to_bytes(16, "little"),
            _text(report.reducer),
            _U32.pack(report.reducer_id),
            _blob(args),
            _CALL_TAIL.pack(report.request_id, 0, 0, report.duration),
        )
    )
