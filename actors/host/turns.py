"""Turns: the messages that an actor takes from its mailbox, each with what it does.

Every message answers for itself: whatever happens inside ``turn`` is rolled back or committed
there, and nothing escapes to the loop that drives the actor.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeAlias

from actors.errors import ReducerError, SessionRefusedError
from actors.host.caller import Caller
from actors.host.core import ActorCore
from actors.host.endpoints import Endpoint
from actors.module.context import ReducerContext
from actors.module.system import ConnectedClient
from actors.subscriptions import Subscriber
from protocol.values import ConnectionId, Identity, Timestamp

__all__ = [
    "CallFailedError",
    "Connect",
    "Disconnect",
    "Read",
    "ReducerCall",
    "Reply",
    "Turn",
    "TurnNote",
    "unavailable",
]

log = logging.getLogger("actors.turn")


_REQUEST_ID = re.compile(r"[A-Za-z0-9_:.\-]{1,64}\Z")
"""Domain 1.5: an id of at most 64 characters."""


class CallFailedError(Exception):
    """A call broke for a reason that is not the caller's; it saw nothing of the details."""


def unavailable() -> ReducerError:
    """What a caller is told when an actor cannot take its message."""
    return ReducerError("state.actor_unavailable", "try again later")


TurnNote: TypeAlias = tuple[str, str, Caller | None, Exception | None]
"""What a turn is, for people: its sort, the name of what it runs, who called if somebody did, and
why it failed if it has."""


class Turn(ABC):
    """A message in a mailbox."""

    __slots__ = ()

    @abstractmethod
    def turn(self, core: ActorCore, now: int) -> None:
        """Be handled; raises nothing."""

    @abstractmethod
    def refuse(self, error: ReducerError) -> None:
        """Be told that the actor cannot take messages; the sender learns it, if it waits."""

    @abstractmethod
    def note(self) -> TurnNote:
        """Say what this is, before, while or after it is handled."""


class Reply(ABC):
    """Whoever waits for a call's outcome; told once, inside the turn."""

    __slots__ = ()

    @property
    @abstractmethod
    def subscriber(self) -> Subscriber | None:
        """The connection that gets the call's deltas with its answer."""

    @abstractmethod
    def succeed(self, timestamp: int, body: bytes | None, answer: object) -> None:
        """The call committed; ``body`` are the caller's deltas."""

    @abstractmethod
    def fail(self, timestamp: int, error: Exception) -> None:
        """The call was refused (ReducerError), or broke (anything else)."""


class ReducerCall(Turn):
    """A reducer called by a client, or for one."""

    __slots__ = ("_args", "_arguments", "_caller", "_endpoint", "_error", "_reply")

    def __init__(
        self,
        endpoint: Endpoint,
        arguments: tuple[Any, ...],
        args: bytes,
        caller: Caller,
        reply: Reply,
    ) -> None:
        self._endpoint = endpoint
        self._arguments = arguments
        self._args = args
        self._caller = caller
        self._reply = reply
        self._error: Exception | None = None

    def turn(self, core: ActorCore, now: int) -> None:
        """Run the reducer in one transaction, or answer from its receipt."""
        endpoint, caller, reply = self._endpoint, self._caller, self._reply
        if core.is_quarantined:
            self._turn_down(now, unavailable())
            return
        context = core.context(now, caller.identity, caller.connection_id, caller.claims)
        try:
            if endpoint.request_id is None:
                answer = self._run(context)
            else:
                found, answer = self._recorded(core)
                if found:
                    endpoint.tally.repeated += 1
                    reply.succeed(context.timestamp, None, answer)
                    return
                answer = self._run(context)
                self._record(core, answer, context.timestamp)
            body = core.commit(endpoint.name, caller.identity_bytes, self._args, reply.subscriber)
        except ReducerError as error:
            core.rollback()
            core.evidence = ()
            self._turn_down(context.timestamp, error)
        except Exception as error:  # noqa: BLE001 - a turn answers for everything inside it
            core.fail(endpoint.name, error)
            endpoint.tally.failed += 1
            self._error = error
            reply.fail(context.timestamp, CallFailedError(endpoint.name))
        else:
            endpoint.tally.committed += 1
            reply.succeed(context.timestamp, body, answer)

    def refuse(self, error: ReducerError) -> None:
        """Tell the caller."""
        self._turn_down(0, error)

    def note(self) -> TurnNote:
        """Name the reducer and its caller."""
        return "call", self._endpoint.name, self._caller, self._error

    def _turn_down(self, timestamp: int, error: ReducerError) -> None:
        self._endpoint.tally.refused += 1
        self._error = error
        self._reply.fail(timestamp, error)

    def _run(self, context: ReducerContext) -> object:
        arguments = self._arguments
        if len(arguments) == 1:  # as most have; cheaper than by unpacking
            return self._endpoint.function(context, arguments[0])
        return self._endpoint.function(context, *arguments)

    def _recorded(self, core: ActorCore) -> tuple[bool, object]:
        endpoint = self._endpoint
        request_id = self._arguments[0][endpoint.request_id]
        if not _REQUEST_ID.match(request_id):
            raise ReducerError("input.invalid_id", "a request id has 1 to 64 id characters")
        outcome = core.receipts.find(
            self._caller.user_id, request_id, endpoint.name, self._args, core.time
        )
        if outcome is None:
            return False, None
        if endpoint.decode_answer is None:
            return True, None
        return True, endpoint.decode_answer(outcome, 0)[0]

    def _record(self, core: ActorCore, answer: object, now: Timestamp) -> None:
        endpoint = self._endpoint
        outcome = b"" if endpoint.encode_answer is None else endpoint.encode_answer(answer)
        request_id = self._arguments[0][endpoint.request_id]
        core.receipts.record(
            self._caller.user_id, request_id, endpoint.name, self._args, outcome, now
        )


