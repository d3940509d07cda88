"""Readers: rows of one user reach that user and who has the role, and cost nobody else anything."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from arena_module import DropNote, Gift, Hide, Item, Note, Player, Secret, Tag
from arena_queries import CALLERS, MODERATOR, MODULE, QUERIES, Rows
from host_bench import START_MICROS, Bench, Peer, claims

from actors.host.caller import Caller
from actors.keys import user_id_of
from actors.module.types import ConnectionId
from actors.subscriptions import QueryCompiler
from protocol.messages import OneOffQueryResult

TABLES = (Player, Item, Tag, Note, Gift, Secret)
ONE, TWO = (user_id_of(who.identity) for who in CALLERS)


async def entered() -> tuple[Bench, list[Peer]]:
    """Both callers and the moderator, with a note for everybody and one for each caller."""
    bench = await Bench(MODULE).start()
    peers = [await bench.enter(who) for who in (*CALLERS, MODERATOR)]
    notes = [Note(1, 1, "", "a"), Note(2, 1, ONE, "a"), Note(3, 1, TWO, "b")]
    await peers[0].result("play", [Player(1, CALLERS[0].identity, "red", 1, True), *notes])
    return bench, peers


def ids(rows: Iterable[tuple]) -> list[int]:
    return [row[0] for row in rows]


async def test_each_caller_reads_what_is_for_everybody_and_its_own():
    bench, peers = await entered()
    for peer in peers:
        peer.subscribe(1, "SELECT * FROM note")
    await bench.settle()
    assert [ids(peer.values("note")) for peer in peers] == [[1, 2], [1, 3], [1, 2, 3]]


async def test_a_row_that_changes_its_reader_goes_and_comes():
    bench, peers = await entered()
    for peer in peers:
        peer.subscribe(1, "SELECT * FROM note")
    await peers[0].result("play", [Note(2, 1, TWO, "a"), Note(3, 1, "", "b")])
    assert [ids(peer.values("note")) for peer in peers] == [[1, 3], [1, 2, 3], [1, 2, 3]]
    await peers[0].result("play", [Note(1, 1, ONE, "a")])
    assert [ids(peer.values("note")) for peer in peers] == [[1, 3], [2, 3], [1, 2, 3]]
    assert not any(peer.aborted for peer in peers)
    assert [len(peer.updates()) for peer in peers] == [0, 2, 2]
    await bench.stop()


async def test_a_row_of_one_user_is_no_message_to_another():
    bench, peers = await entered()
    for peer in peers:
        peer.subscribe(1, "SELECT * FROM note", "SELECT * FROM gift")
    await bench.settle()
    for peer in peers:
        peer.forget()
    await peers[0].result("play", [Note(4, 1, ONE, "a"), Gift(1, ONE)])
    assert peers[1].messages == []
    (update,) = peers[2].updates()
    (query_set,) = update.query_sets
    assert [table.table for table in query_set.tables] == ["note"]


async def test_what_everybody_sees_is_one_plan_for_all():
    bench = await Bench(MODULE).start()
    peers = [await bench.enter(claims(number)) for number in range(1, 21)]
    for peer in peers:
        peer.subscribe(1, "SELECT * FROM note")
    await bench.settle()
    board = bench.host.board("database/0")
    readers = [plan.reader for plan in board._plans.values()]
    assert sorted(readers, key=str) == sorted(
        [None, *(user_id_of(peer.claims.identity) for peer in peers)], key=str
    )
    (shared,) = (plan for plan in board._plans.values() if plan.reader is None)
    assert sum(map(len, shared.groups.values())) == len(peers)


@pytest.mark.parametrize("query", QUERIES, ids=[query.text for query in QUERIES])
async def test_a_query_that_is_asked_once_is_filtered_too(query):
    bench, peers = await entered()
    await peers[0].result("play", [Gift(1, ""), Gift(1, ONE), Gift(1, TWO)])
    rows = Rows(*(bench.rows("database/0", table) for table in TABLES))
    for peer in peers:
        peer.query(query.text)
        await bench.settle()
        answer = peer.messages[-1]
        assert isinstance(answer, OneOffQueryResult)
        wanted = list(query.means(rows, peer.claims.identity))
        assert len(answer.tables[0].rows) == len(wanted)
    assert not bench.host.board("database/0")


async def test_a_role_counts_as_long_as_its_token():
    bench = await Bench(MODULE).start()
    first = await bench.enter(CALLERS[0])
    await first.result("play", [Note(1, 1, ONE, "a")])
    moderator = await bench.enter(claims(3, "moderator", expires_at=START_MICROS + 2_000_000))
    moderator.subscribe(1, "SELECT * FROM note")
    await bench.let_time_pass(3.0)
    moderator.query("SELECT * FROM note")
    await bench.settle()
    assert ids(moderator.values("note")) == [1]
    assert list(moderator.messages[-1].tables[0].rows) == []


def test_a_role_makes_another_query_only_where_it_counts():
    compiler = QueryCompiler(MODULE)
    moderator = frozenset({"moderator", "player"})
    for text in ("SELECT * FROM player", "SELECT * FROM gift", "SELECT * FROM teams"):
        assert compiler.compile(text) == compiler.compile(text, roles=moderator)
    text = "SELECT gift.* FROM note JOIN gift ON note.player_id = gift.player_id"
    (plain,), (overseen,) = compiler.compile(text), compiler.compile(text, roles=moderator)
    assert plain.join.other_readers is not None
    assert overseen.join.other_readers is None
    assert overseen.readers is plain.readers is not None
    assert compiler.compile("SELECT * FROM note", roles=frozenset({"player", "admin"})) == (
        compiler.compile("SELECT * FROM note")
    )


async def test_a_window_is_over_what_its_caller_sees():
    bench, peers = await entered()
    for peer in peers:
        peer.subscribe(1, "SELECT * FROM note ORDER BY id DESC LIMIT 1")
    await bench.settle()
    assert [ids(peer.values("note")) for peer in peers] == [[2], [3], [3]]
    await peers[0].result("play", [Note(3, 1, ONE, "b"), Note(4, 1, TWO, "b")])
    assert [ids(peer.values("note")) for peer in peers] == [[3], [4], [4]]
    await peers[0].result("play", [DropNote(4)])
    assert [ids(peer.values("note")) for peer in peers] == [[3], [1], [3]]
    await bench.stop()


async def test_a_statement_reads_what_its_caller_sees_and_the_owner_everything():
    bench, peers = await entered()
    await peers[0].result("play", [Hide("x")])
    text = "SELECT id FROM note ORDER BY id"
    callers = [Caller(peer.claims, ConnectionId(0)) for peer in peers]
    answers = [(await bench.host.sql(text, caller, False)).rows for caller in callers]
    assert [ids(rows) for rows in answers] == [[1, 2], [1, 3], [1, 2, 3]]
    owners = await bench.host.sql(text, callers[1], True)
    assert ids(owners.rows) == [1, 2, 3]
    secret = await bench.host.sql("SELECT word FROM secret", callers[1], True)
    assert secret.rows == [("x",)]
    await bench.stop()
