"""One user's actor on a bench: real turns over real tables; what it sends is kept to be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actors.claims import Claims
from actors.domains import archive_messages, messages, world_messages
from actors.domains.kinds import STORY, USER
from actors.host.caller import Caller
from actors.host.core import ActorCore, Shared
from actors.host.endpoints import procedure_endpoints, reducer_endpoint
from actors.host.kind import KindRuntime
from actors.host.mail import MessageType, MessageTypes
from actors.host.mail_turns import Delivery
from actors.host.turns import Connect, Disconnect, Read, ReducerCall, Reply
from actors.keys import ActorKey, user_id_of
from actors.module.module import Module
from actors.module.naming import snake
from actors.module.system import OutboxMessage
from actors.module.types import ConnectionId, Identity, Timestamp, product_type
from persistence.store import PlainAppend
from protocol.bsatn import compile_codec
from protocol.schema import Lifecycle
from protocol.types import ProductType

MODULE = Module.load("actors.domains.entry", fixtures=True)
KIND = KindRuntime.compile(
    MODULE,
    USER,
    {name: number for number, name in enumerate(sorted(MODULE.tables), 100)}
    | {table.name: number for number, table in enumerate(MODULE.tables_of(USER), 1000)},
)
REDUCERS = {name: reducer_endpoint(declared) for name, declared in MODULE.reducers.items()}
PROCEDURES = procedure_endpoints(MODULE, REDUCERS)

STORY_ACTOR = STORY.key("ss_1")
START_MICROS = 1_700_000_000_000_000


def claims(number: int, *roles: str, display_name: str | None = None) -> Claims:
    """Claims of one of many users; the default roles unless others are named."""
    return Claims(
        issuer="localhost",
        subject=f"subject-{number}",
        audience=("spacetimedb",),
        identity=Identity((0xC200 << 240) + (number << 80)),
        roles=frozenset(roles or ("player", "creator")),
        display_name=display_name,
        locale=None,
        issued_at=0,
        expires_at=None,
        raw_claims_json="{}",
    )


SERVICE = claims(9_999, "service")


class _Outlet:
    commit_watch = None

    def __init__(self) -> None:
        self.records: list[PlainAppend] = []
        self.posted: list[OutboxMessage] = []

    def append(self, entry: PlainAppend) -> None:
        self.records.append(entry)

    def post(self, source: ActorKey, message: OutboxMessage) -> None:
        del source
        self.posted.append(message)

    def acknowledge(self, source: ActorKey, by: ActorKey, through: int) -> None:
        """The bench sends each message once."""

    def refuse(self, source: ActorKey, by: ActorKey, number: int) -> None:
        raise AssertionError(f"message {number} of {source} failed in {by}")

    def attachments_changed(self, key: ActorKey) -> None:
        """Nobody subscribes on the bench."""

    def letter_parked(self, key: ActorKey) -> None:
        raise AssertionError(f"{key} parked a message")


class _Reply(Reply):
    subscriber = None

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.answer: object = None

    def succeed(self, timestamp: int, body: bytes | None, answer: object) -> None:
        self.answer = answer

    def fail(self, timestamp: int, error: Exception) -> None:
        self.error = error

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.answer


def _message_types() -> MessageTypes:
    """The user's own messages with their handlers; the bench takes all the others as they come."""
    by_name, by_payload = {}, {}
    payloads = [
        getattr(module, name)
        for module in (archive_messages, messages, world_messages)
        for name in module.__all__
    ]
    for payload in payloads:
        name = payload.__name__
        codec = compile_codec(product_type(payload))
        for kind in ("user", "story", "agent", "bigfish", "catalog"):
            wire_name = f"{kind}.{snake(name)}"
            handler = MODULE.messages.get(wire_name) if kind == "user" else None
            declared = MessageType(
                wire_name, None if handler is None else handler.function, codec.encode, codec.decode
            )
            by_name[wire_name] = by_payload[kind, payload] = declared
    return MessageTypes(by_name, by_payload)


MESSAGES = _message_types()


