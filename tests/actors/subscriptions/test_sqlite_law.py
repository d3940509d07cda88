"""The law with SQLite as the judge: first rows plus deltas are what it answers to the same text."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from itertools import product

import pytest
from arena_module import DropItem, DropPlayer, Gift, Item, Note, Player, Tag
from arena_queries import CALLERS, MODERATOR
from host_bench import Peer
from hypothesis import given, settings
from hypothesis import strategies as st
from random_queries import POOL
from sqlite_oracle import Oracle, bags, returned
from test_law import CHANGES, PEERS, Arena

from actors.keys import user_id_of
from protocol.messages import OneOffQueryResult, SubscriptionError

IDS = (1, 2, 3)
TEXTS = st.lists(st.sampled_from(POOL), min_size=12, max_size=24)
CALL = st.tuples(st.just("call"), PEERS, st.lists(CHANGES, min_size=1, max_size=8))
START = [
    *(Player(n, CALLERS[n % 2].identity, "red" if n < 3 else "blue", n % 2, n > 1) for n in IDS),
    *(Item(n, n % 3 + 1, ("bow", "axe")[n % 2]) for n in (1, 2, 3, 4)),
    *(Tag(n, word) for n in IDS for word in "ab"),
    *(Note(n, 1, ("", user_id_of(CALLERS[0].identity))[n % 2], "a") for n in IDS),
    *(Gift(n, ("", user_id_of(CALLERS[1].identity))[n % 2]) for n in IDS),
]
"""Equals and pairs in every table: with few rows most queries have nothing to say."""
ASK = st.tuples(st.just("subscribe"), PEERS, st.tuples(st.integers(0, 3), TEXTS))
END = st.tuples(st.just("unsubscribe"), PEERS, st.integers(0, 3))
STEPS = st.one_of(CALL, CALL, CALL, ASK, END, st.tuples(st.just("reconnect"), PEERS, st.none()))


class Judged(Arena):
    """The arena; what its connections hold is compared with what SQLite answers."""

    def check(self, peer: Peer) -> None:
        wanted = bags(self.rows(), peer.claims.identity, peer.sets.values())
        held = {name: table.counts() for name, table in peer.cache.tables().items()}
        assert {name: bag for name, bag in held.items() if bag} == wanted

    async def take(self, step: tuple) -> None:
        await super().take(step)
        await self.bench.settle()
        errors = [m for peer in self.peers for m in peer.messages if type(m) is SubscriptionError]
        assert all("already exists" in e.error or "not found" in e.error for e in errors), errors


@pytest.fixture(autouse=True)
def _quiet_views(caplog) -> None:
    caplog.set_level(logging.CRITICAL, "actors.turn")


@settings(max_examples=60, deadline=None, print_blob=True)
@given(
    st.booleans(),
    st.lists(TEXTS, min_size=4, max_size=4),
    st.lists(STEPS, min_size=6, max_size=20),
)
def test_first_rows_and_deltas_are_what_sqlite_answers(is_populated, first, steps):
    async def scenario() -> None:
        arena = Judged(one_at_a_time=True)
        await arena.start()
        if is_populated:
            await arena.peers[0].result("play", START)
        for peer, texts in zip(arena.peers, first, strict=True):
            peer.subscribe(9, *texts)
        await arena.bench.settle()
        for step in steps:
            await arena.take(step)
            arena.check_all()
        await arena.bench.stop()

    asyncio.run(scenario())


@settings(max_examples=40, deadline=None, print_blob=True)
@given(st.lists(CHANGES, max_size=12), TEXTS)
def test_one_off_queries_are_what_sqlite_answers_in_order(changes, texts):
    async def scenario() -> None:
        arena = Judged(one_at_a_time=True)
        await arena.start()
        await arena.peers[0].result("play", [*START, *changes])
        for peer in arena.peers:
            oracle = Oracle(arena.rows(), peer.claims.identity)
            for text in texts:
                peer.query(text)
                await arena.bench.settle()
                answer = peer.messages[-1]
                assert isinstance(answer, OneOffQueryResult)
                told = list(answer.tables[0].rows)
                wanted = oracle.rows(text, returned(text))
                if "ORDER BY" in text:
                    assert told == wanted
                else:
                    assert Counter(told) == Counter(wanted)
            oracle.close()
        await arena.bench.stop()

    asyncio.run(scenario())


OWN = ("", "a.team = 'red'", "a.hp > 1", "a.alive <> FALSE")
OTHER = ("", "b.kind = 'bow'", "b.id > 1", "b.kind <> 'axe'")


async def test_both_sides_of_a_join_are_tested_whichever_changes():
    """Every way to find a join by either row, and rows that pass on one side only."""
    arena = Judged(one_at_a_time=True)
    await arena.start()
    peer = arena.peers[0]
    texts = []
    for returned_alias, own, other in product("ab", OWN, OTHER):
        text = f"SELECT {returned_alias}.* FROM player a JOIN item b ON a.id = b.player_id"
        where = " AND ".join(filter(None, (own, other)))
        texts.append(f"{text} WHERE {where}" if where else text)
    peer.subscribe(1, *texts)
    me = CALLERS[0].identity
    players = [
        Player(1, me, team, hp, alive)
        for team, hp, alive in product(("red", "blue"), (1, 2), (True, False))
    ]
    items = [Item(number, 1, kind) for number, kind in product((1, 2), ("bow", "axe"))]
    for player in players:
        for item in items:
            await peer.result("play", [player, item])
            arena.check(peer)
            await peer.result("play", [DropItem(item.id)])
            arena.check(peer)
        await peer.result("play", [*items, DropPlayer(1)])
        arena.check(peer)
    await arena.bench.stop()


async def test_the_oracle_knows_its_arena():
    """What the properties lean on: the judge sees rows, views and readers as callers do."""
    arena = Judged(one_at_a_time=True)
    await arena.start()
    me, you = (who.identity for who in CALLERS)
    await arena.peers[0].result(
        "play",
        [
            Player(1, me, "red", 1, True),
            Player(2, you, "red", 2, False),
            Item(1, 1, "bow"),
            Tag(1, "a"),
            Note(1, 1, user_id_of(me), "a"),
            Gift(1, user_id_of(you)),
        ],
    )
    rows = arena.rows()
    for who, counts in ((me, (1, 1, 0)), (you, (1, 0, 1)), (MODERATOR.identity, (0, 1, 0))):
        oracle = Oracle(rows, who)
        for table, count in zip(("my_players", "note", "gift"), counts, strict=True):
            assert len(oracle.rows(f"SELECT * FROM {table}", table)) == count
        assert len(oracle.rows("SELECT * FROM teams", "teams")) == 2
        oracle.close()


async def test_a_view_that_comes_to_read_another_table_follows_it():
    """Alone, in a join, and in a window; and it lets go of the table when it looks away."""
    arena = Judged(one_at_a_time=True)
    await arena.start()
    peer = arena.peers[0]
    peer.subscribe(
        1,
        "SELECT * FROM loot",
        "SELECT * FROM loot ORDER BY kind LIMIT 1",
        "SELECT a.* FROM loot a JOIN player b ON a.player_id = b.id",
        "SELECT a.* FROM player a JOIN loot b ON b.player_id = a.id",
    )
    player = Player(1, CALLERS[0].identity, "red", 1, True)
    derived = arena.bench.host.board("database/0")._derived
    for _ in range(2):
        assert Item not in derived._readers
        for change in ([player], [Item(1, 1, "bow")], [Item(2, 1, "axe")], [DropItem(2)]):
            await peer.result("play", change)
            arena.check(peer)
            assert Item in derived._readers
        await peer.result("play", [DropPlayer(1)])
        arena.check(peer)
    await arena.bench.stop()
