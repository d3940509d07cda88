"""A connection that speaks version 1, in either spelling, with the cache of a client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from host_bench import Bench

from actors.claims import Claims
from actors.host import Session
from protocol.bsatn import compile_codec
from protocol.client_cache import ClientCache
from protocol.connection import Connection
from protocol.messages import (
    InitialConnection,
    OneOffQueryResult,
    ProcedureResult,
    ReducerOk,
    ReducerResult,
    Request,
    ServerMessage,
    SubscribeApplied,
    SubscriptionError,
    TableRows,
    TransactionUpdate,
    UnsubscribeApplied,
    Wires,
)
from protocol.messages.lexicon import Lexicon
from protocol.messages.requests import CallProcedure, CallReducer
from protocol.messages.v1_client import V1BsatnClient, V1Client, V1JsonClient
from protocol.messages.v1_types import (
    CLIENT_BSATN,
    CLIENT_JSON,
    SERVER_BSATN,
    SERVER_JSON,
    ClientTag,
    ServerTag,
)
from protocol.sats_json import compile_json, dumps, loads
from protocol.upgrade import Subprotocol
from protocol.values import ConnectionId, Variant

Texts = tuple[str, ...]


class OldPeer:
    """Sends requests as frames and keeps what the answers' frames say.

    Attributes:
        sets: the live subscriptions by query id, and what each asked for.
        legacy: what the last legacy subscription asked for.
        raw: every message as its declared type has it, in order.
        frames: their frames.
    """

    def __init__(
        self,
        bench: Bench,
        wires: Wires,
        who: Claims,
        number: int,
        subprotocol: Subprotocol,
        *,
        rows_of: Callable[[Texts], dict[str, Counter]] = lambda _: {},
        heard: Callable[[OldPeer], None] = lambda _: None,
        confirmed: bool = False,
    ) -> None:
        self.bench = bench
        self.claims = who
        self.is_json = subprotocol is Subprotocol.V1_JSON
        self.cache = ClientCache(bench.module.schema)
        self.messages: list[ServerMessage] = []
        self.raw: list[tuple[ServerTag, Any]] = []
        self.frames: list[bytes] = []
        self.aborted: list[int] = []
        self.sets: dict[int, Texts] = {}
        self.legacy: Texts = ()
        self._rows_of = rows_of
        self._heard = heard
        self._asked: dict[int, tuple[ClientTag, Texts]] = {}
        self._pending: dict[int, Request] = {}
        self._requests = 0
        self._client: V1Client = V1BsatnClient(self._pending)
        if self.is_json:
            self._client = V1JsonClient(self._pending, Lexicon(bench.module.schema))
        self._connection = Connection(subprotocol, wires.open(subprotocol))
        self.session: Session = bench.host.open_session(
            claims=who,
            connection_id=ConnectionId(number),
            token="token",
            wire=self._connection.wire,
            confirmed=confirmed,
            sink=self,
            subprotocol=subprotocol.value,
        )

    # The sink

    def deliver(self, messages: list[bytes]) -> None:
        try:
            for frame in self._connection.frames(messages):
                self._hear(frame)
        except AssertionError as error:  # the host shields itself from sinks that fail
            self.bench.complaints.append(error)

    def abort(self, close_code: int, reason: str) -> None:
        del reason
        self.aborted.append(close_code)

    def _hear(self, frame: bytes) -> None:
        self.frames.append(frame)
        if self.is_json:
            body = frame
            raw = compile_json(SERVER_JSON).from_json(loads(frame))
        else:
            assert frame[0] == 0
            body = frame[1:]
            raw = compile_codec(SERVER_BSATN).decode_exact(body)
        assert isinstance(raw, Variant)
        self.raw.append((ServerTag(raw.tag), raw.value))
        message, end = self._client.decode_server_message(body)
        assert end == len(body)
        self.messages.append(message)
        self._apply(message)
        assert self.cache.faults() == []
        self._heard(self)

    def _apply(self, message: ServerMessage) -> None:
        if isinstance(message, TransactionUpdate):
            assert message.query_sets, "an update that says nothing"
            self._update(message)
        elif isinstance(message, ReducerResult):
            self._pending.pop(message.request_id, None)
            if isinstance(message.outcome, ReducerOk):
                self._update(message.outcome.update)
        elif isinstance(message, SubscribeApplied):
            tag, texts = self._asked.pop(message.request_id)
            if tag is ClientTag.SUBSCRIBE:
                gone = self._rows_of(self.legacy)
                self.cache.drop(
                    [TableRows(name, list(bag.elements())) for name, bag in gone.items()]
                )
                self.legacy = texts
            else:
                self.sets[message.query_set_id] = texts
            self.cache.add(message.tables)
        elif isinstance(message, UnsubscribeApplied):
            del self.sets[message.query_set_id]
            self.cache.drop(message.tables or ())

    def _update(self, update: TransactionUpdate) -> None:
        for query_set in update.query_sets:
            names = [table.table for table in query_set.tables]
            assert names == sorted(set(names)), "a table is named once"
            assert all(rows.inserts or rows.deletes for t in query_set.tables for rows in t.rows)
        self.cache.update(update)

    # The client

    async def connect(self) -> None:
        await self.session.connect()

    def send(self, tag: ClientTag, *fields: Any) -> None:
        """Send a request as its declared type has it."""
        message = Variant(tag, fields)
        if self.is_json:
            self.send_text(dumps(compile_json(CLIENT_JSON).to_typed(message)).decode())
        else:
            frame = compile_codec(CLIENT_BSATN).encode(message)
            self.session.receive(self._connection.receive_frame(frame))

    def send_text(self, text: str) -> None:
        self.session.receive(self._connection.receive_frame(text))

    def call(self, reducer: str, *arguments: object, quiet: bool = False) -> int:
        """Send a call; answers its request id."""
        number = self._number()
        args = self.bench.host.encode_arguments(reducer, arguments)
        self._pending[number] = CallReducer(number, reducer, args)
        self.send(ClientTag.CALL_REDUCER, reducer, self._args(reducer, args), number, int(quiet))
        return number

    def send_call(self, reducer: str, args: bytes, text: str) -> int:
        """Send a call with arguments in both spellings, whatever they are."""
        number = self._number()
        self._pending[number] = CallReducer(number, reducer, args)
        self.send(ClientTag.CALL_REDUCER, reducer, text if self.is_json else args, number, 0)
        return number

    def procedure(self, name: str, args: bytes = b"") -> int:
        number = self._number()
        self._pending[number] = CallProcedure(number, name, args)
        spelled = self._args(name, args, is_procedure=True)
        self.send(ClientTag.CALL_PROCEDURE, name, spelled, number, 0)
        return number

    def subscribe(self, query_id: int, *queries: str) -> int:
        number = self._number()
        self._asked[number] = (ClientTag.SUBSCRIBE_MULTI, queries)
        self.send(ClientTag.SUBSCRIBE_MULTI, list(queries), number, (query_id,))
        return number

    def subscribe_single(self, query_id: int, query: str) -> int:
        number = self._number()
        self._asked[number] = (ClientTag.SUBSCRIBE_SINGLE, (query,))
        self.send(ClientTag.SUBSCRIBE_SINGLE, query, number, (query_id,))
        return number

    def subscribe_legacy(self, *queries: str) -> int:
        number = self._number()
        self._asked[number] = (ClientTag.SUBSCRIBE, queries)
        self.send(ClientTag.SUBSCRIBE, list(queries), number)
        return number

    def unsubscribe(self, query_id: int, *, single: bool = False) -> int:
        number = self._number()
        tag = ClientTag.UNSUBSCRIBE if single else ClientTag.UNSUBSCRIBE_MULTI
        self.send(tag, number, (query_id,))
        return number

    def query(self, text: str) -> int:
        number = self._number()
        self.send(ClientTag.ONE_OFF_QUERY, number.to_bytes(4, "little"), text)
        return number

    def _number(self) -> int:
        self._requests += 1
        return self._requests

    def _args(self, name: str, args: bytes, *, is_procedure: bool = False) -> bytes | str:
        return self._client._args(name, args, is_procedure=is_procedure)

    # What it heard

    def answered(self) -> list[int]:
        """Request ids in the order of their answers."""
        return [
            message.request_id
            for message in self.messages
            if isinstance(
                message,
                ReducerResult
                | ProcedureResult
                | OneOffQueryResult
                | SubscribeApplied
                | UnsubscribeApplied
                | SubscriptionError,
            )
            and message.request_id is not None
        ]

    def held(self) -> dict[str, Counter]:
        """Every row in the cache, by table, with its reference count."""
        held = {name: table.counts() for name, table in self.cache.tables().items()}
        return {name: bag for name, bag in held.items() if bag}

    def wanted(self) -> dict[str, Counter]:
        """What it has subscribed to now: each text once, and the legacy ones beside."""
        texts = tuple(dict.fromkeys(text for queries in self.sets.values() for text in queries))
        found: dict[str, Counter] = {}
        for bags in (self._rows_of(texts), self._rows_of(self.legacy)):
            for name, bag in bags.items():
                found.setdefault(name, Counter()).update(bag)
        return found

    def hello(self) -> InitialConnection:
        """The first message."""
        first = self.messages[0]
        assert isinstance(first, InitialConnection)
        return first

    def forget(self) -> None:
        self.messages.clear()
        self.raw.clear()


async def enter_old(
    bench: Bench, wires: Wires, who: Claims, number: int, subprotocol: Subprotocol, **options: Any
) -> OldPeer:
    """A new connection, settled."""
    peer = OldPeer(bench, wires, who, number, subprotocol, **options)
    await peer.connect()
    await bench.settle()
    return peer
