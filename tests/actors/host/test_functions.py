"""Hooks and their failures, events and views over them, procedures that write (wire spec 11)."""

from __future__ import annotations

import logging

import fair_module
import pytest
from fair_module import Stall, Ticket
from host_bench import Bench, claims

from actors.errors import ActorUnavailableError, ReducerError
from actors.keys import ActorKey, user_id_of
from actors.module.module import Module
from actors.module.system import ConnectedClient
from protocol.bsatn import compile_codec
from protocol.messages import ProcedureResult, ReducerErr, ReducerInternalError
from protocol.types import STRING, Field, ProductType

MODULE = Module("fair", [fair_module])
ANN, BOB = claims(1), claims(2)
BOOTH = ActorKey("booth/0")
ANNS = ActorKey(f"person/{user_id_of(ANN.identity)}")

ONE_TEXT = compile_codec(ProductType((Field("stall", STRING),))).encode


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    caplog.set_level(logging.CRITICAL, "actors")


async def fair() -> Bench:
    return await Bench(MODULE).start()


def event_names(update) -> list[str]:
    """Names in the events of an update, in their order."""
    return [
        shout_name(data)
        for query_set in update.query_sets
        for table in query_set.tables
        for rows in table.rows
        for data in rows.inserts
    ]


def shout_name(data: bytes) -> str:
    row, _ = compile_codec(MODULE.tables["shout"].row_type).decode(data, 0)
    return row[0]


# Lifecycle


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ReducerError("fair.closed", "not today"), "fair.closed: not today"),
        (ZeroDivisionError("a secret"), "open_fair"),
    ],
)
async def test_an_init_that_fails_begins_nothing_and_is_tried_again(monkeypatch, error, said):
    bench = Bench(MODULE)

    def refuse(ctx) -> None:
        ctx.db[Stall].insert(Stall("half", 1))
        raise error

    declaration = next(hook for hook in MODULE.lifecycle.values() if hook.name == "open_fair")
    with monkeypatch.context() as patch:
        patch.setitem(vars(declaration), "function", refuse)
        with pytest.raises(ActorUnavailableError, match="init failed, nothing begins") as caught:
            await bench.start()
        assert said in str(caught.value)
        assert "secret" not in str(caught.value)
    await bench.start()
    assert bench.rows(BOOTH, Stall) == [Stall("gate", 0)]


async def test_clients_cannot_call_hooks():
    bench = await fair()
    peer = await bench.enter(ANN)
    for hook, moment in (("open_fair", "Init"), ("come", "OnConnect"), ("go", "OnDisconnect")):
        request_id = peer.send_call(hook, b"")
        await bench.settle()
        text = f"can't directly call special {moment} lifecycle reducer"
        assert peer.outcome(request_id) == ReducerInternalError(text)


async def test_others_hear_who_comes_and_a_goodbye_that_fails_is_one():
    bench = await fair()
    first = await bench.enter(ANN)
    first.subscribe(1, "SELECT * FROM shout")
    await bench.settle()
    second = await bench.enter(BOB)
    assert [event_names(update) for update in first.updates()] == [["come"]]
    assert len(bench.rows(BOOTH, ConnectedClient)) == 2
    first.forget()
    await second.session.disconnect()
    await bench.settle()
    assert first.updates() == []
    assert len(bench.rows(BOOTH, ConnectedClient)) == 1


# Events, and views over them


async def test_events_come_once_in_the_order_of_their_inserts():
    bench = await fair()
    peer, caller = await bench.enter(ANN), await bench.enter(BOB)
    peer.subscribe(1, "SELECT * FROM shout")
    await bench.settle()
    peer.forget()
    await caller.result("cry", ["c", "a", "b"], 1)
    (update,) = peer.updates()
    assert event_names(update) == ["c", "a", "b"]
    late = await bench.enter(BOB)
    late.subscribe(1, "SELECT * FROM shout")
    await bench.settle()
    assert late.values("shout") == []


