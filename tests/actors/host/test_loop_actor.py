"""Loop actors: pykka's references over the event loop, in order, bounded, without a thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pykka
import pytest

from actors.host.loop_actor import LoopActor, MailboxFullError, ReadyActors
from actors.limits import TURNS_PER_DRAIN


class Echo(LoopActor):
    """Answers what it is told; keeps everything in order."""

    def __init__(self) -> None:
        super().__init__("echo", ReadyActors(asyncio.get_running_loop()))
        self.heard: list[Any] = []

    def on_receive(self, message: Any) -> Any:
        self.heard.append(message)
        if isinstance(message, Exception):
            raise message
        return ("echo", message)


async def test_tell_is_handled_in_order_and_later():
    actor = Echo()
    for number in range(2 * TURNS_PER_DRAIN + 5):
        actor.tell(number)
    assert actor.heard == []
    assert actor.waiting == 2 * TURNS_PER_DRAIN + 5
    await asyncio.sleep(0)
    assert len(actor.heard) == TURNS_PER_DRAIN
    actor.tell("last")
    for _ in range(3):
        await asyncio.sleep(0)
    assert actor.heard == [*range(2 * TURNS_PER_DRAIN + 5), "last"]
    assert actor.waiting == 0


async def test_a_pykka_reference_tells_and_asks():
    actor = Echo()
    reference = actor.actor_ref
    assert isinstance(reference, pykka.ActorRef)
    assert reference.is_alive()
    reference.tell("a")
    future = reference.ask("b", block=False)
    with pytest.raises(asyncio.InvalidStateError):
        future.get()
    assert await future == ("echo", "b")
    assert future.get() == ("echo", "b")
    assert actor.heard == ["a", "b"]
    assert threading.active_count() == 1


async def test_an_exception_goes_to_who_asked_and_stops_nobody(caplog):
    caplog.set_level(logging.CRITICAL, "actors.loop")
    actor = Echo()
    reference = actor.actor_ref
    asked = reference.ask(ValueError("bad"), block=False)
    reference.tell(KeyError("lost"))
    reference.tell("after")
    with pytest.raises(ValueError, match="bad"):
        await asked
    assert actor.heard[-1] == "after"
    assert await reference.ask("again", block=False) == ("echo", "again")


async def test_an_actor_that_is_held_keeps_what_comes():
    actor = Echo()
    actor.hold()
    actor.tell("b")
    actor.put_first(["a"])
    await asyncio.sleep(0)
    assert actor.heard == []
    actor.release()
    await asyncio.sleep(0)
    assert actor.heard == ["a", "b"]
    actor.hold()
    actor.tell("c")
    assert actor.take_waiting() == ["c"]
    actor.release()
    await asyncio.sleep(0)
    assert actor.heard == ["a", "b"]


async def test_a_mailbox_is_bounded(monkeypatch):
    monkeypatch.setattr("actors.host.loop_actor.MAILBOX_MESSAGES_MAX", 3)
    actor = Echo()
    for number in range(3):
        actor.tell(number)
    with pytest.raises(MailboxFullError):
        actor.tell(3)
    await asyncio.sleep(0)
    actor.tell(4)
    await asyncio.sleep(0)
    assert actor.heard == [0, 1, 2, 4]


async def test_actors_are_not_in_the_registry():
    actor = Echo()
    assert actor.actor_ref not in pykka.ActorRegistry.get_all()
