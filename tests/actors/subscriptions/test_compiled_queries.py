"""Compiled queries and views: shared, bounded, and without side effects."""

from __future__ import annotations

import logging

import arena_module
from arena_module import Player, Tag
from arena_queries import CALLERS, MODULE, QUERIES
from host_bench import Bench

from actors import ViewContext, view
from actors.module.functions import ViewDeclaration
from actors.module.module import Module
from actors.subscriptions import QueryCompiler
from protocol.messages import OneOffQueryResult

ME = CALLERS[0].identity


@view()
def scribbler(ctx: ViewContext) -> list[Player]:
    """A view that writes, as no view may."""
    players = ctx.db[Player]
    players.insert(Player(99, ctx.sender, "ghost", 1, True))  # type: ignore[attr-defined]
    return list(players)


def test_one_text_is_one_query_and_another_spelling_is_another():
    compiler = QueryCompiler(MODULE)
    text = "SELECT * FROM player WHERE team = 'red' AND hp = 1"
    (first,) = compiler.compile(text)
    assert compiler.compile(f"  {text}\n") == (first,)
    for other in (
        "select * from player where team = 'red' and hp = 1",
        'SELECT * FROM "player" WHERE ("player"."team" = \'red\') AND ("player"."hp" = 1);',
        "SELECT p.* FROM player AS p WHERE p.team = 'red' AND p.hp = 1",
    ):
        (query,) = compiler.compile(other)
        assert query is not first
        assert query.demand == first.demand
    assert not first.is_per_caller
    (mine,) = compiler.compile("SELECT * FROM player WHERE owner = :sender")
    assert mine.is_per_caller
    assert compiler.compile("SELECT * FROM my_players")[0].is_per_caller
    assert not compiler.compile("SELECT * FROM teams")[0].is_per_caller


def test_everything_is_the_same_queries_as_one_by_one():
    compiler = QueryCompiler(MODULE)
    everything = compiler.compile("SELECT * FROM *")
    assert everything == compiler.compile("select * from *;")
    assert everything == tuple(
        query for entry in everything for query in compiler.compile(f"SELECT * FROM {entry.name}")
    )


def test_compiled_queries_are_bounded(monkeypatch):
    monkeypatch.setattr("actors.subscriptions.query.QUERIES_CACHED_MAX", 3)
    compiler = QueryCompiler(MODULE)
    for query in QUERIES:
        compiler.compile(query.text)
        assert len(compiler._texts) <= 3
        assert len(compiler._queries) <= 3
    (again,) = compiler.compile(QUERIES[-1].text)
    assert compiler.compile(QUERIES[-1].text) == (again,)


async def test_a_query_that_was_forgotten_still_ends_its_sets(monkeypatch):
    monkeypatch.setattr("actors.subscriptions.query.QUERIES_CACHED_MAX", 1)
    bench = await Bench(MODULE).start()
    peer = await bench.enter(CALLERS[0])
    texts = [query.text for query in QUERIES]
    for number in range(3):
        peer.subscribe(number, *texts)
    await peer.result("play", [Player(1, ME, "red", 1, True), Tag(1, "a")])
    for number in range(3):
        peer.unsubscribe(number)
    await bench.settle()
    assert peer.values("player") == peer.values("tag") == []
    assert not bench.host.board("database/0")


async def test_a_view_cannot_write(caplog):
    caplog.set_level(logging.CRITICAL, "actors.turn")
    module = Module("arena", [arena_module])
    module.views["scribbler"] = _declared(scribbler)
    bench = await Bench(module).start()
    peer = await bench.enter(CALLERS[0])
    peer.subscribe(1, "SELECT * FROM scribbler", "SELECT * FROM player")
    await peer.result("play", [Player(1, ME, "red", 1, True)])
    assert peer.values("player") == [(1, ME, "red", 1, True)]
    await peer.result("play", [Player(2, ME, "red", 1, True)])
    peer.query("SELECT * FROM scribbler")
    await bench.settle()
    assert [player.id for player in bench.rows("database/0", Player)] == [1, 2]
    assert isinstance(peer.messages[-1], OneOffQueryResult)
    assert not bench.host.core("database/0").database.is_dirty


def _declared(function: object) -> ViewDeclaration:
    declaration = function.__declaration__  # type: ignore[attr-defined]
    assert isinstance(declaration, ViewDeclaration)
    return declaration


async def test_one_off_queries_answer_once():
    bench = await Bench(MODULE).start()
    peer = await bench.enter(CALLERS[0])
    await peer.result("play", [Player(1, ME, "red", 1, True), Tag(1, "a"), Tag(1, "b")])
    for text in (
        "SELECT * FROM tag WHERE word <> 'a'",
        "SELECT tag.* FROM player JOIN tag ON tag.player_id = player.id",
        "SELECT player.* FROM tag JOIN player ON tag.player_id = player.id",
        "SELECT * FROM my_players",
        "SELECT * FROM teams",
        "SELECT * FROM shout",
    ):
        peer.query(text)
    await bench.settle()
    answers = [m for m in peer.messages if isinstance(m, OneOffQueryResult)]
    assert [len(answer.tables[0].rows) for answer in answers] == [1, 2, 2, 1, 1, 0]
    assert not bench.host.board("database/0")
    peer.query("SELECT * FROM secret")
    await bench.settle()
    assert peer.messages[-1].error.startswith("no such table: `secret`")
