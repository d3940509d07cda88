"""Receipts: the same request twice has one effect (domain 1.5)."""

from __future__ import annotations

from town import ACTORS, NAMES, PEOPLE, coins, new_town
from town_module import Give

from actors.limits import DEDUPED_CALLS_MAX, RECEIPT_MICROS
from actors.module.system import RequestReceipt
from protocol.messages import ReducerErr, ReducerOk

DAY = RECEIPT_MICROS / 1_000_000


async def rich_town(gold: int = 2_000):
    bench = await new_town().start()
    peer = await bench.enter(PEOPLE[0])
    await peer.result("earn", gold)
    return bench, peer


async def test_the_same_request_twice_has_one_effect():
    bench, peer = await rich_town()
    first = await peer.result("give", Give("r1", NAMES[1], 5))
    again = await peer.result("give", Give("r1", NAMES[1], 5))
    assert isinstance(first, ReducerOk)
    assert isinstance(again, ReducerOk)
    assert again.update.query_sets == []
    assert (coins(bench, 0), coins(bench, 1)) == (1_995, 5)


async def test_a_wrapped_reducer_answers_the_recorded_outcome():
    bench, peer = await rich_town()
    first = await peer.bench.host.procedures.run(
        _wrapper(bench), peer.session.caller, _encoded(bench, "r1", 5)
    )
    await peer.result("earn", 1)
    again = await peer.bench.host.procedures.run(
        _wrapper(bench), peer.session.caller, _encoded(bench, "r1", 5)
    )
    assert first == again
    assert coins(bench, 0) == 1_996


def _wrapper(bench):
    from actors.host.endpoints import ProcedureEndpoint

    endpoint = bench.host.reducers["give"]
    return ProcedureEndpoint(
        "give_and_return", endpoint, False, True, False, endpoint.encode_answer
    )


def _encoded(bench, request_id: str, count: int) -> bytes:
    return bench.host.encode_arguments("give", (Give(request_id, NAMES[1], count),))


async def test_the_same_id_for_another_call_is_a_conflict():
    bench, peer = await rich_town()
    await peer.result("give", Give("r1", NAMES[1], 5))
    outcome = await peer.result("give", Give("r1", NAMES[1], 6))
    assert isinstance(outcome, ReducerErr)
    assert outcome.error.startswith("idempotency.conflict")
    assert coins(bench, 0) == 1_995


async def test_a_failed_call_may_be_tried_again():
    bench, peer = await rich_town(3)
    assert isinstance(await peer.result("give", Give("r1", NAMES[1], 5)), ReducerErr)
    await peer.result("earn", 2)
    assert isinstance(await peer.result("give", Give("r1", NAMES[1], 5)), ReducerOk)
    assert coins(bench, 1) == 5


async def test_a_receipt_survives_a_crash():
    bench, peer = await rich_town()
    bench.store.hold()
    peer.call("give", Give("lost", NAMES[1], 1))
    await bench.turns()
    bench.store.release(1)
    await bench.crash()
    await bench.start()
    again = await bench.enter(PEOPLE[0])
    assert isinstance(await again.result("give", Give("lost", NAMES[1], 1)), ReducerOk)
    await bench.settle()
    assert (coins(bench, 0), coins(bench, 1)) == (1_999, 1)


async def test_a_call_that_was_never_stored_happens_when_it_is_repeated():
    bench, peer = await rich_town()
    bench.store.hold()
    peer.call("give", Give("lost", NAMES[1], 1))
    await bench.turns()
    await bench.crash()
    await bench.start()
    again = await bench.enter(PEOPLE[0])
    await again.result("give", Give("lost", NAMES[1], 1))
    assert (coins(bench, 0), coins(bench, 1)) == (1_999, 1)


async def test_the_newest_receipts_are_kept():
    bench, peer = await rich_town()
    for number in range(DEDUPED_CALLS_MAX + 3):
        peer.call("give", Give(f"r{number}", NAMES[1], 1))
        if number == DEDUPED_CALLS_MAX:
            peer.call("refuse", "a roll back in between")
    await bench.settle()
    receipts = bench.rows(ACTORS[0], RequestReceipt)
    assert len(receipts) == DEDUPED_CALLS_MAX
    kept = {receipt.receipt_id.rpartition(":")[2] for receipt in receipts}
    assert kept == {f"r{number}" for number in range(3, DEDUPED_CALLS_MAX + 3)}
    assert isinstance(await peer.result("give", Give("r3", NAMES[1], 1)), ReducerOk)
    assert coins(bench, 0) == 2_000 - DEDUPED_CALLS_MAX - 3
    await peer.result("give", Give("r2", NAMES[1], 1))
    assert coins(bench, 0) == 2_000 - DEDUPED_CALLS_MAX - 4


async def test_a_day_later_the_id_is_free_again():
    bench, peer = await rich_town()
    await peer.result("give", Give("r1", NAMES[1], 5))
    bench.clock.advance(DAY - 1)
    assert isinstance(await peer.result("give", Give("r1", NAMES[1], 6)), ReducerErr)
    bench.clock.advance(2)
    assert isinstance(await peer.result("give", Give("r1", NAMES[1], 6)), ReducerOk)
    assert coins(bench, 0) == 2_000 - 11
    (receipt,) = bench.rows(ACTORS[0], RequestReceipt)
    assert receipt.committed_at > bench.clock() - 1_000_000
    again = await peer.result("give", Give("r1", NAMES[1], 6))
    assert isinstance(again, ReducerOk)
    assert coins(bench, 0) == 2_000 - 11
