from __future__ import annotations

import asyncio
import itertools
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import NOW, V2, V3, Rig, answers, call, client_frame, running_rig, upgrade_request
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from protocol.messages import ReducerErr, ReducerResult
from server.limits import DEFLATE_BYTES_MIN
from server.transport.deflate import Deflate
from server.transport.frames import Event, Failure, FrameParser, data_frames

BYTES_MAX = 4_096
TAIL = b"\x00\x00\xff\xff"


@pytest.fixture
async def rig(tmp_path):
    async with running_rig(tmp_path) as running:
        yield running


def deflated(payload: bytes) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def parse(*frames: bytes, agreed: bool = True) -> list[Event]:
    parser = FrameParser(BYTES_MAX, Deflate(15) if agreed else None)
    return [event for frame in frames for event in parser.feed(frame)]


async def offered(rig: Rig, factory: ClientPerMessageDeflateFactory) -> ClientConnection:
    client = await rig.connect(extensions=[factory])
    await client.recv()
    return client


def header(client: ClientConnection) -> str | None:
    assert client.response is not None
    text: str | None = client.response.headers.get("Sec-WebSocket-Extensions")
    return text


# --- negotiation


async def test_what_is_agreed_keeps_nothing_between_messages(rig: Rig):
    client = await offered(rig, ClientPerMessageDeflateFactory())
    assert header(client) == (
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    )


@pytest.mark.parametrize("bits", [9, 12])
async def test_a_client_with_a_small_window_gets_small_windows(rig: Rig, bits):
    client = await offered(rig, ClientPerMessageDeflateFactory(server_max_window_bits=bits))
    assert f"server_max_window_bits={bits}" in str(header(client))
    text = "".join(random.choices("abcdefgh", k=30_000)) * 2
    await client.send(call(1, args=text.encode()))
    assert answers(await client.recv()) == [ReducerResult(1, NOW, ReducerErr(text))]


@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; unknown",
        "x-webkit-deflate-frame",
    ],
)
async def test_offers_that_make_no_sense_are_not_accepted(rig: Rig, offer):
    path = "/v1/database/test-db/subscribe"
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    rig.writers.append(writer)
    writer.write(upgrade_request(path, sec_websocket_extensions=offer))
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"extensions" not in head.lower()


async def test_a_second_offer_is_taken_when_the_first_makes_no_sense(rig: Rig):
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    rig.writers.append(writer)
    offer = "permessage-deflate; server_max_window_bits=8, permessage-deflate"
    path = "/v1/database/test-db/subscribe"
    writer.write(upgrade_request(path, sec_websocket_extensions=offer))
    assert b"permessage-deflate" in await reader.readuntil(b"\r\n\r\n")


async def test_it_can_be_switched_off(rig: Rig):
    rig.gateway.deflate = False
    client = await offered(rig, ClientPerMessageDeflateFactory())
    assert header(client) is None


async def test_who_does_not_offer_it_does_not_get_it(rig: Rig):
    _, writer = await rig.connect_raw()
    del writer
    (session,) = rig.host.sessions
    session.sink.deliver([bytes(100_000)])
    assert rig.gateway.metrics.bytes_sent > 100_000


# --- messages


@pytest.mark.parametrize("protocol", [V2, V3])
async def test_large_messages_are_compressed_both_ways(rig: Rig, protocol):
    client = await rig.connect(protocols=[protocol], compression="deflate")
    await client.recv()
    before = rig.gateway.metrics.bytes_sent, rig.gateway.metrics.bytes_received
    text = "the quick brown fox " * 5_000
    for number in range(3):
        await client.send(call(number, args=text.encode()))
        assert answers(await client.recv()) == [ReducerResult(number, NOW, ReducerErr(text))]
    sent = rig.gateway.metrics.bytes_sent - before[0]
    received = rig.gateway.metrics.bytes_received - before[1]
    assert sent < 3 * len(text) // 20
    assert received < 3 * len(text) // 20


async def test_a_bomb_ends_the_connection_before_it_goes_off(rig: Rig):
    client = await rig.connect(compression="deflate")
    await client.recv()
    with pytest.raises(ConnectionClosed) as caught:
        await client.send(bytes(rig.gateway.message_bytes_max * 50))
        while True:
            await client.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009