async def test_events_of_a_refused_call_never_were():
    bench = await fair()
    peer, caller = await bench.enter(ANN), await bench.enter(BOB)
    peer.subscribe(1, "SELECT * FROM shout")
    await bench.settle()
    peer.forget()
    assert isinstance(await caller.result("cry", ["a"], 10), ReducerErr)
    assert peer.updates() == []


async def test_views_see_no_events_and_are_not_disturbed_by_them():
    bench = await fair()
    peer, caller = await bench.enter(ANN), await bench.enter(BOB)
    peer.subscribe(1, "SELECT * FROM loud", "SELECT * FROM stall_heard")
    await bench.settle()
    peer.forget()
    await caller.result("cry", ["a"], 3)
    assert peer.values("loud") == []
    assert [tuple(row) for row in peer.values("stall_heard")] == [("a", 0), ("gate", 0)]


async def test_a_view_with_a_caller_has_the_callers_rows():
    bench = await fair()
    ann, bob = await bench.enter(ANN), await bench.enter(BOB)
    for peer in (ann, bob):
        peer.subscribe(1, "SELECT * FROM my_ticket")
    await bench.settle()
    ann.procedure("buy", ONE_TEXT(("gate",)))
    await bench.settle()
    assert [tuple(row) for row in ann.values("my_ticket")] == [(1, "gate")]
    assert bob.values("my_ticket") == []


# Constraints


async def test_a_taken_key_or_unique_value_is_refused_by_name():
    bench = await fair()
    peer = await bench.enter(ANN)
    taken = await peer.result("build", "gate", 1)
    assert taken == ReducerErr("stall.already_exists: key 'gate' is taken")
    place = await peer.result("build", "tent", 0)
    assert place == ReducerErr("stall.already_exists: place 0 is taken")
    assert bench.rows(BOOTH, Stall) == [Stall("gate", 0)]


# Procedures that write


def result(peer) -> ProcedureResult:
    (found,) = (one for one in peer.messages if isinstance(one, ProcedureResult))
    return found


async def test_a_procedure_runs_transactions_of_its_own():
    bench = await fair()
    peer = await bench.enter(ANN)
    peer.subscribe(1, "SELECT * FROM shout", "SELECT * FROM ticket")
    await bench.settle()
    peer.forget()
    peer.procedure("buy", ONE_TEXT(("gate",)))
    await bench.settle()
    assert result(peer).value == (1).to_bytes(4, "little")
    # Each transaction is told by itself, and before the procedure's answer.
    assert [type(one).__name__ for one in peer.messages] == [
        "TransactionUpdate",
        "TransactionUpdate",
        "ProcedureResult",
    ]
    assert bench.rows(ANNS, Ticket) == [Ticket(1, "gate")]
    (entry, *_) = await bench.host.inspection.journal(ANNS, count=1)
    assert (entry.call, entry.caller) == ("take", str(ANN.identity))
    await bench.crash()
    await bench.start()
    assert (await bench.stored_rows(ANNS, Ticket))["Ticket"] == [Ticket(1, "gate")]


async def test_a_transaction_that_refuses_or_breaks_leaves_nothing():
    bench = await fair()
    peer = await bench.enter(ANN)
    peer.procedure("buy", ONE_TEXT(("tent",)))
    await bench.settle()
    assert result(peer).error == "fair.no_stall: there is no such stall"
    peer.forget()
    peer.procedure("stumble")
    await bench.settle()
    assert "secret" not in result(peer).error
    assert result(peer).error
    assert bench.rows(BOOTH, Stall) == [Stall("gate", 0)]
    assert bench.host.core(BOOTH).evidence[-1].call == "fall"


async def test_an_actor_in_quarantine_takes_no_transactions():
    bench = await fair()
    peer = await bench.enter(ANN)
    await bench.host.orders.quarantine(BOOTH, "a test")
    peer.procedure("buy", ONE_TEXT(("gate",)))
    await bench.settle()
    assert result(peer).error.startswith("state.actor_unavailable")
