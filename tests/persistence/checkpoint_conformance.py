"""Conformance kit of stores, checkpoints: what every store makes of folds and of given rows."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_words import (
    State,
    append,
    checkpoint,
    drop,
    keeping,
    last_row,
    load,
    net,
    one,
    opened,
    put,
    record,
    replay,
    state_of,
)

from persistence import (
    CorruptActorError,
    FencedError,
    RowChange,
    SequenceConflictError,
    Snapshot,
    Store,
    StoreClosedError,
)


class Medium(Protocol):
    """What outlives a store, with the hands of a saboteur."""

    def store(self, **options) -> Store: ...

    async def replace_record(self, actor: str, seq: int, data: bytes | None) -> None: ...


keys = st.binary(max_size=3)
changes = st.lists(
    st.one_of(
        st.builds(put, st.integers(0, 2), keys, st.binary(max_size=4)),
        st.builds(drop, st.integers(0, 2), keys),
    ),
    max_size=4,
)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sampled_from("ab"), changes),
        st.tuples(st.just("checkpoint"), st.sampled_from("ab"), st.integers(0, 12)),
        st.tuples(st.just("reopen"), st.none(), st.none()),
    ),
    max_size=14,
)


async def open_all(media):
    stores = [medium.store(retention=keeping(2)) for medium in media]
    for store in stores:
        await store.open()
    return stores


class CheckpointConformance(ABC):
    examples = 60

    @abstractmethod
    def make_medium(self) -> AbstractContextManager[Medium]: ...

    @pytest.fixture
    def medium(self):
        with self.make_medium() as medium:
            yield medium

    async def test_a_checkpoint_folds_rows_and_trims_the_journal(self, medium):
        async with opened(medium) as store:
            last = one("a", 3, put(1, b"kept", b"3"))
            await append(store, one("a", 1, put(1, b"kept", b"1"), put(2, b"gone")))
            await append(store, one("a", 2, drop(2, b"gone"), put(1, b"", b"empty key")), last)
            assert await checkpoint(store, "a", 2) is None
            assert await load(store, "a") == Snapshot(
                "a",
                2,
                20,
                [(1, put(1, b"", b"empty key").row), (1, put(1, b"kept", b"1").row)],
                [last.record],
            )
            assert await checkpoint(store, "a", 3) is None
            assert (await load(store, "a")).rows[1] == (1, last_row(last))
            assert (await load(store, "a")).tail == []

    async def test_a_checkpoint_stands_behind_the_appends_before_it(self, medium):
        async with opened(medium) as store:
            outcomes = [append(store, one("a", 1, put(1, b"k")))]
            outcomes.append(checkpoint(store, "a", 1))
            outcomes.append(append(store, one("a", 2)))
            outcomes.append(checkpoint(store, "a", 2))
            assert await asyncio.gather(*outcomes) == [None] * 4
            assert (await load(store, "a"))[1:] == (2, 20, [(1, put(1, b"k").row)], [])

    async def test_a_checkpoint_done_already_succeeds(self, medium):
        async with opened(medium) as store:
            await append(store, one("a", 1), one("a", 2))
            assert await checkpoint(store, "a", 2) is None
            for through in (2, 1, 0):
                assert await checkpoint(store, "a", through) is None
            assert await checkpoint(store, "nobody", 0) is None
            assert (await load(store, "a")).base_seq == 2

    async def test_a_checkpoint_beyond_the_journal_fails_alone(self, medium):
        async with opened(medium) as store:
            await append(store, one("a", 1), one("b", 1))
            outcomes = [checkpoint(store, "a", 2), checkpoint(store, "b", 1)]
            beyond, well = await asyncio.gather(*outcomes)
            assert isinstance(beyond, SequenceConflictError)
            assert well is None
            assert isinstance(await checkpoint(store, "nobody", 1), SequenceConflictError)
            assert await append(store, one("a", 2)) is None

    async def test_changes_given_are_stored_and_the_journal_is_not_read(self, medium):
        async with opened(medium) as store:
            gone, kept, new = put(1, b"gone"), put(1, b"kept"), put(2, b"new", b"v")
            await append(store, one("a", 1, gone, kept), one("b", 1, kept))
            outcomes = [
                checkpoint(store, name, 1, changes)
                for name, changes in {"a": [gone, kept], "b": [kept]}.items()
            ]
            assert await asyncio.gather(*outcomes) == [None, None]
            await append(store, one("a", 2, drop(1, b"gone"), new), one("a", 3))
            await medium.replace_record("a", 2, b"damaged")
            assert await checkpoint(store, "a", 2, [drop(1, b"gone"), new], 77) is None
            assert await store.load(["a", "b"]) == [
                Snapshot("a", 2, 77, [(1, kept.row), (2, new.row)], [record(3)]),
                Snapshot("b", 1, 10, [(1, kept.row)], []),
            ]

    async def test_more_changes_than_needed_do_no_harm(self, medium):
        async with opened(medium) as store:
            old, row = put(1, b"k", b"old"), put(1, b"k", b"row")
            await append(store, one("a", 1, old), one("a", 2, row))
            assert await checkpoint(store, "a", 1, [old]) is None
            changes = [drop(1, b"k"), old, row, drop(1, b"never"), put(2, b""), drop(2, b"")]
            assert await checkpoint(store, "a", 2, changes) is None
            assert (await load(store, "a"))[1:] == (2, 20, [(1, row.row)], [])

    async def test_no_changes_move_the_base_alone(self, medium):
        async with opened(medium) as store:
            await append(store, one("a", 1), one("a", 2))
            assert await checkpoint(store, "a", 2, []) is None
            assert (await load(store, "a"))[1:] == (2, 20, [], [])

    async def test_changes_keep_the_promises_of_checkpoints(self, medium):
        wrong = [put(9, b"must not be stored")]
        async with opened(medium, retention=keeping(1)) as store:
            outcomes = [append(store, *[one("a", seq) for seq in (1, 2, 3)])]
            outcomes.append(checkpoint(store, "a", 3, [put(1, b"k")]))
            outcomes.append(append(store, one("a", 4)))
            assert await asyncio.gather(*outcomes) == [None] * 3
            assert await store.history("a", 0, 9) == [record(3), record(4)]
            for through in (3, 2, 0):
                assert await checkpoint(store, "a", through, wrong) is None
            error = await checkpoint(store, "a", 5, wrong)
            assert isinstance(error, SequenceConflictError)
            assert (error.actor, error.expected, error.given) == ("a", 4, 5)
            for name in ("nobody", "", "\0", "\ud800"):
                error = await checkpoint(store, name, 1, wrong)
                assert isinstance(error, SequenceConflictError)
            async with opened(medium):
                assert isinstance(await checkpoint(store, "a", 4, wrong), FencedError)
            assert (await load(store, "a")).rows == [(1, put(1, b"k").row)]
        assert isinstance(await checkpoint(store, "a", 4, wrong), StoreClosedError)

    async def test_changes_after_a_failed_checkpoint_are_not_believed(self, medium):
        turns = [[put(1, bytes([seq]))] for seq in range(6)]
        async with opened(medium) as store:
            await append(store, *[one("a", seq, *turn) for seq, turn in enumerate(turns[:4], 1)])
            await medium.replace_record("a", 1, b"damaged")
            outcomes = [
                checkpoint(store, "a", 2),
                checkpoint(store, "a", 3, turns[2]),
                checkpoint(store, "a", 4, turns[3]),
            ]
            for error in await asyncio.gather(*outcomes):
                assert isinstance(error, CorruptActorError)
                assert (error.actor, error.seq) == ("a", 1)
            await medium.replace_record("a", 1, one("a", 1, *turns[0]).record)
            await append(store, one("a", 5, *turns[4]))
            # The journal is folded past the hole, in two steps; then changes count again.
            assert await checkpoint(store, "a", 2, []) is None
            assert await checkpoint(store, "a", 5, turns[4]) is None
            expected = [(1, turn[0].row) for turn in turns[:5]]
            assert (await load(store, "a")).rows == expected
            await append(store, one("a", 6, *turns[5]))
            await medium.replace_record("a", 6, b"damaged")
            assert await checkpoint(store, "a", 6, turns[5]) is None
            assert (await load(store, "a")).rows == [*expected, (1, turns[5][0].row)]

    async def test_changes_that_wait_are_bounded_and_the_rest_is_folded(self, medium):
        async with opened(medium, changes_bytes_max=1000) as store:
            true, claimed = put(1, b"k", bytes(300)), put(1, b"k", b"\1" * 300)
            names = ["a", "b", "c", "d"]
            await append(store, *[one(name, 1, true) for name in names])
            outcomes = [checkpoint(store, name, 1, [claimed]) for name in names]
            assert await asyncio.gather(*outcomes) == [None] * 4
            rows = [snapshot.rows[0][1] for snapshot in await store.load(names)]
            assert rows == [claimed.row, claimed.row, true.row, true.row]
            await append(store, one("d", 2, true))
            assert await checkpoint(store, "d", 2, [claimed]) is None
            assert (await load(store, "d")).rows == [(1, claimed.row)]

    async def test_a_checkpoint_misses_a_record_at_the_end(self, medium):
        async with opened(medium) as store:
            await append(store, *[one("a", seq) for seq in (1, 2, 3)])
            await medium.replace_record("a", 2, None)
            error = await checkpoint(store, "a", 2)
            assert isinstance(error, CorruptActorError)
            assert error.seq == 2

    async def test_rows_are_ordered_by_table_and_key(self, medium):
        async with opened(medium) as store:
            rows = [put(t, k) for t in (3, 1, 2) for k in (b"\xff", b"", b"a", b"ab", b"\0")]
            await append(store, one("b", 1, *rows), one("a", 1, *rows))
            await checkpoint(store, "a", 1)
            expected = [(row.table_id, row.row) for row in sorted(rows)]
            assert (await load(store, "a")).rows == expected

    async def test_an_empty_row_is_a_row(self, medium):
        async with opened(medium) as store:
            await append(store, one("a", 1, RowChange(1, b"k", b"")))
            await checkpoint(store, "a", 1)
            assert (await load(store, "a")).rows == [(1, b"")]

    async def test_the_highest_sequence_number_survives_trims(self, medium):
        async with opened(medium) as store:
            await append(store, *[one("a", seq) for seq in range(1, 6)])
            await checkpoint(store, "a", 5)
        async with opened(medium) as store:
            assert isinstance(await append(store, one("a", 1)), SequenceConflictError)
            await store.reset()
            assert await append(store, one("a", 6)) is None

    def test_folding_equals_replaying_everything(self):
        @settings(max_examples=self.examples, deadline=None, database=None)
        @given(operations)
        def law(steps):
            asyncio.run(self._fold_law(steps))

        law()

    async def _fold_law(self, steps):
        model: dict[str, list[list[RowChange]]] = {"a": [], "b": []}
        with self.make_medium() as medium:
            store = medium.store()
            await store.open()
            for step, actor, argument in steps:
                if step == "append":
                    model[actor].append(argument)
                    assert await append(store, one(actor, len(model[actor]), *argument)) is None
                elif step == "checkpoint":
                    error = await checkpoint(store, actor, argument)
                    assert (error is None) == (argument <= len(model[actor]))
                else:
                    await store.close()
                    store = medium.store()
                    await store.open()
            for actor, history in model.items():
                snapshot = await load(store, actor)
                expected: State = {}
                for turn in history:
                    replay(expected, turn)
                assert state_of(snapshot) == expected
                assert snapshot.base_seq + len(snapshot.tail) == len(history)
                assert snapshot.base_time == snapshot.base_seq * 10
            await store.close()

    def test_changes_given_equal_folding(self):
        @settings(max_examples=self.examples, deadline=None, database=None)
        @given(operations)
        def law(steps):
            asyncio.run(self._changes_law(steps))

        law()

    async def _changes_law(self, steps):
        """One store folds its journal, the other is given what a host knows."""
        turns: dict[str, list[list[RowChange]]] = {"a": [], "b": []}
        covered = {"a": 0, "b": 0}
        with self.make_medium() as one_medium, self.make_medium() as other_medium:
            media = (one_medium, other_medium)
            stores = await open_all(media)
            for step, actor, argument in steps:
                if step == "append":
                    turns[actor].append(argument)
                    item = one(actor, len(turns[actor]), *argument)
                    outcomes = [append(store, item) for store in stores]
                elif step == "checkpoint":
                    given_changes = net(turns[actor][covered[actor] : argument])
                    outcomes = [
                        checkpoint(stores[0], actor, argument),
                        checkpoint(stores[1], actor, argument, given_changes),
                    ]
                    covered[actor] = argument
                else:
                    outcomes = []
                    for store in stores:
                        await store.close()
                    stores = await open_all(media)
                    covered = {name: (await load(stores[1], name)).base_seq for name in turns}
                errors = await asyncio.gather(*outcomes)
                assert len({type(error) for error in errors}) <= 1
                folded, given_rows = [await store.load(["a", "b"]) for store in stores]
                assert given_rows == folded
                histories = [await store.history("a", 0, 99) for store in stores]
                assert histories[0] == histories[1]
            for store in stores:
                await store.close()

    def test_any_prefix_of_a_journal_recovers_its_own_state(self):
        @settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(st.lists(changes, min_size=1, max_size=8), st.data())
        def law(turns, data):
            length = data.draw(st.integers(0, len(turns)))
            through = data.draw(st.integers(0, length))
            asyncio.run(self._prefix_law(turns[:length], through))

        law()

    async def _prefix_law(self, turns, through):
        with self.make_medium() as medium:
            async with opened(medium) as store:
                await append(store, *[one("a", seq, *turn) for seq, turn in enumerate(turns, 1)])
                assert await checkpoint(store, "a", through) is None
            async with opened(medium) as store:
                expected: State = {}
                for turn in turns:
                    replay(expected, turn)
                assert state_of(await load(store, "a")) == expected
