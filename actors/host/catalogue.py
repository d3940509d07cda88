"""Catalogue: a module compiled for a host: kinds, endpoints and messages, bound to a store."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass

from actors.host.caller import service_caller
from actors.host.core import ActorCore
from actors.host.endpoints import (
    Endpoint,
    ProcedureEndpoint,
    procedure_endpoints,
    reducer_endpoint,
)
from actors.host.evolution import Evolution
from actors.host.kind import KindRuntime
from actors.host.mail import MessageType, MessageTypes
from actors.host.mail_turns import Due
from actors.host.numbering import number_tables
from actors.host.schedules import Schedule
from actors.host.turns import Disconnect, ReducerCall, Reply, Turn
from actors.keys import ActorKind, Audience
from actors.module.module import Module
from actors.module.system import ConnectedClient
from actors.module.types import product_type
from persistence.store import Store
from protocol.bsatn import compile_codec
from protocol.schema import Lifecycle
from protocol.values import ConnectionId

__all__ = ["Catalogue"]


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Everything that a host looks up by name.

    Attributes:
        kinds: kinds of actors, by name.
        home: the kind whose actors belong to one caller each; None when there is none.
        encoders: arguments to BSATN, by reducer.
        schedules: scheduled tables, by name.
    """

    kinds: Mapping[str, KindRuntime]
    home: ActorKind | None
    reducers: dict[str, Endpoint]
    procedures: dict[str, ProcedureEndpoint]
    lifecycle: Mapping[Lifecycle, Endpoint]
    messages: MessageTypes
    encoders: Mapping[str, Callable[[object], bytes]]
    schedules: Mapping[str, Schedule]

    @classmethod
    async def compile(cls, module: Module, store: Store) -> Catalogue:
        """Compile a module and number its tables in the store.

        Raises:
            SchemaMismatchError: what is stored does not fit what the module declares.
        """
        numbering = await number_tables(module, store)
        schedules = {name: Schedule.compile(entry) for name, entry in module.schedules.items()}
        reducers = {name: reducer_endpoint(entry) for name, entry in module.reducers.items()}
        homes = [kind for kind in module.kinds.values() if kind.audience is Audience.CALLER]
        return cls(
            kinds={
                name: KindRuntime.compile(
                    module, kind, numbering.numbers, numbering.older, schedules
                )
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
            schedules=schedules,
        )

    def encode_arguments(self, reducer: str, arguments: tuple[object, ...]) -> bytes:
        """BSATN of a reducer's arguments; raises EncodeError when they do not fit."""
        return self.encoders[reducer](arguments)

    def initial_call(self, reply: Reply) -> ReducerCall:
        """The module's ``init``, called by the database itself."""
        return ReducerCall(
            self.lifecycle[Lifecycle.INIT], (), b"", service_caller("database"), reply
        )

    def first_turns(self, core: ActorCore, connections: Container[ConnectionId]) -> list[Turn]:
        """What an actor does before anything else when it has come into memory.

        It stores rows of earlier layouts anew, says goodbye for connections that a crash cut off,
        and does what has become due.
        """
        turns: list[Turn] = [Evolution()] if len(core.old_rows) else []
        turns += self._leftovers(core, connections)
        if core.mail.wake_at() or core.has_strays:
            turns.append(Due(self.messages, everything=True))
        return turns

    def _leftovers(
        self, core: ActorCore, connections: Container[ConnectionId]
    ) -> Iterator[Disconnect]:
        for client in core.database.rows(ConnectedClient):
            if client.connection_id not in connections:
                yield Disconnect(
                    self.lifecycle.get(Lifecycle.ON_DISCONNECT),
                    client.identity,
                    client.connection_id,
                    lambda: None,
                )


def _message_types(module: Module) -> MessageTypes:
    by_name: dict[str, MessageType] = {}
    by_payload: dict[tuple[str, type], MessageType] = {}
    for name, declaration in module.messages.items():
        codec = compile_codec(product_type(declaration.payload))
        message = MessageType(name, declaration.function, codec.encode, codec.decode)
        by_name[name] = message
        by_payload[declaration.kind.name, declaration.payload] = message
    return MessageTypes(by_name, by_payload)
