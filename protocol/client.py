"""Client side of one connection without I/O: requests out, frames in, rows kept.

Request and query set ids are drawn as the official SDK draws them. Whatever the version, rows,
arguments and answers are the same to whoever uses this. Used by load test bots and by tests; the
driver owns the socket. Source: wire spec 5, 6, 7, 12.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from operator import index
from typing import Protocol

from protocol.client_cache import ClientCache
from protocol.errors import DecodeError
from protocol.limits import CLIENT_FRAME_BYTES_MAX
from protocol.messages.answers import (
    InitialConnection,
    OneOffQueryResult,
    ProcedureResult,
    ReducerOk,
    ReducerResult,
    ServerMessage,
    SubscribeApplied,
    SubscriptionError,
    TransactionUpdate,
    UnsubscribeApplied,
)
from protocol.messages.lexicon import Lexicon
from protocol.messages.requests import (
    CallProcedure,
    CallReducer,
    OneOffQuery,
    Request,
    Subscribe,
    Unsubscribe,
)
from protocol.messages.v1_client import V1BsatnClient, V1JsonClient
from protocol.messages.v2_client import decode_server_message, encode_client_message
from protocol.schema import ModuleSchema
from protocol.upgrade import Subprotocol

__all__ = ["Client", "QuerySetState"]


class QuerySetState(Enum):
    """Life of a query set at the client; ended sets are forgotten."""

    REQUESTED = "requested"
    LIVE = "live"
    ENDING = "ending"


class _Tongue(Protocol):
    """One version's spelling of requests and answers."""

    def encode_client_message(self, message: Request) -> bytes:
        """Spell a request."""

    def decode_server_message(self, data: bytes, offset: int = 0) -> tuple[ServerMessage, int]:
        """Decode the answer at ``offset``; raises DecodeError."""


class _V2Tongue:
    """Versions 2 and 3."""

    encode_client_message = staticmethod(encode_client_message)
    decode_server_message = staticmethod(decode_server_message)


