"""Version 1 over real sockets; what it says is tested with the host."""

from __future__ import annotations

import json
import time

import pytest
from rig import NOW, V2, V3, Rig, running_rig
from websockets.exceptions import ConnectionClosed

from protocol.client import Client
from protocol.messages import InitialConnection, ReducerErr, ReducerResult, Wires
from protocol.schema import FunctionSchema, ModuleSchema
from protocol.types import STRING, Field, ProductType
from protocol.upgrade import Subprotocol

BSATN, JSON = Subprotocol.V1_BSATN.value, Subprotocol.V1_JSON.value
SCHEMA = ModuleSchema(reducers=(FunctionSchema("echo", ProductType((Field("text", STRING),))),))


@pytest.fixture
async def rig(tmp_path):
    async with running_rig(tmp_path) as running:
        running.gateway.wires = Wires(SCHEMA, time.perf_counter)
        yield running


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([JSON], JSON),
        ([BSATN], BSATN),
        ([JSON, BSATN], BSATN),
        ([JSON, BSATN, V2], V2),
        ([JSON, V2, BSATN, V3], V3),
    ],
)
async def test_the_newest_version_that_is_offered_is_spoken(rig: Rig, offered, chosen):
    client = await rig.connect(protocols=offered)
    assert client.subprotocol == chosen
    assert rig.host.sessions[0].opened["subprotocol"] == chosen


@pytest.mark.parametrize("protocol", [BSATN, JSON])
@pytest.mark.parametrize(
    ("query", "confirmed"),
    [("", False), ("?confirmed=true", True), ("?confirmed=false&light=true", False)],
)
async def test_version_one_does_not_wait_unless_it_is_asked_to(
    rig: Rig, protocol, query, confirmed
):
    await rig.connect(query, protocols=[protocol])
    assert rig.host.sessions[0].opened["confirmed"] is confirmed


@pytest.mark.parametrize("protocol", [BSATN, JSON])
@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_calls_and_answers(rig: Rig, protocol, compression):
    socket = await rig.connect(protocols=[protocol], compression=compression)
    client = Client(Subprotocol(protocol), schema=SCHEMA)
    text = "x" * 10_000
    number = client.call_reducer("echo", len(text).to_bytes(4, "little") + text.encode())
    for frame in client.frames():
        await socket.send(frame, text=client.is_text)
    messages = []
    while len(messages) < 2:
        frame = await socket.recv()
        assert isinstance(frame, str) == client.is_text
        messages += client.receive_frame(frame.encode() if isinstance(frame, str) else frame)
    hello, result = messages
    assert isinstance(hello, InitialConnection)
    assert hello == client.hello
    said = (b"\x10'\x00\x00" + text.encode()).decode()
    assert result == ReducerResult(number, NOW, ReducerErr(said))
    assert client.pending == {}


async def test_json_is_said_without_a_tag(rig: Rig):
    socket = await rig.connect(protocols=[JSON])
    hello = await socket.recv()
    assert isinstance(hello, str)
    assert json.loads(hello)["IdentityToken"]["token"]


@pytest.mark.parametrize(
    ("protocol", "frame", "reason"),
    [
        (JSON, b"{}", "this protocol has text frames only"),
        (BSATN, "{}", "this protocol has binary frames only"),
        (JSON, "{", "no JSON"),
        (JSON, '{"Nothing":{}}', "expected one of the variants"),
        (BSATN, b"\xff", ""),
        (BSATN, b"", ""),
    ],
)
async def test_what_is_no_request_closes_the_connection(rig: Rig, protocol, frame, reason):
    socket = await rig.connect(protocols=[protocol])
    await socket.send(frame)
    with pytest.raises(ConnectionClosed) as caught:
        while True:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1011
    assert reason in caught.value.rcvd.reason


async def test_equal_bytes_of_two_versions_are_framed_apart(rig: Rig):
    old, new = await rig.connect(protocols=[BSATN]), await rig.connect(protocols=[JSON])
    await old.recv()
    await new.recv()
    for session in rig.host.sessions:
        session.sink.deliver([b"{}"])
    assert await old.recv() == b"\x00{}"
    assert await new.recv() == "{}"
