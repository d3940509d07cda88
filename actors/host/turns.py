"""Turns: the messages that an actor takes from its mailbox, each with what it does.

Every message answers for itself: whatever happens inside ``turn`` is rolled back or committed
there, and nothing escapes to the loop that drives the actor.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from actors.errors import ReducerError, SessionRefusedError
from actors.host.caller import Caller
from actors.host.core import ActorCore
from actors.host.endpoints import Endpoint
from actors.host.letters import Broken, park
from actors.host.mail import MessageTypes
from actors.keys import ActorKey
from actors.limits import OUTBOX_ATTEMPTS_MAX
from actors.module.system import (
    ActorTimer,
    ConnectedClient,
    DeadLetter,
    InboxCursor,
    OutboxMessage,
)
from actors.subscriptions import Subscriber
from protocol.values import ConnectionId, Identity, Timestamp

__all__ = [
    "Acknowledgement",
    "CallFailedError",
    "Connect",
    "Delivery",
    "Disconnect",
    "Due",
    "Read",
    "ReducerCall",
    "Refusal",
    "Replay",
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


class Turn(Protocol):
    """A message in a mailbox."""

    def turn(self, core: ActorCore, now: int) -> None:
        """Be handled; raises nothing."""

    def refuse(self, error: ReducerError) -> None:
        """Be told that the actor cannot take messages; the sender learns it, if it waits."""

    def note(self) -> TurnNote:
        """Say what this is, before, while or after it is handled."""


class Reply(Protocol):
    """Whoever waits for a call's outcome; told once, inside the turn."""

    @property
    def subscriber(self) -> Subscriber | None:
        """The connection that gets the call's deltas with its answer."""

    def succeed(self, timestamp: int, body: bytes | None, answer: object) -> None:
        """The call committed; ``body`` are the caller's deltas."""

    def fail(self, timestamp: int, error: Exception) -> None:
        """The call was refused (ReducerError), or broke (anything else)."""


class ReducerCall:
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
                answer = endpoint.function(context, *self._arguments)
            else:
                found, answer = self._recorded(core)
                if found:
                    endpoint.tally.repeated += 1
                    reply.succeed(context.timestamp, None, answer)
                    return
                answer = endpoint.function(context, *self._arguments)
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


class Connect:
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


class Disconnect:
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


class Delivery:
    """A message from another actor (domain 12.1)."""

    __slots__ = ("_error", "_message", "_source", "_types")

    def __init__(self, source: ActorKey, message: OutboxMessage, types: MessageTypes) -> None:
        self._source = source
        self._message = message
        self._types = types
        self._error: Exception | None = None

    def turn(self, core: ActorCore, now: int) -> None:
        """Apply the message once, in order; acknowledge it, or ask for it again."""
        source, message = self._source, self._message
        outlet = core.outlet
        cursor = core.database[InboxCursor].find(source)
        last = 0 if cursor is None else cursor.last_seq
        if message.dst_seq <= last:
            outlet.acknowledge(source, core.key, last)
            return
        if message.dst_seq > last + 1:
            return  # the sender sends from last + 1 again, in order
        context = core.context(now, message.on_behalf_of, source=source)
        try:
            declared = self._types.by_name[message.kind]
            declared.handle(context, declared.decode(message.payload, 0)[0])
            self._move_cursor(core, context.timestamp)
            core.commit(message.kind, b"", message.payload)
        except Exception as error:  # noqa: BLE001
            core.fail(message.kind, error)
            self._error = error
            if message.attempts + 1 < OUTBOX_ATTEMPTS_MAX:
                outlet.refuse(source, core.key, message.dst_seq)
                return
            self._park(core, now, error)
        outlet.acknowledge(source, core.key, message.dst_seq)

    def refuse(self, error: ReducerError) -> None:
        """The message stays in the sender's outbox and comes again."""
        log.warning("message %s waits: %s", self._message.message_key, error)

    def note(self) -> TurnNote:
        """Name the message."""
        return "message", self._message.kind, None, self._error

    def _move_cursor(self, core: ActorCore, now: Timestamp) -> None:
        cursor = InboxCursor(self._source, self._message.dst_seq, now)
        core.database[InboxCursor].upsert(cursor)

    def _park(self, core: ActorCore, now: int, error: Exception) -> None:
        message = self._message
        time = core.context(now).timestamp
        broken = Broken(
            message.message_key, self._source, message.kind, message.payload, message.on_behalf_of
        )
        park(core, time, broken, error)
        self._move_cursor(core, time)
        core.commit("inbox.park", b"", b"")


