from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import client_frame
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from server.transport.frames import (
    Close,
    Event,
    Failure,
    FrameParser,
    Ping,
    Pong,
    binary_frames,
    close_echo,
    close_frame,
    ping_frame,
    pong_frame,
)

MESSAGE_BYTES_MAX = 4_096


def parse(data: bytes, cuts: list[int] | None = None) -> list[Event]:
    parser = FrameParser(MESSAGE_BYTES_MAX)
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts or []), len(data)]
    events: list[Event] = []
    for begin, end in itertools.pairwise(bounds):
        events += parser.feed(data[begin:end])
    return events


def oracle(data: bytes) -> list[Event]:
    """What the Sans-I/O server of websockets makes of the same bytes."""
    protocol = ServerProtocol(state=State.OPEN, max_size=MESSAGE_BYTES_MAX)
    protocol.receive_data(data)
    events: list[Event] = []
    message, kind = b"", Opcode.BINARY
    for frame in protocol.events_received():
        assert isinstance(frame, Frame)
        payload = bytes(frame.data)
        if frame.opcode is Opcode.PING:
            events.append(Ping(payload))
        elif frame.opcode is Opcode.PONG:
            events.append(Pong(payload))
        elif frame.opcode is Opcode.CLOSE:
            events.append(Close(payload))
        else:
            if frame.opcode is not Opcode.CONT:
                message, kind = b"", frame.opcode
            message += payload
            if frame.fin and kind is Opcode.BINARY:
                events.append(message)
            elif frame.fin:
                try:
                    events.append(message.decode())
                except UnicodeDecodeError:  # checked by the layer above in websockets
                    return [*events, Failure(1007, "")]
    if protocol.parser_exc is not None and not isinstance(protocol.parser_exc, EOFError):
        assert protocol.close_sent is not None
        events.append(Failure(int(protocol.close_sent.code), ""))
    return events


def without_reasons(events: list[Event]) -> list[Event]:
    return [Failure(event.code, "") if type(event) is Failure else event for event in events]


payloads = st.one_of(
    st.binary(max_size=130),
    st.text(max_size=20).map(str.encode),
    st.binary(min_size=125, max_size=128),
)
close_payloads = st.one_of(
    st.just(b""),
    st.binary(max_size=6),
    st.builds(
        lambda code, reason: struct.pack(">H", code) + reason,
        st.sampled_from(
            [999, 1000, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 2999, 3000, 4999, 5000]
        ),
        st.one_of(st.just(b"bye"), st.binary(max_size=4)),
    ),
)
good_frames = st.builds(client_frame, st.sampled_from([2, 2, 2, 1, 9, 10]), payloads)
parts = st.builds(
    lambda opcode, pieces: b"".join(
        client_frame(opcode if i == 0 else 0, piece, fin=i == len(pieces) - 1)
        for i, piece in enumerate(pieces)
    ),
    st.sampled_from([1, 2]),
    st.lists(payloads, min_size=2, max_size=4),
)
any_frames = st.builds(
    client_frame,
    st.sampled_from([0, 1, 2, 2, 3, 7, 8, 9, 10, 11, 15]),
    payloads,
    fin=st.sampled_from([True, True, False]),
    rsv=st.sampled_from([0, 0, 0, 0, 1, 2, 4]),
    mask=st.sampled_from([True, True, True, False]),
)
huge_heads = st.builds(
    lambda opcode, size: struct.pack(">BBQ", 0x80 | opcode, 0xFF, size) + b"\0\0\0\0",
    st.sampled_from([0, 1, 2]),
    st.sampled_from([MESSAGE_BYTES_MAX + 1, 2**31, 2**63, 2**64 - 1]),
)
streams = st.lists(
    st.one_of(
        good_frames,
        good_frames,
        parts,
        any_frames,
        huge_heads,
        st.builds(client_frame, st.just(8), close_payloads),
        st.binary(max_size=12),
    ),
    max_size=8,
).map(b"".join)


@given(streams, st.lists(st.integers(0, 600), max_size=6))
def test_agrees_with_the_sans_io_server_of_websockets(stream, cuts):
    # Ours may fail at a frame's head where theirs waits for its end, so the stream is completed
    # by enough zeros to end any frame, which then are frames without a mask: an error in both.
    stream += bytes(MESSAGE_BYTES_MAX + 20)
    assert without_reasons(parse(stream, cuts)) == oracle(stream)


@given(streams, st.lists(st.integers(0, 600), max_size=6))
def test_cuts_between_reads_do_not_matter(stream, cuts):
    assert parse(stream, cuts) == parse(stream)


def test_byte_by_byte():
    stream = client_frame(2, b"x" * 300) + client_frame(9, b"p") + client_frame(1, "é".encode())
    assert parse(stream, list(range(len(stream)))) == [b"x" * 300, Ping(b"p"), "é"]


def test_a_message_of_the_greatest_size_passes_and_one_byte_more_does_not():
    assert parse(client_frame(2, b"x" * MESSAGE_BYTES_MAX)) == [b"x" * MESSAGE_BYTES_MAX]
    (failure,) = parse(client_frame(2, b"x" * (MESSAGE_BYTES_MAX + 1))[:20])
    assert failure == Failure(1009, "message is larger than 4096 bytes")


def test_fragments_count_together():
    half = b"x" * (MESSAGE_BYTES_MAX // 2)
    stream = client_frame(2, half, fin=False) + client_frame(0, half, fin=False)
    assert parse(stream + client_frame(0, b"")) == [half + half]
    assert parse(stream + client_frame(9, b"ping") + client_frame(0, b"x")) == [
        Ping(b"ping"),
        Failure(1009, "message is larger than 4096 bytes"),
    ]


def test_nothing_is_read_after_a_close_frame():
    parser = FrameParser(MESSAGE_BYTES_MAX)
    assert parser.feed(client_frame(8, b"") + client_frame(2, b"late")) == [Close(b"")]
    assert parser.feed(client_frame(2, b"later")) == []


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_binary_frames_are_those_of_websockets(size):
    payload = b"x" * size
    frame = Frame(Opcode.BINARY, payload).serialize(mask=False)
    assert binary_frames([payload]) == frame
    assert binary_frames([payload, b"y"]) == frame + b"\x82\x01y"


def test_control_frames_are_those_of_websockets():
    assert ping_frame() == Frame(Opcode.PING, b"").serialize(mask=False)
    assert pong_frame(b"abc") == Frame(Opcode.PONG, b"abc").serialize(mask=False)
    close = Frame(Opcode.CLOSE, struct.pack(">H", 1013) + b"too slow").serialize(mask=False)
    assert close_frame(1013, "too slow") == close
    assert close_echo(Close(struct.pack(">H", 1013) + b"too slow")) == close
