"""Who calls by HTTP counts as connected for a while (domain 1.11)."""

from __future__ import annotations

import asyncio

from shelf import Shelf
from shelf_module import READER, Account

from actors import user_id_of
from actors.host import Caller
from actors.host.turns import Read
from persistence.errors import StoreError
from server.http import visits


async def account_of(shelf: Shelf, name: str = "reader") -> Account:
    claims = shelf.gateway.authenticator.mint(name).claims
    reply = shelf.host.future_reply()
    caller = Caller(claims, 0)
    shelf.host.tell(
        READER.key(user_id_of(claims.identity)),
        Read(lambda view: view.db[Account].find(view.key), caller, reply),
    )
    return await reply


async def visit(shelf: Shelf, name: str = "reader") -> dict[str, object]:
    answer = await shelf.ask("GET", "/api/account", token=shelf.token(name))
    assert answer.status == 200
    return answer.json


async def until_over(shelf: Shelf) -> None:
    while shelf.gateway.tasks:
        await asyncio.wait(shelf.gateway.tasks)


async def test_the_first_call_creates_the_account_and_later_ones_cost_nothing(shelf: Shelf):
    turns = []
    for _ in range(3):
        assert (await visit(shelf))["arrivals"] == 1
        turns.append(shelf.host.turn_count)
    assert turns[2] - turns[1] == 1, "one turn that reads"
    assert len(shelf.facade.visits) == 1
    assert shelf.host.session_count == 1


async def test_calls_at_the_same_time_come_over_one_connection(shelf: Shelf):
    answers = await asyncio.gather(*(visit(shelf) for _ in range(5)))
    assert [answer["arrivals"] for answer in answers] == [1] * 5


async def test_some_time_after_the_last_call_the_caller_has_left(shelf: Shelf, monkeypatch):
    monkeypatch.setattr(visits, "VISIT_SECONDS", 0)
    actor = READER.key((await visit(shelf))["userId"])
    commit = await shelf.host.next_commit(actor)
    while (await account_of(shelf)).departures == 0:
        await commit
        commit = await shelf.host.next_commit(actor)
    await until_over(shelf)
    assert len(shelf.facade.visits) == 0
    assert shelf.host.session_count == 0
    assert (await visit(shelf))["arrivals"] == 2


async def test_there_is_an_end_to_how_many_visit(shelf: Shelf, monkeypatch):
    monkeypatch.setattr(visits, "VISITS_MAX", 2)
    for name in ("one", "two", "one", "three"):
        await visit(shelf, name)
    await until_over(shelf)
    assert len(shelf.facade.visits) == 2
    gone = [(await account_of(shelf, name)).departures for name in ("one", "two", "three")]
    assert gone == [0, 1, 0], "the one that called least recently left"


async def test_a_refused_caller_is_told_why(shelf: Shelf):
    token = shelf.token("x", extra={"display_name": "Intruder"})
    for _ in range(2):
        answer = await shelf.ask("GET", "/api/account", token=token)
        assert (answer.status, answer.code) == (403, "reader.entry_forbidden")
    await until_over(shelf)
    assert len(shelf.facade.visits) == 0


async def test_a_defect_at_the_door_is_ours(shelf: Shelf):
    token = shelf.token("x", extra={"display_name": "Breaker"})
    answer = await shelf.ask("GET", "/api/account", token=token)
    assert (answer.status, answer.code) == (500, "internal.error")


async def test_after_the_store_failed_callers_connect_again(shelf: Shelf):
    await visit(shelf)
    shelf.store.fail_next(StoreError("the disk is full"))
    value = {"title": "Emma", "mood": "quiet", "details": {}}
    answer = await shelf.ask("POST", "/api/books", token=shelf.token(), value=value)
    assert answer.status == 503
    await until_over(shelf)
    assert len(shelf.facade.visits) == 0
    assert (await visit(shelf))["arrivals"] == 2


async def test_ending_all_visits_ends_their_connections(shelf: Shelf):
    await visit(shelf, "one")
    await visit(shelf, "two")
    shelf.facade.visits.end_all()
    await until_over(shelf)
    assert shelf.host.session_count == 0
    assert (await account_of(shelf, "one")).departures == 1
