"""Loop actor: a pykka actor that an event loop runs, instead of a thread of its own.

Actors take their turns in callbacks of one loop: serial per actor, no thread, no lock, and a
waiting actor costs memory only. A thread per actor falls from 313,000 to 2,000 messages a second
between 8 and 10,000 actors; the loop does not (architecture 3).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Iterable
from typing import Any

import pykka
from pykka import ActorRef, Future

from actors.limits import MAILBOX_MESSAGES_MAX, TURNS_PER_DRAIN

__all__ = ["LoopActor", "LoopFuture", "MailboxFullError", "ReadyActors"]

log = logging.getLogger("actors.loop")


class MailboxFullError(Exception):
    """The actor has as many waiting messages as it may have; the newest was not taken."""


class LoopFuture(Future[Any]):
    """What ``ask`` answers: a future for coroutines of the same loop. ``get`` never blocks."""

    def __init__(self) -> None:
        super().__init__()
        self._future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def get(self, *, timeout: float | None = None) -> Any:
        """The result, if it is there; waiting for it here would stop the loop that makes it.

        Raises:
            asyncio.InvalidStateError: there is no result yet; ``await`` the future instead.
        """
        del timeout
        return self._future.result()

    def set(self, value: Any | None = None) -> None:
        """Give the result to whoever awaits it."""
        if not self._future.done():
            self._future.set_result(value)

    def set_exception(self, exc_info: Any = None) -> None:
        """Give an exception to whoever awaits it."""
        error = exc_info[1] if exc_info is not None else RuntimeError("the actor failed")
        if not self._future.done():
            self._future.set_exception(error)

    def __await__(self) -> Generator[Any, None, Any]:
        return self._future.__await__()


class _Inbox:
    """The door for pykka's own references; ``tell`` below is the direct way."""

    __slots__ = ("_actor",)

    def __init__(self, actor: LoopActor) -> None:
        self._actor = actor

    def put(self, envelope: Any) -> None:
        self._actor.tell(envelope)

    def get(self) -> Any:
        raise AssertionError("the loop takes messages; nobody waits for them")

    def empty(self) -> bool:
        return not self._actor.waiting


class ReadyActors:
    """The actors of one loop whose messages are due: one callback handles them for all.

    With one message for each of many actors, a callback for each costs as much as a tenth of the
    turn that it brings.

    Attributes:
        loop: whose callback it is.
    """

    __slots__ = ("_actors", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._actors: list[LoopActor] = []

    def add(self, actor: LoopActor) -> None:
        """Let an actor handle its messages in the next callback; once until then."""
        if not self._actors:
            self.loop.call_soon(self._drain)
        self._actors.append(actor)

    def _drain(self) -> None:
        actors, self._actors = self._actors, []
        for actor in actors:
            try:
                actor.drain()
            except Exception:
                log.exception("a batch escaped from %s", actor.actor_urn)


class _Stopped:
    """As much of ``threading.Event`` as pykka's references ask for, without its lock."""

    __slots__ = ("_is_set",)

    def __init__(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True


class LoopActor(pykka.Actor):
    """An actor whose messages are handled by callbacks of the loop that it was made in.

    It is not entered into pykka's registry, whose removal is linear; whoever makes it keeps it.
    Subclasses implement ``on_receive``, which must let nothing escape.
    """

    def __init__(self, urn: str, ready: ReadyActors) -> None:
        # pykka's constructor makes a UUID and a threading.Event for each actor, and a reference
        # that most actors never need: microseconds and half a kilobyte, so it is not called.
        self.actor_urn = urn
        self.actor_stopped = _Stopped()  # type: ignore[assignment]
        self._ready = ready
        self._waiting: list[Any] = []
        self._is_scheduled = False
        self._is_held = False

    @property
    def actor_ref(self) -> ActorRef[Any]:
        """A pykka reference to this actor: its ``tell`` and ``ask`` work as everywhere."""
        self.actor_inbox = _Inbox(self)
        return ActorRef(self)

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def tell(self, message: Any) -> None:
        """Put a message in the mailbox; it is handled in a later callback of the loop.

        Raises:
            MailboxFullError: too many wait already.
        """
        waiting = self._waiting
        if len(waiting) >= MAILBOX_MESSAGES_MAX:
            raise MailboxFullError(self.actor_urn)
        waiting.append(message)
        if not self._is_scheduled and not self._is_held:
            self._is_scheduled = True
            self._ready.add(self)

    def hold(self) -> None:
        """Let messages wait until ``release``."""
        self._is_held = True

    def release(self) -> None:
        """Handle what waits, and what comes."""
        self._is_held = False
        if self._waiting and not self._is_scheduled:
            self._is_scheduled = True
            self._ready.add(self)

    def put_first(self, messages: Iterable[Any]) -> None:
        """Put messages before those that wait; for an actor that is held."""
        self._waiting[:0] = messages

    def take_waiting(self) -> list[Any]:
        """Empty the mailbox unhandled; for an actor that will not handle messages any more."""
        waiting, self._waiting = self._waiting, []
        return waiting

    @staticmethod
    def _create_actor_inbox() -> Any:
        raise AssertionError("inboxes are made when a reference is asked for")

    @staticmethod
    def _create_future() -> Future[Any]:
        return LoopFuture()

    def _start_actor_loop(self) -> None:
        """The loop runs already."""

    def drain(self) -> None:
        """Handle what waits, but no more than others can wait for; ``ReadyActors`` calls it."""
        waiting = self._waiting
        if len(waiting) > TURNS_PER_DRAIN:
            batch, self._waiting = waiting[:TURNS_PER_DRAIN], waiting[TURNS_PER_DRAIN:]
            self._ready.add(self)
        else:
            batch, self._waiting = waiting, []
            self._is_scheduled = False
        self.on_batch(batch)

    def on_batch(self, batch: list[Any]) -> None:
        """Handle messages in order; those that pykka's references sent come in envelopes."""
        for message in batch:
            reply_to = getattr(message, "reply_to", None)
            try:
                answer = self.on_receive(getattr(message, "message", message))
            except Exception as error:
                if reply_to is None:
                    log.exception("an exception escaped from %s", self.actor_urn)
                else:
                    reply_to.set_exception((type(error), error, error.__traceback__))
            else:
                if reply_to is not None:
                    reply_to.set(answer)