class Connect(Turn):
    """The module's ``client_connected``, with the note that it ran (wire spec 11)."""

    __slots__ = ("_caller", "_endpoint", "_error", "_reply")

    def __init__(self, endpoint: Endpoint | None, caller: Caller, reply: Reply) -> None:
        self._endpoint = endpoint
        self._caller = caller
        self._reply = reply
        self._error: Exception | None = None

    def turn(self, core: ActorCore, now: int) -> None:
        """Run the reducer, if the module has one; whatever it raises refuses the connection."""
        caller, endpoint = self._caller, self._endpoint
        name = "client_connected" if endpoint is None else endpoint.name
        context = core.context(now, caller.identity, caller.connection_id, caller.claims)
        context.protocol = caller.protocol
        try:
            client = ConnectedClient(caller.connection_id, caller.identity, context.timestamp)
            core.database[ConnectedClient].insert(client)
            if endpoint is not None:
                endpoint.function(context)
            core.commit(name, caller.identity_bytes, b"")
        except ReducerError as error:
            core.rollback()
            self._error = error
            self._reply.fail(context.timestamp, _refused(str(error), error))
        except Exception as error:  # noqa: BLE001
            core.fail(name, error)
            self._error = error
            self._reply.fail(context.timestamp, _refused("internal error", error))
        else:
            self._reply.succeed(context.timestamp, None, None)

    def refuse(self, error: ReducerError) -> None:
        """Refuse the connection."""
        self._reply.fail(0, _refused(str(error), error))

    def note(self) -> TurnNote:
        """Name the connection's caller."""
        name = "client_connected" if self._endpoint is None else self._endpoint.name
        return "connect", name, self._caller, self._error


class Disconnect(Turn):
    """The module's ``client_disconnected``; the note goes even when it fails."""

    __slots__ = ("_connection_id", "_done", "_endpoint", "_identity")

    def __init__(
        self,
        endpoint: Endpoint | None,
        identity: Identity,
        connection_id: ConnectionId,
        done: Callable[[], None],
    ) -> None:
        self._endpoint = endpoint
        self._identity = identity
        self._connection_id = connection_id
        self._done = done

    def turn(self, core: ActorCore, now: int) -> None:
        """Run the reducer, if the module has one, and take the note away.

        Without a note there is nothing to do: the actor was loaded for this goodbye, and found
        the connection gone.
        """
        name = "client_disconnected"
        caller = self._identity.to_bytes(32, "little")
        if core.database[ConnectedClient].find(self._connection_id) is None:
            self._done()
            return
        if self._endpoint is not None:
            name = self._endpoint.name
            context = core.context(now, self._identity, self._connection_id)
            try:
                core.database[ConnectedClient].delete(self._connection_id)
                self._endpoint.function(context)
                core.commit(name, caller, b"")
            except Exception as error:  # noqa: BLE001
                core.fail(name, error)
        if core.database[ConnectedClient].find(self._connection_id) is not None:
            core.context(now, self._identity, self._connection_id)
            core.database[ConnectedClient].delete(self._connection_id)
            core.commit(name, caller, b"")
        self._done()

    def refuse(self, error: ReducerError) -> None:
        """The note stays, and the actor's next activation comes back to it."""
        log.warning("client_disconnected was not run: %s", error)
        self._done()

    def note(self) -> TurnNote:
        """Name the reducer."""
        name = "client_disconnected" if self._endpoint is None else self._endpoint.name
        return "disconnect", name, None, None


class Read(Turn):
    """A reading function, run between the actor's turns."""

    __slots__ = ("_caller", "_error", "_query", "_reply")

    def __init__(self, query: Callable[..., Any], caller: Caller, reply: Reply) -> None:
        self._query = query
        self._caller = caller
        self._reply = reply
        self._error: Exception | None = None

    def turn(self, core: ActorCore, now: int) -> None:
        """Read and answer."""
        caller = self._caller
        try:
            answer = core.read(now, caller.identity, caller.claims, self._query)
        except ReducerError as error:
            self._error = error
            self._reply.fail(now, error)
        except Exception as error:
            log.exception("a reading function failed in %s", core.key)
            self._error = error
            self._reply.fail(now, CallFailedError(str(error)))
        else:
            self._reply.succeed(now, None, answer)

    def refuse(self, error: ReducerError) -> None:
        """Tell the caller."""
        self._reply.fail(0, error)

    def note(self) -> TurnNote:
        """Name the function."""
        return "read", getattr(self._query, "__name__", "a look"), self._caller, self._error


def _refused(reason: str, cause: Exception) -> SessionRefusedError:
    error = SessionRefusedError(reason)
    error.__cause__ = cause
    return error