class Client:
    """One connection of one user.

    Requests are queued by their methods, which return the request id, and leave with the next
    :meth:`frames`. They may be made before the server has said anything.

    Args:
        subprotocol: what the server chose.
        cache: rows of all query sets; None to keep none, which is cheaper.
        schema: the module's; v1.json cannot do without it, others do not look at it.

    Attributes:
        is_text: frames have to be sent as text, and come as text.
        hello: the first message of the server, None until it came.
        cache: rows of all query sets; None to keep none, which is cheaper.
        query_sets: state of every set that is not over, by its id.
        pending: requests without an answer so far, by request id, oldest first.
    """

    __slots__ = (
        "_joins",
        "_next_query_set",
        "_next_request",
        "_outgoing",
        "_tongue",
        "cache",
        "hello",
        "is_text",
        "pending",
        "query_sets",
    )

    def __init__(
        self,
        subprotocol: Subprotocol,
        cache: ClientCache | None = None,
        schema: ModuleSchema | None = None,
    ) -> None:
        self.hello: InitialConnection | None = None
        self.cache = cache
        self.query_sets: dict[int, QuerySetState] = {}
        self.pending: dict[int, Request] = {}
        self.is_text = subprotocol is Subprotocol.V1_JSON
        self._joins = subprotocol is Subprotocol.V3_BSATN
        self._tongue: _Tongue = _V2Tongue()
        self._outgoing: list[bytes] = []
        self._next_request = 0
        if subprotocol in (Subprotocol.V1_BSATN, Subprotocol.V1_JSON):
            self._tongue = V1BsatnClient(self.pending)
            self._next_request = 1  # answers to calls that never ran have the id 0
        if self.is_text:
            if schema is None:
                raise ValueError("v1.json needs the module's types")
            self._tongue = V1JsonClient(self.pending, Lexicon(schema))
        self._next_query_set = 0

    def subscribe(self, queries: Sequence[str]) -> int:
        """Start a new query set; returns the request id, ``pending`` names the set."""
        query_set_id = self._next_query_set
        self._next_query_set += 1
        self.query_sets[query_set_id] = QuerySetState.REQUESTED
        return self._request(Subscribe(self._next_request, query_set_id, tuple(queries)))

    def unsubscribe(self, query_set_id: int) -> int:
        """End a query set; its rows leave the cache with the answer."""
        self.query_sets[query_set_id] = QuerySetState.ENDING
        return self._request(Unsubscribe(self._next_request, query_set_id, send_dropped_rows=True))

    def query(self, text: str) -> int:
        """Read once."""
        return self._request(OneOffQuery(self._next_request, text))

    def call_reducer(self, name: str, args: bytes = b"") -> int:
        """Call a reducer; ``args`` is the BSATN of its parameters' product."""
        return self._request(CallReducer(self._next_request, name, args))

    def call_procedure(self, name: str, args: bytes = b"") -> int:
        """Call a procedure; ``args`` is the BSATN of its parameters' product."""
        return self._request(CallProcedure(self._next_request, name, args))

    def frames(self) -> list[bytes]:
        """Take everything queued as frames: v3 joins messages, others send one per frame.

        The frames are text, in UTF-8, if ``is_text``.
        """
        outgoing, self._outgoing = self._outgoing, []
        if not self._joins:
            return outgoing
        frames: list[bytes] = []
        parts: list[bytes] = []
        size = 0
        for message in outgoing:
            if parts and size + len(message) > CLIENT_FRAME_BYTES_MAX:
                frames.append(b"".join(parts))
                parts, size = [], 0
            parts.append(message)
            size += len(message)
        if parts:
            frames.append(b"".join(parts))
        return frames

    def receive_frame(self, data: bytes) -> list[ServerMessage]:
        """Decode one frame of the server and apply its messages in order.

        Raises:
            DecodeError: a compressed or empty frame, bytes after the message of a v2 frame, or
                bytes that are no message. Messages before the fault have been applied.
        """
        if self.is_text:
            message, _ = self._tongue.decode_server_message(data)
            self._apply(message)
            return [message]
        if not data:
            raise DecodeError("frame is empty", 0)
        if data[0] != 0:
            raise DecodeError(f"frame has compression tag {data[0]}", 0)
        messages: list[ServerMessage] = []
        end = 1
        while not messages or end < len(data):
            if messages and not self._joins:
                raise DecodeError("bytes after the message of a v2 frame", end)
            message, end = self._tongue.decode_server_message(data, end)
            self._apply(message)
            messages.append(message)
        return messages

    def _request(self, message: Request) -> int:
        request_id = index(message.request_id)
        self.pending[request_id] = message
        self._outgoing.append(self._tongue.encode_client_message(message))
        self._next_request += 1
        return request_id

    def _apply(self, message: ServerMessage) -> None:
        if isinstance(message, TransactionUpdate):
            if self.cache is not None:
                self.cache.update(message)
        elif isinstance(message, ReducerResult):
            self.pending.pop(message.request_id, None)
            if self.cache is not None and isinstance(message.outcome, ReducerOk):
                self.cache.update(message.outcome.update)
        elif isinstance(message, InitialConnection):
            self.hello = message
        elif isinstance(message, ProcedureResult | OneOffQueryResult):
            self.pending.pop(message.request_id, None)
        else:
            self._apply_subscription(message)

    def _apply_subscription(
        self, message: SubscribeApplied | UnsubscribeApplied | SubscriptionError
    ) -> None:
        if message.request_id is not None:
            self.pending.pop(message.request_id, None)
        if isinstance(message, SubscribeApplied):
            if self.query_sets.get(message.query_set_id) is QuerySetState.REQUESTED:
                self.query_sets[message.query_set_id] = QuerySetState.LIVE
            if self.cache is not None:
                self.cache.add(message.tables)
            return
        self.query_sets.pop(message.query_set_id, None)
        if isinstance(message, UnsubscribeApplied) and self.cache is not None:
            self.cache.drop(message.tables or ())
