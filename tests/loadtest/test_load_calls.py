from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtest.calls import CallRing
from loadtest.frames import binary_frame
from protocol.messages import V2, CallReducer
from server.transport.frames import FrameParser

RING = CallRing("bump", [bytes((number,)) * 8 for number in range(50)])


def answer(request_id: int) -> bytes:
    return V2.reducer_ok(request_id, 1_700_000_000_000_000, V2.dialect.transaction_body(()))


@given(start=st.integers(0, 49), count=st.integers(1, 50))
def test_a_frame_holds_the_calls_from_its_start(start, count) -> None:
    (payload,) = FrameParser(1 << 20).feed(RING.frame(start, count))
    offset, calls = 0, []
    while offset < len(payload):
        call, offset = V2.decode_client_message(payload, offset)
        calls.append(call)
    numbers = [(start + step) % 50 for step in range(count)]
    assert calls == [CallReducer(number, "bump", bytes((number,)) * 8) for number in numbers]


@given(start=st.integers(0, 49), count=st.integers(1, 50))
def test_answers_in_order_are_counted(start, count) -> None:
    data = b"\0" + b"".join(answer((start + step) % 50) for step in range(count))
    assert RING.committed(data, start) == count


@given(start=st.integers(0, 49), count=st.integers(1, 8), wrong=st.integers(0, 7))
def test_one_answer_that_is_not_the_expected_one_spoils_the_frame(start, count, wrong) -> None:
    ids = [(start + step) % 50 for step in range(count)]
    answers = [answer(number) for number in ids]
    place = wrong % count
    for other in (
        answer((ids[place] + 1) % 50),
        V2.reducer_err(ids[place], 0, "12345"),
        V2.reducer_internal_error(ids[place], 0, "12345"),
        V2.dialect.transaction_update(V2.dialect.transaction_body(()), 0),
    ):
        changed = [*answers[:place], other, *answers[place + 1 :]]
        assert RING.committed(b"\0" + b"".join(changed), start) == 0
    assert RING.committed(b"\1" + b"".join(answers), start) == 0
    assert RING.committed(b"\0", start) == 0


def test_a_single_call_is_spelled_like_any_frame() -> None:
    (payload,) = FrameParser(1 << 20).feed(RING.frame(7, 1))
    assert binary_frame(payload) == RING.frame(7, 1)
