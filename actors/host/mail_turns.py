"""Mail turns: what an actor does with messages of other actors, its timers and its own mail.

As every turn they answer for themselves: what breaks is asked for again, or kept aside.
"""

from __future__ import annotations

import logging

from actors.errors import ReducerError
from actors.host.core import ActorCore
from actors.host.letters import Broken, park
from actors.host.mail import MessageTypes
from actors.host.schedules import fire_due_rows
from actors.host.turns import CallFailedError, Reply, Turn, TurnNote
from actors.keys import ActorKey
from actors.limits import OUTBOX_ATTEMPTS_MAX
from actors.module.system import ActorTimer, DeadLetter, InboxCursor, OutboxMessage
from protocol.values import Timestamp

__all__ = ["Acknowledgement", "Delivery", "Due", "Refusal", "Replay"]

log = logging.getLogger("actors.turn")


class Delivery(Turn):
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


class Replay(Turn):
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


class Acknowledgement(Turn):
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


class Refusal(Turn):
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


class Due(Turn):
    """Time has come: due timers fire, unacknowledged messages are sent again."""

    __slots__ = ("_everything", "_types")

    def __init__(self, types: MessageTypes, *, everything: bool = False) -> None:
        self._types = types
        self._everything = everything

    def turn(self, core: ActorCore, now: int) -> None:
        """Fire timers and rows, each in a transaction of its own, then post what waits."""
        if self._everything:
            core.keep_strays(now)
        for timer in core.mail.due_timers(now):
            self._fire(core, timer, now)
        fire_due_rows(core, now)
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
