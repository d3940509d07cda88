"""Catalogue: a module compiled for a host: kinds, endpoints and messages, bound to a store."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

import orjson

from actors.errors import SchemaMismatchError
from actors.host.caller import service_caller
from actors.host.core import ActorCore
from actors.host.endpoints import (
    Endpoint,
    ProcedureEndpoint,
    procedure_endpoints,
    reducer_endpoint,
)
from actors.host.kind import KindRuntime, layout_fingerprint
from actors.host.mail import MessageType, MessageTypes
from actors.host.turns import Disconnect, ReducerCall, Reply
from actors.keys import ActorKind, Audience
from actors.module.module import Module
from actors.module.system import SYSTEM_TABLES, ConnectedClient
from actors.module.tables import declaration_of
from actors.module.types import product_type
from persistence.store import Store
from protocol.bsatn import compile_codec
from protocol.schema import Lifecycle
from protocol.values import ConnectionId

__all__ = ["Catalogue"]

_TABLES = "tables"
"""The store's entry that numbers the tables and remembers their layouts."""


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Everything that a host looks up by name.

    Attributes:
        kinds: kinds of actors, by name.
        home: the kind whose actors belong to one caller each; None when there is none.
        encoders: arguments to BSATN, by reducer.
    """

    kinds: Mapping[str, KindRuntime]
    home: ActorKind | None
    reducers: dict[str, Endpoint]
    procedures: dict[str, ProcedureEndpoint]
    lifecycle: Mapping[Lifecycle, Endpoint]
    messages: MessageTypes
    encoders: Mapping[str, Callable[[object], bytes]]

    @classmethod
    async def compile(cls, module: Module, store: Store) -> Catalogue:
        """Compile a module and number its tables in the store.

        Raises:
            SchemaMismatchError: stored rows have another layout than the module declares.
        """
        table_ids = await _number_tables(module, store)
        reducers = {name: reducer_endpoint(entry) for name, entry in module.reducers.items()}
        homes = [kind for kind in module.kinds.values() if kind.audience is Audience.CALLER]
        return cls(
            kinds={
                name: KindRuntime.compile(module, kind, table_ids)
                for name, kind in module.kinds.items()
            },
            home=homes[0] if homes else None,
            reducers=reducers,
            procedures=procedure_endpoints(module, reducers),
            lifecycle={
                moment: reducer_endpoint(entry) for moment, entry in module.lifecycle.items()
            },
            messages=_message_types(module),
            encoders={
                name: compile_codec(entry.parameters).encode
                for name, entry in module.reducers.items()
            },
        )

    def encode_arguments(self, reducer: str, arguments: tuple[object, ...]) -> bytes:
        """BSATN of a reducer's arguments; raises EncodeError when they do not fit."""
        return self.encoders[reducer](arguments)

    def initial_call(self, reply: Reply) -> ReducerCall:
        """The module's ``init``, called by the database itself."""
        return ReducerCall(
            self.lifecycle[Lifecycle.INIT], (), b"", service_caller("database"), reply
        )

    def leftovers(
        self, core: ActorCore, connections: Container[ConnectionId]
    ) -> Iterator[Disconnect]:
        """Goodbyes for connections that a crash cut off, before the actor does anything else."""
        for client in core.database.rows(ConnectedClient):
            if client.connection_id not in connections:
                yield Disconnect(
                    self.lifecycle.get(Lifecycle.ON_DISCONNECT),
                    client.identity,
                    client.connection_id,
                    lambda: None,
                )


async def _number_tables(module: Module, store: Store) -> dict[str, int]:
    """Give every table a number that it keeps, and check that its stored rows still fit it."""
    data = await store.read_meta(_TABLES)
    known: dict[str, list[int | str]] = {} if data is None else orjson.loads(data)
    tables = [*module.tables.values(), *map(declaration_of, SYSTEM_TABLES)]
    numbers = [int(entry[0]) for entry in known.values()]
    grown = dict(known)
    for table in tables:
        fingerprint = layout_fingerprint(table)
        entry = grown.setdefault(table.name, [max(numbers, default=0) + 1, fingerprint])
        numbers.append(int(entry[0]))
        if entry[1] != fingerprint:
            raise SchemaMismatchError(
                f"the store holds rows of table {table.name} with another layout"
            )
    if grown != known:
        await store.write_meta(_TABLES, orjson.dumps(grown))
    return {name: int(entry[0]) for name, entry in grown.items()}


def _message_types(module: Module) -> MessageTypes:
    by_name: dict[str, MessageType] = {}
    by_payload: dict[tuple[str, type], MessageType] = {}
    for name, declaration in module.messages.items():
        codec = compile_codec(product_type(declaration.payload))
        message = MessageType(name, declaration.function, codec.encode, codec.decode)
        by_name[name] = message
        by_payload[declaration.kind.name, declaration.payload] = message
    return MessageTypes(by_name, by_payload)