class Replay:
    """A dead letter that is applied again, because its cause is mended (domain 12.1).

    It goes in the transaction that applies it, so it takes effect once. What came after it was
    applied before: who asks for this knows that order is lost.
    """

    __slots__ = ("_error", "_message_key", "_reply", "_types")

    def __init__(self, message_key: str, types: MessageTypes, reply: Reply) -> None:
        self._message_key = message_key
        self._types = types
        self._reply = reply
        self._error: Exception | None = None

    def turn(self, core: ActorCore, now: int) -> None:
        """Apply it, or leave it as it is and say why."""
        letters = core.database[DeadLetter]
        letter = letters.find(self._message_key)
        if letter is None:
            error = ReducerError("dead_letter.not_found", "there is no such dead letter")
            self._reply.fail(now, error)
            return
        source = None if letter.src_actor == core.key else ActorKey(letter.src_actor)
        context = core.context(now, letter.on_behalf_of, source=source)
        try:
            letters.delete(letter.message_key)
            declared = self._types.by_name[letter.kind]
            declared.handle(context, declared.decode(letter.payload, 0)[0])
            core.commit(letter.kind, b"", letter.payload)
        except Exception as error:  # noqa: BLE001 - it stays a dead letter
            core.fail(letter.kind, error)
            self._error = error
            self._reply.fail(context.timestamp, CallFailedError(letter.kind))
        else:
            self._reply.succeed(context.timestamp, None, None)

    def refuse(self, error: ReducerError) -> None:
        """Tell who asked."""
        self._reply.fail(0, error)

    def note(self) -> TurnNote:
        """Name the dead letter."""
        return "replay", self._message_key, None, self._error


class Acknowledgement:
    """The destination has taken messages; they leave the outbox."""

    __slots__ = ("_by", "_through")

    def __init__(self, by: ActorKey, through: int) -> None:
        self._by = by
        self._through = through

    def turn(self, core: ActorCore, now: int) -> None:
        """Delete the rows."""
        core.context(now)
        core.mail.acknowledge(self._by, self._through)
        core.commit("outbox.acknowledge", b"", b"")

    def refuse(self, error: ReducerError) -> None:
        """The messages are sent again, and acknowledged again."""

    def note(self) -> TurnNote:
        """Name who acknowledges."""
        return "acknowledgement", self._by, None, None


class Refusal:
    """A message's handler failed; it is sent again later."""

    __slots__ = ("_by", "_number")

    def __init__(self, by: ActorKey, number: int) -> None:
        self._by = by
        self._number = number

    def turn(self, core: ActorCore, now: int) -> None:
        """Count the attempt."""
        core.context(now)
        core.mail.postpone(self._by, self._number, now)
        core.commit("outbox.postpone", b"", b"")

    def refuse(self, error: ReducerError) -> None:
        """The message is sent again without the count."""

    def note(self) -> TurnNote:
        """Name who refuses."""
        return "refusal", self._by, None, None


class Due:
    """Time has come: due timers fire, unacknowledged messages are sent again."""

    __slots__ = ("_everything", "_types")

    def __init__(self, types: MessageTypes, *, everything: bool = False) -> None:
        self._types = types
        self._everything = everything

    def turn(self, core: ActorCore, now: int) -> None:
        """Fire each timer in a transaction of its own, then post what waits."""
        for timer in core.mail.due_timers(now):
            self._fire(core, timer, now)
        core.context(now)
        core.mail.resend(now, everything=self._everything)
        core.mail.is_changed = True
        core.commit("outbox.resend", b"", b"")

    def refuse(self, error: ReducerError) -> None:
        """The due index still has the actor."""

    def note(self) -> TurnNote:
        """Name no timer: there may be several."""
        return "due", "timers", None, None

    def _fire(self, core: ActorCore, timer: ActorTimer, now: int) -> None:
        timers = core.database[ActorTimer]
        if timers.find(timer.timer_id) != timer:
            return  # another timer's handler took it back or set it anew
        context = core.context(now)
        try:
            timers.delete(timer.timer_id)
            core.mail.is_changed = True
            declared = self._types.by_name[timer.kind]
            declared.handle(context, declared.decode(timer.payload, 0)[0])
            core.commit(timer.kind, b"", timer.payload)
        except Exception as error:  # noqa: BLE001
            core.fail(timer.kind, error)
            context = core.context(now)
            timers.delete(timer.timer_id)
            core.mail.is_changed = True
            key = f"timer:{timer.timer_id}:{core.seq + 1}"
            broken = Broken(key, core.key, timer.kind, timer.payload, context.sender)
            park(core, context.timestamp, broken, error)
            core.commit("timer.park", b"", b"")


class Read:
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