class UserBench:
    """The actor of ``claims``' user. Time moves on by a millisecond with each message."""

    def __init__(self, who: Claims | None = None) -> None:
        self.claims = claims(1) if who is None else who
        self.user_id = user_id_of(self.claims.identity)
        self.outlet = _Outlet()
        self.core = ActorCore(
            USER.key(self.user_id), KIND, Shared(bytes(32), MESSAGES, self.outlet)
        )
        self._now = START_MICROS
        self._numbers: dict[ActorKey, int] = {}
        self._requests = 0

    # What reaches the actor

    def connect(self, connection: int = 1) -> None:
        endpoint = reducer_endpoint(MODULE.lifecycle[Lifecycle.ON_CONNECT])
        reply = _Reply()
        caller = Caller(self.claims, ConnectionId(connection))
        Connect(endpoint, caller, reply).turn(self.core, self._tick())
        reply.result()

    def disconnect(self, connection: int = 1) -> None:
        endpoint = reducer_endpoint(MODULE.lifecycle[Lifecycle.ON_DISCONNECT])
        done: list[bool] = []
        Disconnect(
            endpoint, self.claims.identity, ConnectionId(connection), lambda: done.append(True)
        ).turn(self.core, self._tick())
        assert done == [True]

    def call(self, name: str, *fields: object, by: Claims | None = None, request: str = "") -> Any:
        """Call a reducer; a request id of its own is added unless one is given."""
        endpoint = REDUCERS[name]
        caller = Caller(by or self.claims, ConnectionId(1))
        if not request:
            self._requests += 1
            request = f"request-{self._requests}"
        args = compile_codec(MODULE.reducers[name].parameters).encode(((*fields, request),))
        arguments = endpoint.decode(args, 0)[0]
        endpoint.authorize(caller, self._now)
        assert endpoint.route(caller, arguments) == self.core.key
        reply = _Reply()
        ReducerCall(endpoint, arguments, args, caller, reply).turn(self.core, self._tick())
        return reply.result()

    def serve(self, name: str, *fields: object, request: str = "") -> Any:
        """Call a reducer that takes a user id first, as a service."""
        return self.call(name, self.user_id, *fields, by=SERVICE, request=request)

    def read(self, name: str, *fields: object) -> Any:
        """Call a reading procedure as the user."""
        endpoint = PROCEDURES[name].endpoint
        parameters: ProductType = MODULE.procedures[name].parameters
        values = (fields,) if parameters.elements else ()
        arguments = endpoint.decode(compile_codec(parameters).encode(values), 0)[0]
        caller = Caller(self.claims, ConnectionId(1))
        assert endpoint.route(caller, arguments) == self.core.key
        reply = _Reply()
        Read(
            lambda view: endpoint.function(view, *arguments),
            caller,
            reply,
        ).turn(self.core, self._tick())
        return reply.result()

    def tell(self, payload: object, source: ActorKey = STORY_ACTOR) -> list[Any]:
        """Deliver a message; answers the payloads that the actor sent because of it."""
        number = self._numbers[source] = self._numbers.get(source, 0) + 1
        message_type = MESSAGES.of(self.core.key, payload)
        now = self._tick()
        row = OutboxMessage(
            f"{source}:{self.core.key}:{number}",
            self.core.key,
            number,
            message_type.name,
            "",
            message_type.encode(payload),
            self.claims.identity,
            0,
            Timestamp(now),
            Timestamp(now),
        )
        before = len(self.outlet.posted)
        Delivery(source, row, MESSAGES).turn(self.core, now)
        return self.sent(before)

    def let_pass(self, micros: int) -> None:
        """Let time pass in which nothing happens."""
        self._now += micros

    # What it holds and sent

    def rows(self, table: type) -> list[Any]:
        return list(self.core.database[table])

    def view(self, name: str) -> list[Any]:
        declared = MODULE.views[name]
        return [row.row for row in self.core.evaluate(declared, self.claims.identity).rows]

    def sent(self, after: int = 0) -> list[Any]:
        """Payloads sent so far, from the given place on."""
        return [
            MESSAGES.by_name[message.kind].decode(message.payload, 0)[0]
            for message in self.outlet.posted[after:]
        ]

    @property
    def written(self) -> int:
        """Journal records so far."""
        return len(self.outlet.records)

    def _tick(self) -> int:
        self._now += 1_000
        return self._now


def only(rows: Iterable[Any]) -> Any:
    """The one row there is."""
    (row,) = rows
    return row
