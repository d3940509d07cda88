"""Conformance kit of stores: whoever implements the port subclasses ``StoreConformance``."""

from __future__ import annotations

import asyncio

import pytest
from retention_conformance import RetentionConformance
from store_words import (
    append,
    checkpoint,
    keeping,
    load,
    one,
    opened,
    put,
    record,
)

from persistence import (
    ActorNameError,
    Append,
    CorruptActorError,
    CorruptRecordError,
    FencedError,
    SequenceConflictError,
    Snapshot,
    StoreClosedError,
    StoreFailedError,
    StoreOverloadedError,
)


class StoreConformance(RetentionConformance):
    async def test_opening_takes_the_next_epoch(self, medium):
        async with opened(medium):
            pass
        store = medium.store()
        description = await store.open()
        assert description.epoch == 2
        assert description.kind
        assert description.location
        assert description.durability
        await store.close()

    async def test_what_was_appended_is_loaded(self, medium):
        async with opened(medium) as store:
            first, second, third = one("a", 1, put(1, b"k")), one("a", 2), one("b", 1)
            assert await append(store, first, third) is None
            assert await append(store, second) is None
            assert await store.load(["b", "nobody", "a", "b"]) == [
                Snapshot("b", 0, 0, [], [third.record]),
                Snapshot("nobody", 0, 0, [], []),
                Snapshot("a", 0, 0, [], [first.record, second.record]),
                Snapshot("b", 0, 0, [], [third.record]),
            ]

    async def test_loading_nobody_answers_nothing(self, medium):
        async with opened(medium) as store:
            assert await store.load([]) == []
            assert await store.load(["", "\0", "\ud800"]) == [
                Snapshot(name, 0, 0, [], []) for name in ["", "\0", "\ud800"]
            ]

    async def test_a_batch_may_carry_several_records_of_one_actor(self, medium):
        async with opened(medium) as store:
            batch = [one("a", 1), one("b", 1), one("a", 2), one("a", 3)]
            assert await append(store, *batch) is None
            assert len((await load(store, "a")).tail) == 3

    async def test_outcomes_come_in_order_and_never_from_inside_the_call(self, medium):
        async with opened(medium) as store:
            told = []
            for seq in range(1, 51):
                store.append([one("a", seq)], lambda error, seq=seq: told.append((seq, error)))
            assert told == []
            assert await append(store) is None
            assert told == [(seq, None) for seq in range(1, 51)]

    async def test_an_outcome_callback_that_raises_stops_nobody(self, medium):
        reported = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        failure = ZeroDivisionError()

        def broken(_):
            raise failure

        async with opened(medium) as store:
            store.append([one("a", 1)], broken)
            assert await append(store, one("b", 1)) is None
        assert reported == [failure]

    @pytest.mark.parametrize("seq", [0, 1, 3, 7])
    async def test_a_gap_or_a_duplicate_is_a_conflict(self, medium, seq):
        async with opened(medium) as store:
            assert await append(store, one("a", 1)) is None
            error = await append(store, one("a", seq))
            assert isinstance(error, SequenceConflictError)
            assert (error.actor, error.expected, error.given) == ("a", 2, seq)

    async def test_a_conflict_is_found_without_any_memory_of_the_actor(self, medium):
        async with opened(medium) as store:
            assert await append(store, one("a", 1), one("a", 2)) is None
        async with opened(medium) as store:
            assert isinstance(await append(store, one("a", 2)), SequenceConflictError)
            await store.reset()
            assert await append(store, one("a", 3)) is None

    async def test_a_batch_that_fails_leaves_nothing(self, medium):
        async with opened(medium) as store:
            batch = [one("new", 1, wake=5), one("a", 1), one("a", 3)]
            assert isinstance(await append(store, *batch), SequenceConflictError)
            assert await store.actors("", "", 10) == []
            assert await store.due(10, 10) == []
            await store.reset()
            assert await append(store, one("new", 1), one("a", 1)) is None

    async def test_a_failure_takes_later_batches_with_it_until_the_reset(self, medium):
        async with opened(medium) as store:
            outcomes = [
                append(store, one("a", 1)),
                append(store, one("a", 3)),
                append(store, one("b", 1)),
                append(store),
            ]
            before, failed, *later = await asyncio.gather(*outcomes)
            assert before is None
            assert isinstance(failed, SequenceConflictError)
            assert [type(error) for error in later] == [StoreFailedError] * 2
            assert all(error.first is failed for error in later)
            assert isinstance(await append(store, one("b", 1)), StoreFailedError)
            await store.reset()
            assert len((await load(store, "a")).tail) == 1
            assert (await load(store, "b")).tail == []
            assert await append(store, one("a", 2), one("b", 1)) is None

    async def test_a_reset_waits_for_what_was_accepted(self, medium):
        async with opened(medium) as store:
            outcomes = [append(store, one("a", 2)), append(store, one("a", 1))]
            await store.reset()
            assert all(outcome.done() for outcome in outcomes)
            assert await append(store, one("a", 1)) is None

    async def test_a_record_of_another_sequence_number_is_refused(self, medium):
        async with opened(medium) as store:
            error = await append(store, Append("a", 1, record(2), None))
            assert isinstance(error, CorruptRecordError)
            await store.reset()
            assert isinstance(await append(store, Append("a", 1, b"", None)), CorruptRecordError)

    @pytest.mark.parametrize("name", ["", "a\0b", "x" * 513, "\ud800"])
    async def test_a_name_that_no_actor_can_have_is_refused(self, medium, name):
        async with opened(medium) as store:
            assert isinstance(await append(store, one(name, 1)), ActorNameError)
            assert isinstance(await checkpoint(store, name, 1), SequenceConflictError)

    async def test_the_queue_is_bounded(self, medium):
        async with opened(medium, pending_bytes_max=4000) as store:
            outcomes = [append(store, one("a", seq)) for seq in range(1, 101)]
            assert 0 < store.pending_bytes() <= 4000
            errors = await asyncio.gather(*outcomes)
            accepted = errors.index(next(filter(None, errors)))
            assert errors[:accepted] == [None] * accepted
            assert accepted > 1
            assert isinstance(errors[accepted], StoreOverloadedError)
            assert {type(error) for error in errors[accepted + 1 :]} == {StoreFailedError}
            assert store.pending_bytes() == 0
            await store.reset()
            assert len((await load(store, "a")).tail) == accepted
            assert await append(store, one("a", accepted + 1)) is None

    async def test_history_keeps_what_it_was_told_to(self, medium):
        async with opened(medium, retention=keeping(2)) as store:
            batch = [one("a", seq) for seq in range(1, 7)]
            await append(store, *batch)
            records = [item.record for item in batch]
            assert await store.history("a", 0, 100) == records
            await checkpoint(store, "a", 5)
            assert await store.history("a", 0, 100) == records[3:]
            assert await store.history("a", 4, 1) == records[4:5]
            assert await store.history("a", 6, 1) == []
            assert await store.history("nobody", 0, 1) == []
            assert (await load(store, "a")).tail == records[5:]

    async def test_due_actors_come_earliest_first(self, medium):
        async with opened(medium) as store:
            wakes = {"late": 30, "b": 10, "a": 10, "never": 0, "unset": None, "first": 5}
            await append(store, *[one(name, 1, wake=wake) for name, wake in wakes.items()])
            assert await store.due(10, 9) == [("first", 5), ("a", 10), ("b", 10)]
            assert await store.due(10, 2) == [("first", 5), ("a", 10)]
            assert await store.due(4, 9) == []
            await append(store, one("first", 2, wake=None), one("a", 2, wake=0))
            await append(store, one("b", 2, wake=50), one("b", 3, wake=7), one("b", 4, wake=40))
            assert await store.due(100, 9) == [("first", 5), ("late", 30), ("b", 40)]
        async with opened(medium) as store:
            assert await store.due(5, 9) == [("first", 5)]

    async def test_actors_are_listed_by_prefix(self, medium):
        top = "\U0010ffff"
        names = sorted(["a", "a/1", "a/2", "a/\ud7ff", "a/\ue000", "a0", "b", "a/" + top, top])
        async with opened(medium) as store:
            await append(store, *[one(name, 1) for name in names])
            assert await store.actors("", "", 100) == names
            for prefix in ["a", "a/", "a/\ud7ff", "a/" + top, top, "c", "b"]:
                matching = [name for name in names if name.startswith(prefix)]
                assert await store.actors(prefix, "", 100) == matching
            assert await store.actors("a", "a/1", 2) == ["a/2", "a/\ud7ff"]

    async def test_small_values_are_kept(self, medium):
        async with opened(medium) as store:
            assert await store.read_meta("key") is None
            await store.write_meta("key", b"")
            assert await store.read_meta("key") == b""
            await store.write_meta("key", b"\0\xff")
        async with opened(medium) as store:
            assert await store.read_meta("key") == b"\0\xff"

    async def test_a_newer_owner_fences_the_older(self, medium):
        async with opened(medium) as older:
            assert await append(older, one("a", 1)) is None
            await older.check_owner()
            async with opened(medium) as newer:
                with pytest.raises(FencedError, match="owner of epoch 2"):
                    await older.check_owner()
                await newer.check_owner()
                assert await append(newer, one("a", 2)) is None
                for seq in (2, 3):
                    error = await append(older, one("a", seq))
                    assert isinstance(error, FencedError)
                    assert (error.epoch, error.newer) == (1, 2)
                    await older.reset()
                assert isinstance(await checkpoint(older, "a", 1), FencedError)
                with pytest.raises(FencedError):
                    await older.write_meta("key", b"")
                assert await newer.read_meta("key") is None
                assert await append(newer, one("a", 3)) is None
                assert len((await load(newer, "a")).tail) == 3

    async def test_an_altered_record_concerns_its_actor_only(self, medium):
        async with opened(medium) as store:
            whole = one("a", 2, put(1, b"key", b"value")).record
            await append(store, one("a", 1), Append("a", 2, whole, None), one("b", 1))
            altered = [whole[:-1], whole + b"\0", b"", record(3)]
            altered += [
                whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :]
                for at in range(len(whole))
            ]
            for data in altered:
                await medium.replace_record("a", 2, data)
                damaged, sound = await store.load(["a", "b"])
                assert isinstance(damaged, CorruptActorError)
                assert (damaged.actor, damaged.seq) == ("a", 2)
                assert isinstance(sound, Snapshot)
            outcomes = [checkpoint(store, "a", 2), checkpoint(store, "b", 1)]
            refused, done = await asyncio.gather(*outcomes)
            assert isinstance(refused, CorruptActorError)
            assert done is None
            with pytest.raises(CorruptActorError):
                await store.history("a", 0, 10)
            await medium.replace_record("a", 2, whole)
            assert (await load(store, "a")).tail[1] == whole

    async def test_a_missing_record_is_named(self, medium):
        async with opened(medium) as store:
            await append(store, *[one("a", seq) for seq in (1, 2, 3)])
            await medium.replace_record("a", 2, None)
            (damaged,) = await store.load(["a"])
            assert isinstance(damaged, CorruptActorError)
            assert damaged.seq == 2

    async def test_closing_settles_everything_accepted(self, medium):
        store = medium.store()
        await store.open()
        outcomes = [append(store, one("a", seq)) for seq in range(1, 21)]
        outcomes.append(checkpoint(store, "a", 10))
        await store.close()
        assert [outcome.result() for outcome in outcomes] == [None] * 21
        await store.close()
        async with opened(medium) as store:
            snapshot = await load(store, "a")
            assert (snapshot.base_seq, len(snapshot.tail)) == (10, 10)

    async def test_a_closed_store_says_so(self, medium):
        store = medium.store()
        for _ in range(2):
            assert isinstance(await append(store, one("a", 1)), StoreClosedError)
            assert isinstance(await checkpoint(store, "a", 1), StoreClosedError)
            for call in (
                lambda: store.load(["a"]),
                lambda: store.due(1, 1),
                lambda: store.actors("", "", 1),
                lambda: store.history("a", 0, 1),
                lambda: store.trim("", 1),
                lambda: store.read_meta("key"),
                lambda: store.write_meta("key", b""),
                store.check_owner,
                store.reset,
            ):
                with pytest.raises(StoreClosedError):
                    await call()
            await store.open()
            await store.close()
