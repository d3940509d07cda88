from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.errors import WireError
from loadtest.frames import FrameReader, binary_frame, close_frame, pong_frame, text_frame
from server.transport.frames import (
    Close,
    FrameParser,
    Pong,
    binary_frames,
    ping_frame,
)
from server.transport.frames import (
    close_frame as server_close,
)

PAYLOADS = st.lists(
    st.one_of(st.binary(max_size=300), st.sampled_from([bytes(65_535), bytes(65_536)])),
    min_size=1,
    max_size=6,
)


@given(payloads=PAYLOADS, cuts=st.lists(st.integers(0, 70_000), max_size=8))
def test_what_a_server_sends_comes_out_whole_in_any_cut(payloads, cuts) -> None:
    data = binary_frames(payloads)
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    reader = FrameReader()
    found = []
    for start, end in pairwise(places):
        found += reader.feed(data[start:end]).messages
    assert found == payloads


@given(payloads=PAYLOADS)
def test_what_a_client_sends_is_what_the_server_reads(payloads) -> None:
    parser = FrameParser(1 << 20)
    assert parser.feed(b"".join(map(binary_frame, payloads))) == payloads


def test_control_frames_both_ways() -> None:
    reading = FrameReader().feed(ping_frame() + server_close(1013, "too slow"))
    assert reading.pings == [b""]
    assert reading.close == (1013, "too slow")
    assert FrameParser(1024).feed(pong_frame(b"x")) == [Pong(b"x")]
    assert FrameParser(1024).feed(close_frame(1000)) == [Close(b"\x03\xe8")]


def test_texts_are_messages_too() -> None:
    (payload,) = FrameParser(1024).feed(binary_frame(b"{}"))
    assert text_frame(payload) == b"\x81" + binary_frame(payload)[1:]
    data = b"\x81\x02{}" + b"\x01\x01{" + b"\x80\x01}"
    assert FrameReader().feed(data).messages == [b"{}", b"{}"]


def test_fragments_are_joined_and_pings_may_come_between() -> None:
    data = b"\x02\x02ab" + b"\x89\x01p" + b"\x80\x01c" + b"\x82\x01d"
    reading = FrameReader().feed(data)
    assert reading.messages == [b"abc", b"d"]
    assert reading.pings == [b"p"]


@pytest.mark.parametrize(
    "data",
    [b"\x82\xff" + bytes(20), b"\x83\x01a", b"\x80\x01a", b"\x02\x01a\x82\x01b"],
    ids=["masked", "unknown", "continuation of nothing", "message inside another"],
)
def test_what_no_server_sends_is_refused(data) -> None:
    with pytest.raises(WireError):
        FrameReader().feed(data)
