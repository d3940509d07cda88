from __future__ import annotations

import time

import message_vectors as vectors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.connection import (
    FRAME_JOINED_BYTES_MAX,
    MESSAGE_BYTES_MAX,
    MESSAGES_PER_FRAME_MAX,
    Connection,
    close_reason,
)
from protocol.errors import FrameError
from protocol.limits import CLOSE_REASON_BYTES_MAX
from protocol.messages import V2, CallReducer, OneOffQuery, Wires, encode_client_message
from protocol.schema import ModuleSchema
from protocol.upgrade import Subprotocol

NOOP = encode_client_message(CallReducer(4, "noop", b""))


def v2() -> Connection:
    return Connection(Subprotocol.V2_BSATN, V2)


def v3() -> Connection:
    return Connection(Subprotocol.V3_BSATN, V2)


def test_v3_frames_hold_many_messages():
    messages, text = vectors.C05
    assert v3().receive_frame(bytes.fromhex(text)) == messages


def test_v2_frames_hold_one_message_and_tolerate_more_bytes():
    messages, text = vectors.C05
    connection = v2()
    data = bytes.fromhex(text)
    assert connection.receive_frame(data) == messages[:1]
    assert connection.trailing_bytes == len(data) // 2


@pytest.mark.parametrize("make", [v2, v3])
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", 1011),
        ("{}", 1011),
        (b"\x09", 1011),
        (NOOP[:-1], 1011),
        (b"\x03\x01\x00\x00\x00\x07" + NOOP[6:], 1011),
    ],
)
def test_broken_frames_close_the_connection(make, frame, code):
    connection = make()
    with pytest.raises(FrameError) as caught:
        connection.receive_frame(frame)
    assert caught.value.close_code == code
    assert 0 < len(caught.value.reason.encode()) < 123
    assert connection.closing


def test_a_broken_message_delivers_nothing_of_its_frame():
    connection = v3()
    with pytest.raises(FrameError):
        connection.receive_frame(NOOP + b"\x09")
    assert connection.receive_frame(NOOP) == []


def test_a_closing_connection_ignores_requests_and_frames_nothing():
    connection = v3()
    connection.close()
    assert connection.receive_frame(NOOP) == []
    assert connection.frames([b"\x04"]) == []
    connection.close()
    assert connection.closing


def test_oversize_messages_are_refused():
    largest = NOOP.ljust(MESSAGE_BYTES_MAX, b"\x00")
    assert len(v2().receive_frame(largest)) == 1
    with pytest.raises(FrameError) as caught:
        v2().receive_frame(largest + b"\x00")
    assert caught.value.close_code == 1009


def test_too_many_messages_in_a_frame_are_refused():
    assert len(v3().receive_frame(NOOP * MESSAGES_PER_FRAME_MAX)) == MESSAGES_PER_FRAME_MAX
    with pytest.raises(FrameError) as caught:
        v3().receive_frame(NOOP * (MESSAGES_PER_FRAME_MAX + 1))
    assert (caught.value.close_code, caught.value.reason) == (1013, "too many requests")


def test_v2_sends_one_message_per_frame():
    assert v2().frames([b"\x04a", b"\x06b"]) == [b"\x00\x04a", b"\x00\x06b"]
    assert v2().frames([]) == []


def test_v3_joins_messages():
    parts, text = vectors.S20
    assert v3().frames([encoded for encoded, _, _ in parts]) == [b"\x00" + bytes.fromhex(text)]
    assert v3().frames([b"\x04"]) == [b"\x00\x04"]
    assert v3().frames([]) == []


def test_v3_frames_are_bounded_and_a_larger_message_goes_alone():
    half = bytes(FRAME_JOINED_BYTES_MAX // 2)
    large = bytes(FRAME_JOINED_BYTES_MAX + 1)
    frames = v3().frames([half, half, b"\x01", large, b"\x02"])
    assert [len(frame) - 1 for frame in frames] == [2 * len(half), 1, len(large), 1]


@given(st.lists(st.binary(min_size=1, max_size=400_000), max_size=6))
def test_v3_frames_keep_every_byte_in_order(messages):
    frames = v3().frames(messages)
    assert b"".join(frame[1:] for frame in frames) == b"".join(messages)
    assert all(frame[0] == 0 for frame in frames)


@given(st.one_of(st.binary(max_size=60), st.text(max_size=5)))
def test_random_frames_raise_frame_errors_only(frame):
    for connection in (v2(), v3()):
        fault: FrameError | None = None
        messages = []
        try:
            messages = connection.receive_frame(frame)
        except FrameError as error:
            fault = error
        assert (fault is None) == bool(messages)
        if fault is not None:
            assert fault.close_code == 1011
            assert len(fault.reason.encode()) < 123


@given(st.lists(st.sampled_from(sorted(vectors.CLIENT)), min_size=1, max_size=8))
def test_joined_messages_come_out_in_order(names):
    frame = b"".join(bytes.fromhex(vectors.CLIENT[name][1]) for name in names)
    assert v3().receive_frame(frame) == [vectors.CLIENT[name][0] for name in names]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_close_reasons_are_cut_between_characters(text):
    reason = close_reason(text)
    assert text.startswith(reason)
    assert len(reason.encode()) <= CLOSE_REASON_BYTES_MAX
    assert reason == text or len(reason.encode()) > CLOSE_REASON_BYTES_MAX - 4


@pytest.mark.parametrize("subprotocol", [Subprotocol.V2_BSATN, Subprotocol.V3_BSATN])
def test_versions_two_and_three_share_a_wire(subprotocol):
    assert Wires(ModuleSchema(), time.perf_counter).open(subprotocol) is V2


@pytest.mark.parametrize("subprotocol", [Subprotocol.V1_BSATN, Subprotocol.V1_JSON])
def test_version_one_has_a_wire_for_each_connection_and_a_dialect_for_all(subprotocol):
    wires = Wires(ModuleSchema(), time.perf_counter)
    one, other = wires.open(subprotocol), wires.open(subprotocol)
    assert one is not other
    assert one.dialect is other.dialect


def test_text_protocols_take_and_make_text():
    wire = Wires(ModuleSchema(), time.perf_counter).open(Subprotocol.V1_JSON)
    connection = Connection(Subprotocol.V1_JSON, wire)
    text = '{"OneOffQuery":{"message_id":"0102","query_string":"SELECT * FROM item"}}'
    (query,) = connection.receive_frame(text)
    assert query == OneOffQuery(0, "SELECT * FROM item")
    assert connection.frames([b"{}", b"[]"]) == [b"{}", b"[]"]
    with pytest.raises(FrameError, match="text frames only"):
        connection.receive_frame(text.encode())
