"""The law: first rows plus deltas are the query now, as bags, after every message."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest
from arena_module import (
    DropGift,
    DropItem,
    DropNote,
    DropPlayer,
    DropTag,
    Gift,
    Hide,
    Item,
    Knock,
    Note,
    Player,
    Refuse,
    Secret,
    Shout,
    Tag,
)
from arena_queries import CALLERS, ENCODERS, MODERATOR, MODULE, QUERIES, Rows, expected, sees
from host_bench import Bench, Peer
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.keys import user_id_of
from protocol.messages import (
    ReducerErr,
    ReducerOk,
    ReducerResult,
    ServerMessage,
    SubscribeApplied,
    SubscriptionError,
    TransactionUpdate,
)

# The first two connections are of one caller: they share plans and are told apart.
WHO = [CALLERS[0], CALLERS[0], CALLERS[1], MODERATOR]
IDS = st.integers(1, 3)
WORDS = st.sampled_from(["a", "b", "break"])
PLAYERS = st.builds(
    Player,
    IDS,
    st.sampled_from([who.identity for who in CALLERS]),
    st.sampled_from(["red", "blue"]),
    st.integers(0, 3),
    st.booleans(),
)
READERS = st.sampled_from(["", *(user_id_of(who.identity) for who in CALLERS)])
CHANGES = st.one_of(
    PLAYERS,
    PLAYERS,
    st.builds(DropPlayer, IDS),
    st.builds(Item, st.integers(1, 4), IDS, st.sampled_from(["bow", "axe"])),
    st.builds(DropItem, st.integers(1, 4)),
    st.builds(Tag, IDS, WORDS),
    st.builds(DropTag, IDS, WORDS),
    st.builds(Note, IDS, IDS, READERS, WORDS),
    st.builds(Note, IDS, IDS, READERS, WORDS),
    st.builds(DropNote, IDS),
    st.builds(Gift, IDS, READERS),
    st.builds(DropGift, IDS, READERS),
    st.builds(Shout, IDS, WORDS),
    st.builds(Knock, READERS),
    st.builds(Hide, WORDS),
)
PEERS = st.integers(0, len(WHO) - 1)
TEXTS = st.lists(st.sampled_from([query.text for query in QUERIES]), min_size=1, max_size=15)
CALL = st.tuples(st.just("call"), PEERS, st.lists(CHANGES, min_size=1, max_size=6))
REFUSED = st.tuples(
    st.just("call"), PEERS, st.lists(CHANGES, max_size=3).map(lambda some: [*some, Refuse("no")])
)
STEPS = st.one_of(
    CALL,
    CALL,
    CALL,
    CALL,
    REFUSED,
    st.tuples(st.just("subscribe"), PEERS, st.tuples(st.integers(0, 3), TEXTS)),
    st.tuples(st.just("subscribe"), PEERS, st.tuples(st.integers(0, 3), TEXTS)),
    st.tuples(st.just("unsubscribe"), PEERS, st.integers(0, 3)),
    st.tuples(st.just("reconnect"), PEERS, st.none()),
)


class Arena:
    """Connections of three callers; every message that one hears is checked at once."""

    def __init__(self, *, one_at_a_time: bool) -> None:
        self.bench = Bench(MODULE)
        self.one_at_a_time = one_at_a_time
        self.peers: list[Peer] = []
        self.shouted: list[tuple[int, Shout]] = []

    async def start(self) -> None:
        await self.bench.start()
        for number in range(len(WHO)):
            self.peers.append(await self.enter(number))
        await self.bench.settle()

    def ask_everything(self) -> None:
        """One connection asks all there is, in one set and in two; others what has readers."""
        texts = [query.text for query in QUERIES]
        for peer in self.peers[2:]:
            peer.subscribe(9, *(text for text in texts if "note" in text or "knock" in text))
        self.peers[0].subscribe(9, *texts)
        self.peers[0].subscribe(7, *texts[::2])
        self.peers[0].subscribe(8, *texts[1::2])

    async def enter(self, number: int) -> Peer:
        return await self.bench.enter(WHO[number], heard=self.heard, confirmed=number != 1)

    def rows(self) -> Rows:
        tables = (Player, Item, Tag, Note, Gift, Secret)
        return Rows(*(self.bench.rows("database/0", table) for table in tables))

    def heard(self, peer: Peer, message: ServerMessage) -> None:
        if self.one_at_a_time:
            self.check(peer)
        assert not isinstance(message, SubscriptionError) or message.request_id is not None

    def check(self, peer: Peer) -> None:
        wanted = expected(self.rows(), peer.claims.identity, peer.sets.values())
        held = {name: table.counts() for name, table in peer.cache.tables().items()}
        assert {name: bag for name, bag in held.items() if bag} == wanted

    async def take(self, step: tuple) -> None:
        kind, number, detail = step
        peer = self.peers[number]
        if kind == "call":
            peer.call("play", detail)
        elif kind == "subscribe":
            set_id, texts = detail
            peer.subscribe(set_id, *texts)
        elif kind == "unsubscribe":
            peer.unsubscribe(detail)
        else:
            await self.bench.settle()
            await peer.session.disconnect()
            self.peers[number] = await self.enter(number)

    def check_all(self) -> None:
        for peer in self.peers:
            self.check(peer)


@pytest.fixture(autouse=True)
def _quiet_views(caplog) -> None:
    """The view that breaks on purpose says so each time."""
    caplog.set_level(logging.CRITICAL, "actors.turn")


@settings(max_examples=200, deadline=None, print_blob=True)
@given(st.lists(STEPS, min_size=8, max_size=30))
def test_every_message_leaves_the_query_as_it_is_now(steps):
    async def scenario() -> None:
        arena = Arena(one_at_a_time=True)
        await arena.start()
        arena.ask_everything()
        await arena.bench.settle()
        for step in steps:
            before = [len(peer.messages) for peer in arena.peers]
            peers = list(arena.peers)
            await arena.take(step)
            await arena.bench.settle()
            if step[0] == "call":
                check_messages(peers, before, step)
            arena.check_all()
        await arena.bench.stop()

    asyncio.run(scenario())


def check_messages(peers: list[Peer], before: list[int], step: tuple) -> None:
    """One message for each connection that is concerned: the caller's is its result."""
    _, number, changes = step
    refused = any(isinstance(change, Refuse) for change in changes)
    events = [] if refused else [change for change in changes if isinstance(change, Shout | Knock)]
    for index, peer in enumerate(peers):
        new = peer.messages[before[index] :]
        if index == number:
            (result,) = new
            assert isinstance(result, ReducerResult)
            assert isinstance(result.outcome, ReducerErr if refused else ReducerOk)
            updates = [] if refused else [result.outcome.update]
        else:
            assert len(new) <= 1
            assert all(isinstance(message, TransactionUpdate) for message in new)
            updates = new
        for name, row in (("shout", Shout), ("knock", Knock)):
            wanted = [event for event in events if isinstance(event, row)]
            if row is Knock:
                wanted = [knock for knock in wanted if sees(peer.claims.identity, knock)]
            check_events(peer, updates, name, Counter(map(ENCODERS[row], wanted)))