def test_small_frames_are_sent_as_they_are():
    deflate = Deflate(15)
    assert deflate.compress(bytes(DEFLATE_BYTES_MIN - 1)) is None
    assert deflate.compress(bytes(DEFLATE_BYTES_MIN)) is not None
    noise = random.Random(1).randbytes(2 * DEFLATE_BYTES_MIN)
    assert deflate.compress(noise) is None, "what does not shrink is not worth it"


@pytest.mark.parametrize("is_text", [True, False])
@pytest.mark.parametrize("size", [0, 125, 126, DEFLATE_BYTES_MIN, 65_535, 65_536, 200_000])
def test_frames_say_whether_they_are_compressed(is_text, size):
    payload = b"a" * size
    plain = data_frames([payload], is_text=is_text, deflate=None)
    packed = data_frames([payload], is_text=is_text, deflate=Deflate(15))
    first = 0x81 if is_text else 0x82
    assert plain[0] == first
    assert packed[0] == (first | 0x40 if size >= DEFLATE_BYTES_MIN else first)
    assert len(packed) <= len(plain)


@given(
    st.binary(max_size=BYTES_MAX), st.lists(st.integers(0, BYTES_MAX), max_size=3), st.booleans()
)
def test_compressed_messages_come_out_in_whatever_fragments(payload, cuts, is_text):
    if is_text:
        payload = payload.hex().encode()[:BYTES_MAX]
    data = deflated(payload)
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[begin:end] for begin, end in itertools.pairwise(bounds)]
    frames = [
        client_frame(
            (1 if is_text else 2) if number == 0 else 0,
            piece,
            fin=number == len(pieces) - 1,
            rsv=4 if number == 0 else 0,
        )
        for number, piece in enumerate(pieces)
    ]
    plain = client_frame(2, b"plain")
    assert parse(*frames, plain) == [payload.decode() if is_text else payload, b"plain"]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([client_frame(2, deflated(bytes(BYTES_MAX + 1)), rsv=4)], 1009),
        ([client_frame(2, deflated(bytes(10_000_000)), rsv=4)], 1009),
        ([client_frame(2, b"\xff\xff\xff", rsv=4)], 1007),
        ([client_frame(1, deflated(b"\xff"), rsv=4)], 1007),
        ([client_frame(2, deflated(b"x"), rsv=2)], 1002),
        ([client_frame(2, deflated(b"x"), rsv=5)], 1002),
        ([client_frame(9, b"", rsv=4)], 1002),
        ([client_frame(2, b"", fin=False), client_frame(0, b"", rsv=4)], 1002),
    ],
)
def test_what_breaks_the_rules_ends_the_connection(frames, code):
    (failure,) = parse(*frames, client_frame(2, b"never heard"))
    assert isinstance(failure, Failure)
    assert failure.code == code


def test_a_bomb_takes_no_more_memory_than_a_message():
    bomb = deflated(bytes(50_000_000))
    tracemalloc.start()
    try:
        assert Deflate(15).decompress(bomb, BYTES_MAX) is None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_without_agreement_nothing_may_be_compressed():
    (failure,) = parse(client_frame(2, deflated(b"x"), rsv=4), agreed=False)
    assert isinstance(failure, Failure)
    assert failure.code == 1002


def test_a_message_that_ends_its_stream_is_read_too():
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = deflater.compress(b"hello") + deflater.flush(zlib.Z_FINISH)
    assert parse(client_frame(2, data + b"\x00", rsv=4)) == [b"hello"]


async def test_equal_messages_are_compressed_once(rig: Rig, monkeypatch):
    compressed = []
    compress = Deflate.compress

    def counted(self: Deflate, payload: bytes) -> bytes | None:
        compressed.append(len(payload))
        return compress(self, payload)

    monkeypatch.setattr(Deflate, "compress", counted)
    clients = [await rig.connect(compression="deflate") for _ in range(4)]
    plain = await rig.connect()
    for client in (*clients, plain):
        await client.recv()
    compressed.clear()
    message = bytes(5_000)
    for session in rig.host.sessions:
        session.sink.deliver([message])
    for client in (*clients, plain):
        assert await client.recv() == b"\x00" + message
    assert compressed == [5_001]
