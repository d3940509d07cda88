"""Contexts: everything a module's function may know and do besides its arguments.

A context lives as long as one turn. Time, chance, ids and the caller come from it and from nowhere
else, so that a turn can be repeated exactly (domain 1.3).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from actors.claims import Claims
from actors.datastore import Database, TableReader
from actors.keys import ActorKey, user_id_of
from actors.rng import IDENTIFIER_LABEL, SplitMix64, ctx_seed, new_id
from protocol.values import ConnectionId, Identity, Timestamp

if TYPE_CHECKING:
    from actors.module.outgoing import Outgoing

__all__ = ["DatabaseReader", "ProcedureContext", "ReducerContext", "ViewContext"]

Row = TypeVar("Row")
Answer = TypeVar("Answer")
Port = TypeVar("Port")

NO_CONNECTION = ConnectionId(0)


class DatabaseReader(Protocol):
    """The reading half of a database."""

    def __getitem__(self, row: type[Row]) -> TableReader[Row]:
        """The table of a row class."""


class ReducerContext:
    """What a reducer, a message handler or a lifecycle hook gets as its first argument.

    Attributes:
        db: the actor's tables: ``ctx.db[Player].find(key)``. Reads see this turn's writes.
        sender: who calls. In a message handler, on whose behalf the message was sent.
        connection_id: the caller's connection; zero when no socket called.
        protocol: in ``client_connected``, the subprotocol of the new connection.
        claims: the caller's verified claims; None when an actor or the host calls.
        timestamp: when the message was taken from the mailbox; grows strictly within an actor.
        seq: the journal sequence number that this turn's record gets.
        actor: the key of the actor that the turn runs in.
        source: in a message handler, the actor that sent the message.
    """

    __slots__ = (
        "_due",
        "_ids",
        "_outgoing",
        "_rng",
        "_secret",
        "actor",
        "claims",
        "connection_id",
        "db",
        "protocol",
        "sender",
        "seq",
        "source",
        "timestamp",
    )

    def __init__(
        self,
        db: Database,
        sender: Identity,
        connection_id: ConnectionId,
        claims: Claims | None,
        timestamp: Timestamp,
        seq: int,
        actor: ActorKey,
        secret: bytes,
        outgoing: Outgoing,
        source: ActorKey | None = None,
    ) -> None:
        self.db = db
        self.sender = sender
        self.connection_id = connection_id
        self.claims = claims
        self.timestamp = timestamp
        self.seq = seq
        self.actor = actor
        self.source = source
        self.protocol = ""
        self._secret = secret
        self._outgoing = outgoing
        self._rng: SplitMix64 | None = None
        self._ids: SplitMix64 | None = None

    @property
    def due(self) -> Timestamp | None:
        """When the row of a scheduled table was due that calls; None in all other turns.

        It is a slot of the row's schedule, to the microsecond; ``timestamp`` is never before it.
        """
        return getattr(self, "_due", None)

    def called_by_schedule(self, due: Timestamp) -> ReducerContext:
        """This context, of a turn that a row of a scheduled table calls."""
        self._due = due
        return self

    @property
    def key(self) -> str:
        """The actor's name within its kind: the user id in a user's actor."""
        return self.actor[self.actor.find("/") + 1 :]

    @property
    def user_id(self) -> str:
        """The caller's user id."""
        return user_id_of(self.sender)

    @property
    def rng(self) -> SplitMix64:
        """This turn's chance; the same draws whenever the turn is repeated."""
        if self._rng is None:
            self._rng = SplitMix64(ctx_seed(self._secret, self.actor, self.seq))
        return self._rng

    def new_id(self, prefix: str) -> str:
        """A new id; from a stream of its own, so that it never shifts a roll."""
        if self._ids is None:
            self._ids = SplitMix64(ctx_seed(self._secret, self.actor, self.seq, IDENTIFIER_LABEL))
        return new_id(prefix, self.timestamp, self._ids)

    def has_role(self, role: str) -> bool:
        """Whether the caller's verified claims hold this role."""
        return self.claims is not None and role in self.claims.roles

    def send(self, to: ActorKey, payload: object, *, idempotency_key: str = "") -> None:
        """Send a message to another actor; it leaves when this transaction commits.

        Messages of one actor to another arrive in order and take effect exactly once. The payload
        is a struct that the destination's kind declares a ``@message`` for.
        """
        self._outgoing.send(self, to, payload, idempotency_key)

    def send_at(
        self, at: int, payload: object, *, timer_id: str | None = None, guard: int = 0
    ) -> None:
        """Send a message to this actor itself at a time; it survives restarts.

        Args:
            at: microseconds since the Unix epoch; a past time fires at once.
            payload: a struct that this kind declares a ``@message`` for.
            timer_id: name of the timer; setting one with the same name replaces it.
            guard: kept with the timer, for handlers that compare it with a version.
        """
        self._outgoing.send_at(self, at, payload, timer_id, guard)

    def cancel(self, timer_id: str) -> bool:
        """Take back a timer; False when there is none of that name."""
        return self._outgoing.cancel(self, timer_id)

    def serves(self, effect: str) -> bool:
        """Whether somebody serves the requests of an effect.

        It is a fact of the surroundings, as the caller is: another start of the server may differ.
        """
        return self._outgoing.serves(effect)

    def provides(self, port: type) -> bool:
        """Whether the server provides a port, for example a ``TextModel``; like ``serves``."""
        return self._outgoing.provides(port)

    def request_effect(self, kind: str, payload: object) -> None:
        """Ask an effect worker to act outside; it gets the request after this commit is durable.

        The request waits in the outbox until a worker of that kind acknowledges it.
        """
        self._outgoing.send(self, ActorKey(f"effect/{kind}"), payload, "")