def check_events(peer: Peer, updates: list[TransactionUpdate], name: str, events: Counter) -> None:
    sets = [texts for texts in peer.sets.values() if f"SELECT * FROM {name}" in texts]
    told = Counter(
        row
        for update in updates
        for query_set in update.query_sets
        for table in query_set.tables
        if table.table == name
        for rows in table.rows
        if rows.is_event
        for row in rows.inserts
    )
    joined = any(f"SELECT {name}.*" in text for texts in peer.sets.values() for text in texts)
    if not joined:
        assert told == Counter({row: count * len(sets) for row, count in events.items() if sets})


@settings(max_examples=150, deadline=None, print_blob=True)
@given(st.lists(st.lists(STEPS, max_size=8), min_size=1, max_size=6))
def test_requests_in_flight_keep_the_law_and_their_order(bursts):
    async def scenario() -> None:
        arena = Arena(one_at_a_time=False)
        await arena.start()
        for burst in bursts:
            for step in burst:
                await arena.take(step)
            await arena.bench.settle()
            arena.check_all()
        for peer in arena.peers:
            assert peer.answered() == sorted(peer.answered())
            assert peer.session.pending == 0
        await arena.bench.stop()

    asyncio.run(scenario())


async def test_a_plan_that_nobody_asks_any_more_is_gone():
    arena = Arena(one_at_a_time=True)
    await arena.start()
    texts = [query.text for query in QUERIES]
    for peer in arena.peers:
        peer.subscribe(1, *texts)
        peer.subscribe(2, *texts)
    await arena.bench.settle()
    board = arena.bench.host.board("database/0")
    assert board
    arena.peers[0].unsubscribe(1)
    for peer in arena.peers[1:3]:
        await peer.session.disconnect()
    await arena.bench.settle()
    assert board
    arena.peers[0].unsubscribe(2)
    await arena.peers[3].session.disconnect()
    await arena.bench.settle()
    assert not board
    registers = (board._plans, board._tables, board._readerships, board._windows)
    derived = board._derived
    feeds = (derived._feeds, derived._readers, derived._families, derived._joined)
    assert not any((*registers, *feeds))


