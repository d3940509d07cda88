"""The law for version 1: each text counts once per connection, whoever holds it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter

import pytest
from arena_module import Gift, Item, Note, Player, Refuse, Secret, Shout, Tag
from arena_queries import CALLERS, MODERATOR, MODULE, QUERIES, Rows, expected
from host_bench import Bench, Peer
from hypothesis import given, settings
from hypothesis import strategies as st
from test_law import CHANGES
from v1_peer import OldPeer, Texts, enter_old

from protocol.messages import (
    ReducerErr,
    ReducerOk,
    ReducerResult,
    TransactionUpdate,
    Wires,
)
from protocol.upgrade import Subprotocol

BSATN, JSON = Subprotocol.V1_BSATN, Subprotocol.V1_JSON
WHO = [(CALLERS[0], BSATN), (CALLERS[0], JSON), (CALLERS[1], BSATN), (MODERATOR, JSON)]
EVENTS = {"shout", "knock"}
PLAIN = [query.text for query in QUERIES if query.table not in EVENTS]
PEERS = st.integers(0, len(WHO) - 1)
QUERY_IDS = st.integers(0, 3)
TEXTS = st.lists(st.sampled_from(PLAIN[:12]), min_size=1, max_size=6)
CALL = st.tuples(st.just("call"), PEERS, st.lists(CHANGES, min_size=1, max_size=5))
STEPS = st.one_of(
    CALL,
    CALL,
    CALL,
    st.tuples(
        st.just("call"), PEERS, st.lists(CHANGES, max_size=2).map(lambda s: [*s, Refuse("")])
    ),
    st.tuples(st.just("quiet"), PEERS, st.lists(CHANGES, min_size=1, max_size=3)),
    st.tuples(st.just("multi"), PEERS, st.tuples(QUERY_IDS, TEXTS)),
    st.tuples(st.just("multi"), PEERS, st.tuples(QUERY_IDS, TEXTS)),
    st.tuples(st.just("single"), PEERS, st.tuples(QUERY_IDS, st.sampled_from(PLAIN))),
    st.tuples(st.just("legacy"), PEERS, TEXTS),
    st.tuples(st.just("end"), PEERS, st.tuples(QUERY_IDS, st.booleans())),
    st.tuples(st.just("end"), PEERS, st.tuples(QUERY_IDS, st.booleans())),
)


@pytest.fixture(autouse=True)
def _quiet_views(caplog) -> None:
    """The view that breaks on purpose says so each time."""
    caplog.set_level(logging.CRITICAL, "actors.turn")


class OldArena:
    """Connections of version 1 in both spellings beside one of version 2."""

    def __init__(self) -> None:
        self.bench = Bench(MODULE)
        self.wires = Wires(MODULE.schema, time.perf_counter)
        self.peers: list[OldPeer] = []
        self.newer: Peer

    async def start(self) -> None:
        await self.bench.start()
        self.newer = await self.bench.enter(CALLERS[0])
        self.newer.subscribe(1, *PLAIN)
        for number, (who, subprotocol) in enumerate(WHO):
            self.peers.append(
                await enter_old(
                    self.bench,
                    self.wires,
                    who,
                    100 + number,
                    subprotocol,
                    rows_of=lambda texts, who=who: self.rows_of(texts, who.identity),
                    heard=self.check,
                )
            )
        await self.bench.settle()

    def rows_of(self, texts: Texts, caller: int) -> dict[str, Counter]:
        tables = (Player, Item, Tag, Note, Gift, Secret)
        rows = Rows(*(self.bench.rows("database/0", table) for table in tables))
        return expected(rows, caller, [texts])

    def check(self, peer: OldPeer) -> None:
        assert peer.held() == peer.wanted()

    def take(self, step: tuple) -> None:
        kind, number, detail = step
        peer = self.peers[number]
        if kind in ("call", "quiet"):
            peer.call("play", detail, quiet=kind == "quiet")
        elif kind == "multi":
            peer.subscribe(detail[0], *detail[1])
        elif kind == "single":
            peer.subscribe_single(*detail)
        elif kind == "legacy":
            peer.subscribe_legacy(*detail)
        else:
            peer.unsubscribe(detail[0], single=detail[1])

    def check_messages(self, step: tuple) -> None:
        """A caller hears its result, others one update at most; every request has its answer."""
        kind, number, detail = step
        for index, peer in enumerate(self.peers):
            if index != number or kind == "quiet":
                assert len(peer.messages) <= (kind in ("call", "quiet"))
                assert all(isinstance(message, TransactionUpdate) for message in peer.messages)
            else:
                (answer,) = peer.messages
                if kind == "call":
                    refused = any(isinstance(change, Refuse) for change in detail)
                    assert isinstance(answer, ReducerResult)
                    assert isinstance(answer.outcome, ReducerErr if refused else ReducerOk)
            peer.forget()


@settings(max_examples=60, deadline=None, print_blob=True)
@given(st.lists(STEPS, min_size=10, max_size=40))
def test_every_message_leaves_the_queries_as_they_are_now(steps):
    async def scenario() -> None:
        arena = OldArena()
        await arena.start()
        for peer in arena.peers:
            peer.subscribe(9, *PLAIN)
            peer.subscribe_legacy(*PLAIN[::2])
        await arena.bench.settle()
        for peer in arena.peers:
            peer.forget()
        for step in steps:
            arena.take(step)
            await arena.bench.settle()
            arena.check_messages(step)
            for peer in arena.peers:
                arena.check(peer)
        held = {name: bag for name, bag in arena.newer.cache.tables().items() if len(bag)}
        wanted = arena.rows_of(tuple(PLAIN), CALLERS[0].identity)
        assert {name: table.counts() for name, table in held.items()} == wanted
        await arena.bench.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize("subprotocol", [BSATN, JSON])
@pytest.mark.parametrize(
    "text",
    ["SELECT * FROM shout", "SELECT shout.* FROM shout JOIN player ON shout.player_id = player.id"],
)
async def test_event_tables_are_refused(subprotocol, text):
    bench = await Bench(MODULE).start()
    peer = await enter_old(
        bench, Wires(MODULE.schema, time.perf_counter), CALLERS[0], 100, subprotocol
    )
    peer.subscribe(0, PLAIN[0], text)
    peer.subscribe_single(1, text)
    peer.subscribe_legacy(text)
    await bench.settle()
    _, multi, single, legacy = peer.messages
    assert isinstance(legacy, ReducerResult)
    assert isinstance(legacy.outcome, ReducerErr)
    wanted = (
        "Subscribing to event tables requires WebSocket v2. "
        "Please upgrade your client SDK and regenerate your module bindings."
    )
    assert [multi.error, single.error, legacy.outcome.error] == [wanted] * 3
    peer.subscribe(2, "SELECT * FROM *")
    peer.call("play", [Shout(1, "a")])
    await bench.settle()
    assert isinstance(peer.messages[-1], ReducerResult)
    assert peer.messages[-1].outcome == ReducerOk(b"", TransactionUpdate([]))
    await bench.stop()