class ViewContext:
    """What a view or a reading procedure gets: one actor's rows, and who asks.

    Attributes:
        db: the actor's tables, for reading.
        sender: who asks; the zero identity in an anonymous view.
        claims: the caller's claims in a procedure; None in a view.
        timestamp: the time of the actor's last turn in a view, of the call in a procedure.
        actor: the key of the actor that is read.
    """

    __slots__ = ("actor", "claims", "db", "sender", "timestamp")

    def __init__(
        self,
        db: DatabaseReader,
        sender: Identity,
        timestamp: Timestamp,
        actor: ActorKey,
        claims: Claims | None = None,
    ) -> None:
        self.db = db
        self.sender = sender
        self.timestamp = timestamp
        self.actor = actor
        self.claims = claims

    @property
    def key(self) -> str:
        """The actor's name within its kind."""
        return self.actor.partition("/")[2]

    @property
    def user_id(self) -> str:
        """The caller's user id."""
        return user_id_of(self.sender)


class ProcedureContext(Protocol):
    """What an asynchronous procedure gets; it runs outside actors and owns no rows."""

    @property
    def sender(self) -> Identity:
        """Who calls."""

    @property
    def user_id(self) -> str:
        """The caller's user id."""

    @property
    def claims(self) -> Claims:
        """The caller's verified claims."""

    @property
    def timestamp(self) -> Timestamp:
        """When the procedure was called; no two runs of a host have the same."""

    def call(self, reducer: Callable[..., Answer], *args: object) -> Awaitable[Answer]:
        """Call a reducer of the module as this caller; the answer is durable when it comes.

        Raises ReducerError when the reducer refuses.
        """

    def transact(
        self, actor: ActorKey, body: Callable[[ReducerContext], Answer]
    ) -> Awaitable[Answer]:
        """Run a function of the procedure's own as one transaction of an actor, as this caller.

        It keeps to the rules of reducers: it does not wait, and what it raises rolls it back. The
        answer is durable when it comes. Which actors it names is the procedure's own to check.
        Raises ReducerError when the function refuses.
        """

    def read(self, actor: ActorKey, query: Callable[[ViewContext], Answer]) -> Awaitable[Answer]:
        """Run a reading function inside one actor, between its turns."""

    def until(
        self,
        actor: ActorKey,
        query: Callable[[ViewContext], Answer | None],
        seconds: float | None = None,
    ) -> Awaitable[Answer | None]:
        """Wait until a reading function answers something; None after the deadline.

        It is asked now and again after each of the actor's commits.
        """

    def port(self, kind: type[Port]) -> Port | None:
        """What the server provides for a port, for example a ``TextModel``; None without it."""

    def as_service(self) -> ProcedureContext:
        """This procedure acting as the server itself: its calls have the role ``service``.

        Whoever uses it answers for what it does in the caller's name.
        """