async def test_a_live_set_id_is_refused_and_the_set_stays():
    arena = Arena(one_at_a_time=True)
    await arena.start()
    peer = arena.peers[0]
    peer.subscribe(1, "SELECT * FROM player")
    peer.subscribe(1, "SELECT * FROM item")
    await peer.result("play", [Player(1, CALLERS[0].identity, "red", 1, True)])
    errors = [message for message in peer.messages if isinstance(message, SubscriptionError)]
    (error,) = errors
    assert error.error.startswith("Subscription with id 1 already exists for client: ")
    assert len(peer.values("player")) == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT * FROM secret", "no such table: `secret`"),
        ("SELECT * FROM nothing", "no such table: `nothing`"),
        ("SELECT * FROM player WHERE colour = 1", "`colour` is not in scope"),
        ("SELECT team FROM player", "Column projections are not supported"),
        (
            "SELECT player.* FROM player JOIN shout ON shout.player_id = player.id",
            "shout",
        ),
        ("SELECT player.* FROM player JOIN item ON player.team = item.kind", "require indexes"),
    ],
)
async def test_one_bad_query_refuses_the_whole_set(text, complaint):
    arena = Arena(one_at_a_time=True)
    await arena.start()
    peer = arena.peers[0]
    peer.subscribe(1, "SELECT * FROM player", text)
    await peer.result("play", [Player(1, CALLERS[0].identity, "red", 1, True)])
    (error,) = (message for message in peer.messages if isinstance(message, SubscriptionError))
    assert complaint in error.error
    assert error.error.endswith(f"executing: `{text}`")
    assert error.request_id == 1
    assert peer.values("player") == []
    assert not arena.bench.host.board("database/0")


async def test_everything_is_every_public_table_without_events():
    arena = Arena(one_at_a_time=False)
    await arena.start()
    peer = arena.peers[0]
    me = CALLERS[0].identity
    await peer.result("play", [Player(1, me, "red", 1, True), Item(1, 1, "bow"), Hide("x")])
    peer.subscribe(1, "SELECT * FROM *")
    await arena.bench.settle()
    (applied,) = (message for message in peer.messages if isinstance(message, SubscribeApplied))
    assert {"player", "item"} <= {table.table for table in applied.tables}
    assert not {"secret", "shout"} & {table.table for table in applied.tables}
