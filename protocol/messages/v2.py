"""Protocol v2 (and v3, which differs in framing only), the server's side.

Hand-written: an update is nothing but concatenation, and a reducer call costs one ``unpack_from``
and two slices. Source: wire spec 5.4, 6.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Final

from protocol.errors import DecodeError
from protocol.limits import SUBSCRIBE_QUERIES_MAX
from protocol.messages.requests import (
    CallProcedure,
    CallReducer,
    ClientMessage,
    OneOffQuery,
    OpaqueId,
    Subscribe,
    Unsubscribe,
)
from protocol.messages.wire import Dialect, Wire
from protocol.row_list import encode_row_list
from protocol.values import ConnectionId, Identity

__all__ = ["V2", "V2Dialect", "V2Wire"]


_U32 = Struct("<I")
_IDS = Struct("<II")
_unpack_call_head: Final = Struct("<IBI").unpack_from
_unpack_u32: Final = _U32.unpack_from
_SUBSCRIBE_HEAD = Struct("<III")
_UNSUBSCRIBE = Struct("<IIB")
_TAG_IDS = Struct("<BII")
_TAG_ID = Struct("<BI")
_TAG_ID_STATUS = Struct("<BIB")
_pack_reducer_ok: Final = Struct("<BIq5x").pack  # status 0, and no bytes returned
_REDUCER_HEAD = Struct("<BIqB")
_REDUCER_ERR = Struct("<BIqBII")
_PROCEDURE_TAIL = Struct("<qqI")


def _text(value: str) -> bytes:
    data = value.encode()
    return _U32.pack(len(data)) + data


_name = lru_cache(4096)(_text)  # tables are few and named in every update


def _count(parts: Sequence[bytes]) -> bytes:
    return _U32.pack(len(parts))


def _spell_single_head(query_set_id: int, table: str) -> bytes:
    """What comes before the one fragment of the one table of the one set."""
    return b"".join((_U32.pack(1), _IDS.pack(query_set_id, 1), _name(table), _U32.pack(1)))


_single_head: Final = lru_cache(4096)(_spell_single_head)


def _query_rows(tables: Sequence[tuple[str, bytes]]) -> bytes:
    parts = [_U32.pack(len(tables))]
    for table, rows in tables:
        parts.append(_name(table))
        parts.append(rows)
    return b"".join(parts)


def _decode_call(data: bytes, offset: int) -> tuple[int, str, bytes, int]:
    """Read the body shared by CallReducer and CallProcedure; ``offset`` is after the tag."""
    request_id: int
    flags: int
    name_size: int
    args_size: int
    request_id, flags, name_size = _unpack_call_head(data, offset)
    name_end = offset + 9 + name_size
    (args_size,) = _unpack_u32(data, name_end)
    end = name_end + 4 + args_size
    if end > len(data):
        raise DecodeError("arguments are cut short", name_end + 4)
    if flags:
        raise DecodeError(f"unknown call flags {flags}", offset + 4)
    return request_id, data[offset + 9 : name_end].decode(), data[name_end + 4 : end], end


def _decode_text(data: bytes, offset: int) -> tuple[str, int]:
    (size,) = _U32.unpack_from(data, offset)
    end = offset + 4 + size
    if end > len(data):
        raise DecodeError("string is cut short", offset)
    return data[offset + 4 : end].decode(), end


def _decode_subscribe(data: bytes, offset: int) -> tuple[Subscribe, int]:
    request_id, query_set_id, count = _SUBSCRIBE_HEAD.unpack_from(data, offset)
    offset += 12
    if count > SUBSCRIBE_QUERIES_MAX or count > (len(data) - offset) // 4:
        raise DecodeError(f"{count} query strings are too many", offset - 4)
    queries = []
    for _ in range(count):
        query, offset = _decode_text(data, offset)
        queries.append(query)
    return Subscribe(request_id, query_set_id, tuple(queries)), offset


def _decode_unsubscribe(data: bytes, offset: int) -> tuple[Unsubscribe, int]:
    request_id, query_set_id, flags = _UNSUBSCRIBE.unpack_from(data, offset)
    if flags > 1:
        raise DecodeError(f"unknown unsubscribe flags {flags}", offset + 8)
    return Unsubscribe(request_id, query_set_id, flags == 1), offset + 9


def _decode_one_off_query(data: bytes, offset: int) -> tuple[OneOffQuery, int]:
    (request_id,) = _U32.unpack_from(data, offset)
    query, end = _decode_text(data, offset + 4)
    return OneOffQuery(request_id, query), end


def _decode_message(data: bytes, offset: int) -> tuple[ClientMessage, int]:
    tag = data[offset]
    if tag == 3:
        request_id, name, args, end = _decode_call(data, offset + 1)
        return CallReducer(request_id, name, args), end
    if tag == 4:
        request_id, name, args, end = _decode_call(data, offset + 1)
        return CallProcedure(request_id, name, args), end
    if tag == 0:
        return _decode_subscribe(data, offset + 1)
    if tag == 1:
        return _decode_unsubscribe(data, offset + 1)
    if tag == 2:
        return _decode_one_off_query(data, offset + 1)
    raise DecodeError(f"unknown client message tag {tag}", offset)


class V2Dialect(Dialect):
    """How v2 and v3 spell updates: stateless, one object for all connections."""

    __slots__ = ()

    @property
    def merges_sets(self) -> bool:
        """An update names its query sets."""
        return False

    def row_list(self, _table: str, rows: Sequence[bytes]) -> bytes:
        """Spell rows as a BsatnRowList."""
        return encode_row_list(rows)

    def table_rows(
        self,
        _table: str,
        inserts: Sequence[bytes],
        deletes: Sequence[bytes],
        *,
        event: bool = False,
    ) -> bytes:
        """Spell a TableUpdateRows: tag 0 inserts and deletes, tag 1 events."""
        if event:
            return b"\x01" + encode_row_list(inserts)
        return b"\x00" + encode_row_list(inserts) + encode_row_list(deletes)

    def table_update(self, table: str, rows: Sequence[bytes]) -> bytes:
        """Spell a TableUpdate of ``table_rows`` fragments."""
        return b"".join((_name(table), _count(rows), *rows))

    def query_set_update(self, query_set_id: int, tables: Sequence[bytes]) -> bytes:
        """Spell a QuerySetUpdate of ``table_update`` fragments."""
        return b"".join((_IDS.pack(query_set_id, len(tables)), *tables))

    def single_body(
        self,
        query_set_id: int,
        table: str,
        inserts: Sequence[bytes],
        deletes: Sequence[bytes],
        *,
        event: bool = False,
    ) -> bytes:
        """Spell the fields of a TransactionUpdate with the rows of one table in one set."""
        head = _single_head(query_set_id, table)
        if event:
            return b"".join((head, b"\x01", encode_row_list(inserts)))
        return b"".join((head, b"\x00", encode_row_list(inserts), encode_row_list(deletes)))

    def transaction_body(self, query_sets: Sequence[bytes]) -> bytes:
        """Spell the fields of a TransactionUpdate out of ``query_set_update`` fragments."""
        return b"".join((_count(query_sets), *query_sets))

    def transaction_update(self, body: bytes, _request_id: OpaqueId) -> bytes:
        """A commit for a connection that did not call, tag 4."""
        return b"\x04" + body


_DIALECT: Final = V2Dialect()


class V2Wire(Wire):
    """The ``Wire`` of v2 and v3: stateless, use the shared ``V2``."""

    __slots__ = ()

    @property
    def dialect(self) -> V2Dialect:
        """The one of this version."""
        return _DIALECT

    def decode_client_message(self, data: bytes, offset: int = 0) -> tuple[ClientMessage, int]:
        """Decode the message at ``offset``; returns it and the offset after it.

        Raises:
            DecodeError: no message there, cut short, or with an unknown tag or flag.
        """
        try:
            return _decode_message(data, offset)
        except (struct.error, IndexError):
            raise DecodeError("message is cut short", len(data)) from None
        except UnicodeDecodeError:
            raise DecodeError("string is not UTF-8", offset) from None

    def initial_connection(
        self, identity: Identity, connection_id: ConnectionId, token: str
    ) -> bytes:
        """First message of the connection, tag 0."""
        return b"".join(
            (
                b"\x00",
                identity.to_bytes(32, "little"),
                connection_id.to_bytes(16, "little"),
                _text(token),
            )
        )

    def subscribe_applied(
        self, request_id: OpaqueId, query_set_id: int, tables: Sequence[tuple[str, bytes]]
    ) -> bytes:
        """Answer of Subscribe, tag 1."""
        return _TAG_IDS.pack(1, request_id, query_set_id) + _query_rows(tables)

    def unsubscribe_applied(
        self, request_id: OpaqueId, query_set_id: int, tables: Sequence[tuple[str, bytes]] | None
    ) -> bytes:
        """Answer of Unsubscribe, tag 2."""
        head = _TAG_IDS.pack(2, request_id, query_set_id)
        return head + (b"\x01" if tables is None else b"\x00" + _query_rows(tables))

    def subscription_error(
        self, request_id: OpaqueId | None, query_set_id: int, error: str
    ) -> bytes:
        """Refusal of a set, tag 3."""
        head = b"\x03\x01" if request_id is None else b"\x03\x00" + _U32.pack(request_id)
        return head + _U32.pack(query_set_id) + _text(error)

    def one_off_query_result(self, request_id: OpaqueId, table: str, rows: bytes) -> bytes:
        """Answer of OneOffQuery, tag 5."""
        return _TAG_ID_STATUS.pack(5, request_id, 0) + _query_rows(((table, rows),))

    def one_off_query_error(self, request_id: OpaqueId, error: str) -> bytes:
        """Refusal of a OneOffQuery, tag 5."""
        return _TAG_ID_STATUS.pack(5, request_id, 1) + _text(error)

    def reducer_ok(self, request_id: OpaqueId, timestamp: int, body: bytes) -> bytes:
        """Outcome Ok without a return value, tag 6."""
        return _pack_reducer_ok(6, request_id, timestamp) + body

    def reducer_err(self, request_id: OpaqueId, timestamp: int, error: str) -> bytes:
        """Outcome Err: its bytes are themselves a BSATN string, tag 6."""
        data = error.encode()
        return _REDUCER_ERR.pack(6, request_id, timestamp, 2, len(data) + 4, len(data)) + data

    def reducer_internal_error(self, request_id: OpaqueId, timestamp: int, error: str) -> bytes:
        """Outcome InternalError, tag 6."""
        return _REDUCER_HEAD.pack(6, request_id, timestamp, 3) + _text(error)

    def reducer_not_run(
        self, request_id: OpaqueId, timestamp: int, error: str, *, is_internal: bool
    ) -> bytes:
        """Outcome Err or InternalError: the timestamp is the only one there is."""
        refuse = self.reducer_internal_error if is_internal else self.reducer_err
        return refuse(request_id, timestamp, error)

    def procedure_returned(
        self, request_id: OpaqueId, timestamp: int, duration: int, value: bytes
    ) -> bytes:
        """Status Returned, tag 7; the request id comes last."""
        head = b"\x07\x00" + _U32.pack(len(value)) + value
        return head + _PROCEDURE_TAIL.pack(timestamp, duration, request_id)

    def procedure_error(
        self, request_id: OpaqueId, error: str, timestamp: int = 0, duration: int = 0
    ) -> bytes:
        """Status InternalError, tag 7; timestamp and duration are 0 when it never ran."""
        return b"\x07\x01" + _text(error) + _PROCEDURE_TAIL.pack(timestamp, duration, request_id)


V2 = V2Wire()
"""The one object: it has no state, so every v2 and v3 connection shares it."""
