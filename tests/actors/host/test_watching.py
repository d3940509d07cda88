"""What is noted of turns for whoever follows or counts them."""

from __future__ import annotations

import logging

import pytest
from town import ACTORS, NAMES, PEOPLE, new_town
from town_module import Give, Purse

from actors.host.histogram import TURN_BOUNDS


class TurnsSeen:
    def __init__(self, prefix: str = "") -> None:
        self.seen: list[tuple] = []
        self._prefix = prefix

    def opens(self, key, count):
        assert count > 0
        return key.startswith(self._prefix)

    def turn_taken(self, core, turn, seconds):
        assert seconds >= 0
        self.seen.append((core.key, *turn.note()))


class CommitsSeen:
    def __init__(self, wanted: str = "") -> None:
        self.seen: list[tuple] = []
        self._wanted = wanted

    def wants(self, core, call):
        return not self._wanted or core.database.is_touched(self._wanted)

    def committed(self, core, call, deltas):
        self.seen.append((core.key, core.seq, call, {delta.layout.name for delta in deltas}))


@pytest.fixture(autouse=True)
def _quiet(caplog) -> None:
    caplog.set_level(logging.CRITICAL, "actors.turn")


async def test_a_watch_sees_each_turn_with_its_caller_and_how_it_ended():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    bench.host.turn_watch = watch = TurnsSeen()
    await peer.result("earn", 1)
    await peer.result("refuse", "no")
    await peer.result("fall", "x")
    bench.host.turn_watch = None
    await peer.result("earn", 1)
    earn, refuse, fall = (entry for entry in watch.seen if entry[1] == "call")
    assert earn[:3] == (ACTORS[0], "call", "earn")
    assert earn[3].user_id == NAMES[0]
    assert earn[4] is None
    assert str(refuse[4]) == "town.refused: no"
    assert isinstance(fall[4], RuntimeError)


async def test_messages_between_actors_are_turns_of_both():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 10)
    bench.host.turn_watch = watch = TurnsSeen()
    await peer.result("give", Give("r1", NAMES[1], 4))
    await bench.host.durable()
    sorts = {(key, sort) for key, sort, *_ in watch.seen}
    assert {(ACTORS[0], "call"), (ACTORS[1], "message"), (ACTORS[0], "acknowledgement")} <= sorts


async def test_a_watch_that_does_not_open_sees_nothing():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    bench.host.turn_watch = watch = TurnsSeen("nobody/")
    await peer.result("earn", 1)
    assert watch.seen == []


async def test_commits_are_seen_although_nobody_subscribes_to_them():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    bench.host.commit_watch = watch = CommitsSeen()
    await peer.result("earn", 1)
    await peer.result("refuse", "no")
    seq = bench.host.core(ACTORS[0]).seq
    (seen,) = watch.seen
    assert seen[:3] == (ACTORS[0], seq, "earn")
    assert "purse" in seen[3]


async def test_commits_that_are_not_wanted_are_not_seen():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    bench.host.commit_watch = watch = CommitsSeen("entry")
    await peer.result("earn", 1)
    assert watch.seen == []


async def test_calls_are_tallied_by_how_they_end():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", 10)
    await peer.result("refuse", "no")
    await peer.result("fall", "x")
    for _ in range(3):
        await peer.result("give", Give("r1", NAMES[1], 4))
    tallies = {name: endpoint.tally for name, endpoint in bench.host.reducers.items()}
    assert tallies["earn"].committed == 1
    assert tallies["refuse"].refused == 1
    assert tallies["fall"].failed == 1
    assert (tallies["give"].committed, tallies["give"].repeated) == (1, 2)


async def test_every_turn_is_in_the_histogram_once():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    for _ in range(20):
        await peer.result("earn", 1)
    assert bench.host.turn_seconds.count == bench.host.turn_count > 20
    assert len(bench.host.turn_seconds.counts) == len(TURN_BOUNDS) + 1


async def test_the_turn_that_runs_is_known_while_it_runs():
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    names: list[str] = []

    class Asking(TurnsSeen):
        def turn_taken(self, core, turn, seconds):
            running = bench.host.running
            assert running.core is core
            assert running.turn is turn
            names.append(turn.note()[1])

    bench.host.turn_watch = Asking()
    for count in (1, 2, 3):
        peer.call("earn", count)
    await peer.result("refuse", "no")
    assert names == ["earn", "earn", "earn", "refuse"]
    assert bench.host.running is None


async def test_the_census_counts_who_is_in_memory_and_what_waits():
    bench = await new_town().start()
    peer, other = await bench.enter(PEOPLE[0]), await bench.enter(PEOPLE[1])
    peer.subscribe(1, "SELECT * FROM purse")
    await peer.result("earn", 1)
    await other.result("earn", 1)
    census = await bench.host.vitals.census()
    assert census.actors["person"] == 2
    assert sum(census.actors.values()) == bench.host.actor_count
    assert (census.watched, census.plans, census.subscriptions) == (1, 1, 1)
    assert (census.mailbox_messages, census.dead_letters, census.quarantined) == (0, 0, 0)
    assert bench.rows(ACTORS[0], Purse)
