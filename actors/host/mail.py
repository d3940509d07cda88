"""Mail: an actor's unsent messages and timers, kept as rows of its own.

Posting writes rows into the running transaction; what was posted is handed on only after the
commit. Numbers are contiguous for each pair of actors, so the receiver can tell what it has seen
(domain 12.1).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from typing import NamedTuple

from actors.datastore import Database
from actors.errors import DeclarationError, ReducerError
from actors.keys import ActorKey
from actors.limits import OUTBOX_RETRY_SECONDS_MAX
from actors.module.context import ReducerContext
from actors.module.system import ActorTimer, OutboxCursor, OutboxMessage, ScheduledRow
from actors.module.types import product_type, replace
from protocol.bsatn import compile_codec
from protocol.values import Timestamp

__all__ = ["EFFECT", "Mail", "MessageType", "MessageTypes", "retry_micros"]

EFFECT = "effect/"
"""Keys that start so name no actor but a kind of effect worker."""

_SECOND = 1_000_000

_PAUSE_MAX = OUTBOX_RETRY_SECONDS_MAX * _SECOND

_KEY = re.compile(r"[a-z][a-z0-9_]*/[A-Za-z0-9_:.\-]{1,160}\Z")
"""A kind and an id (domain 1.1); a key that no store could keep must not get into an outbox."""


class MessageType(NamedTuple):
    """A declared message: its handler and its codec."""

    name: str
    handle: Callable[[ReducerContext, object], None]
    encode: Callable[[object], bytes]
    decode: Callable[[bytes, int], tuple[object, int]]


class MessageTypes(NamedTuple):
    """All declared messages, by name and by (kind, payload class); what is served."""

    by_name: dict[str, MessageType]
    by_payload: dict[tuple[str, type], MessageType]
    effects: Container[str] = ()
    ports: Container[type] = ()

    def of(self, to: ActorKey, payload: object) -> MessageType:
        """The message that a payload is to an actor; raises DeclarationError when it is none."""
        kind = to.partition("/")[0]
        found = self.by_payload.get((kind, type(payload)))
        if found is None:
            raise DeclarationError(f"{kind} actors handle no {type(payload).__name__}")
        return found


def retry_micros(attempts: int) -> int:
    """Pause before a message is sent again: 1, 2, 4 ... 60 seconds (domain 12.1)."""
    return min(OUTBOX_RETRY_SECONDS_MAX, 1 << min(attempts, 6)) * _SECOND


class Mail:
    """One actor's outbox and timers; implements ``module.outgoing.Outgoing``."""

    __slots__ = ("_database", "_types", "is_changed", "posted")

    def __init__(self, database: Database, types: MessageTypes) -> None:
        self._database = database
        self._types = types
        self.posted: list[OutboxMessage] = []
        self.is_changed = False

    def send(
        self, ctx: ReducerContext, to: ActorKey, payload: object, idempotency_key: str
    ) -> None:
        """Post a message to another actor, or a request to an effect worker."""
        if not _KEY.match(to):
            raise ReducerError("input.invalid_id", "no actor can have this key")
        if to.startswith(EFFECT):
            shape: type = type(payload)
            kind, data = to, compile_codec(product_type(shape)).encode(payload)
        else:
            message = self._types.of(to, payload)
            kind, data = ActorKey(message.name), message.encode(payload)
        cursors = self._database[OutboxCursor]
        cursor = cursors.find(to)
        number = 1 if cursor is None else cursor.last_seq + 1
        cursors.upsert(OutboxCursor(to, number))
        row = OutboxMessage(
            message_key=f"{ctx.actor}:{to}:{number}",
            dst_actor=to,
            dst_seq=number,
            kind=kind,
            idempotency_key=idempotency_key,
            payload=data,
            on_behalf_of=ctx.sender,
            attempts=0,
            next_attempt_at=Timestamp(ctx.timestamp + retry_micros(0)),
            created_at=ctx.timestamp,
        )
        self._database[OutboxMessage].insert(row)
        self.posted.append(row)
        self.is_changed = True

    def send_at(
        self, ctx: ReducerContext, at: int, payload: object, timer_id: str | None, guard: int
    ) -> None:
        """Set a timer, or set it anew."""
        message = self._types.of(ctx.actor, payload)
        timer = ActorTimer(
            timer_id=timer_id if timer_id is not None else ctx.new_id("tm_"),
            kind=message.name,
            guard=guard,
            fire_at=Timestamp(at),
            payload=message.encode(payload),
        )
        self._database[ActorTimer].upsert(timer)
        self.is_changed = True

    def serves(self, effect: str) -> bool:
        """Whether somebody serves the requests of an effect."""
        return effect in self._types.effects

    def provides(self, port: type) -> bool:
        """Whether the server provides a port."""
        return port in self._types.ports

    def cancel(self, ctx: ReducerContext, timer_id: str) -> bool:
        """Take back a timer; False when there is none of that name."""
        del ctx
        self.is_changed = True
        return self._database[ActorTimer].delete(timer_id)

    def discard(self) -> None:
        """Forget what a rolled back transaction posted."""
        self.posted.clear()
        self.is_changed = False

    def acknowledge(self, to: ActorKey, through: int) -> None:
        """Delete what the destination has taken: an actor in order, effects one by one."""
        outbox = self._database[OutboxMessage]
        is_effect = to.startswith(EFFECT)
        for row in outbox.filter(dst_actor=to):
            if row.dst_seq == through or (row.dst_seq < through and not is_effect):
                outbox.delete(row.message_key)
        self.is_changed = True

    def postpone(self, to: ActorKey, number: int, now: int) -> None:
        """Note that a message's handler failed; it is sent again after a longer pause."""
        outbox = self._database[OutboxMessage]
        row = outbox.first(dst_actor=to, dst_seq=number)
        if row is not None:
            later = Timestamp(now + retry_micros(row.attempts + 1))
            outbox.update(replace(row, attempts=row.attempts + 1, next_attempt_at=later))
            self.is_changed = True

    def resend(self, now: int, *, everything: bool) -> None:
        """Post what is due again, or everything unacknowledged, in order."""
        for queue in self._queues():
            head = queue[0]
            if not everything and head.next_attempt_at > now:
                continue
            # The pause doubles from 1 second, as the message's age does between two attempts.
            age = now - head.created_at
            pause = max(retry_micros(head.attempts), min(age + _SECOND, _PAUSE_MAX))
            queue[0] = replace(head, next_attempt_at=Timestamp(now + pause))
            self._database[OutboxMessage].update(queue[0])
            self.posted.extend(queue)
            self.is_changed = True

    def due_timers(self, now: int) -> list[ActorTimer]:
        """Timers whose time has come, earliest first."""
        due = [timer for timer in self._database.rows(ActorTimer) if timer.fire_at <= now]
        return sorted(due, key=lambda timer: (timer.fire_at, timer.timer_id))

    def wake_at(self) -> int:
        """When the actor must be woken although nobody calls; 0 for never."""
        times = [queue[0].next_attempt_at for queue in self._queues()]
        times += [row.fire_at for row in self._database.rows(ActorTimer)]
        scheduled = self._database.lowest(ScheduledRow, "due_at")
        if scheduled is not None:
            times.append(scheduled.due_at)
        return max(1, min(times)) if times else 0

    def _queues(self) -> list[list[OutboxMessage]]:
        """What is unacknowledged, in order; an actor takes nothing before the first of its queue.

        Effects do not wait for one another: each is a queue of its own.
        """
        queues: dict[str, list[OutboxMessage]] = {}
        rows = self._database.rows(OutboxMessage)
        for row in sorted(rows, key=lambda row: (row.dst_actor, row.dst_seq)):
            is_effect = row.dst_actor.startswith(EFFECT)
            queues.setdefault(row.message_key if is_effect else row.dst_actor, []).append(row)
        return list(queues.values())
