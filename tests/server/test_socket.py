from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from rig import NOW, V2, V3, Rig, answers, call, client_frame, running_rig, upgrade_request
from websockets.exceptions import ConnectionClosed, InvalidStatus

from protocol.messages import InitialConnection, ReducerErr, ReducerResult
from protocol.values import ConnectionId
from server.limits import INBOUND_PENDING_HIGH, INBOUND_PENDING_MAX, OUTBOUND_BYTES_MAX


@pytest.fixture
async def rig(tmp_path):
    async with running_rig(tmp_path) as running:
        yield running


def echoed(request_id: int, text: str) -> ReducerResult:
    return ReducerResult(request_id, NOW, ReducerErr(text))


async def drain(client) -> None:
    while True:
        await client.recv()


async def closed(client) -> ConnectionClosed:
    with pytest.raises(ConnectionClosed) as caught:
        await drain(client)
    return caught.value


# --- handshake


async def test_the_first_message_says_who_we_are(rig: Rig):
    client = await rig.connect()
    assert client.subprotocol == V3
    (initial,) = answers(await client.recv())
    assert isinstance(initial, InitialConnection)
    response = client.response
    assert response is not None
    assert response.headers["spacetime-identity"] == str(initial.identity)
    assert response.headers["spacetime-identity-token"] == initial.token
    claims = await rig.authenticator.verify(initial.token)
    assert claims.identity == initial.identity


async def test_a_token_comes_back_in_the_first_message(rig: Rig):
    bearer = rig.authenticator.mint_anonymous()
    for client in (
        await rig.connect(f"?token={bearer.token}"),
        await rig.connect(additional_headers={"Authorization": f"Bearer {bearer.token}"}),
        await rig.connect(
            "?token=garbage", additional_headers={"Authorization": f"Bearer {bearer.token}"}
        ),
    ):
        (initial,) = answers(await client.recv())
        assert initial.identity == bearer.claims.identity
        assert initial.token == bearer.token


async def test_options_reach_the_session(rig: Rig):
    await rig.connect(f"?confirmed=false&compression=Gzip&light=true&connection_id={1:032x}")
    await rig.connect(protocols=[V2])
    first, second = (session.opened for session in rig.host.sessions)
    assert first["connection_id"] == ConnectionId(1)
    assert first["confirmed"] is False
    assert second["confirmed"] is True
    assert second["connection_id"] != 0


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/v1/database/other/subscribe", 404, "`other` not found"),
        ("/v1/database/%22x/subscribe", 404, '`"x` not found'),
        ("/v1/ping", 404, ""),
        ("/v1/database/test-db/subscribe?token=garbage", 401, "token is malformed"),
        ("/v1/database/test-db/subscribe?compression=gzip", 400, "compression is"),
        ("/v1/database/test-db/subscribe?confirmed=1", 400, "confirmed is"),
        (f"/v1/database/test-db/subscribe?connection_id={0:032x}", 400, "connection_id"),
        ("/v1/database/test-db/subscribe?connection_id=12", 400, "connection_id"),
    ],
)
async def test_refused_upgrades(rig: Rig, path, status, text):
    answer = await rig.raw(upgrade_request(path))
    assert answer.status == status
    assert text in answer.body.decode()
    assert rig.host.sessions == []
    assert rig.gateway.metrics.handshakes_refused == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"sec_websocket_protocol": None}, 400),
        ({"sec_websocket_protocol": "graphql-ws, v9.bsatn.spacetimedb"}, 400),
        ({"sec_websocket_key": "short"}, 400),
        ({"sec_websocket_key": None}, 400),
        ({"sec_websocket_version": "12"}, 400),
        ({"authorization": "Basic abc"}, 400),
        ({"authorization": "Bearer garbage"}, 401),
        ({"upgrade": None}, 426),
        ({"connection": "close", "upgrade": None}, 426),
    ],
)
async def test_refused_upgrade_headers(rig: Rig, changes, status):
    changes = {"connection": "close, upgrade"} | changes
    answer = await rig.raw(upgrade_request("/v1/database/test-db/subscribe", **changes))
    assert answer.status == status
    assert rig.host.sessions == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ((b"GET /", b"POST /"), 405),
        ((b"subscribe", b"subscribe?" + b"x" * 9_000), 414),
        ((b"host: test", b"cookie: " + b"x" * 9_000), 431),
        ((b"host: test", b"content-length: 3"), 400),
    ],
    ids=["method", "line", "header", "body"],
)
async def test_requests_that_cannot_be_upgrades(rig: Rig, change, status):
    request = upgrade_request("/v1/database/test-db/subscribe").replace(*change)
    assert (await rig.raw(request)).status == status
    assert rig.host.sessions == []


async def test_the_database_is_known_by_its_identity_too(rig: Rig):
    path = f"/v1/database/0x{rig.database.identity}/subscribe"
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    writer.write(upgrade_request(path))
    assert b" 101 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_no_upgrade_once_the_server_stops(rig: Rig):
    rig.gateway.accepting = False
    with pytest.raises(InvalidStatus) as caught:
        await rig.connect()
    assert caught.value.response.status_code == 503


async def test_a_connection_that_the_module_refuses_is_dropped_after_the_101(rig: Rig):
    rig.host.refusal = "not today"
    client = await rig.connect()
    error = await closed(client)
    assert error.rcvd is None, "no close frame"


# --- requests and answers


async def test_requests_before_the_first_message_are_answered_after_it(rig: Rig):
    rig.host.doors.clear()
    client = await rig.connect()
    await client.send(call(1, args=b"early"))
    await (await client.ping())  # answered in order: the request has arrived
    assert rig.host.sessions[0].pending == 1
    rig.host.doors.set()
    assert isinstance(answers(await client.recv())[0], InitialConnection)
    assert answers(await client.recv()) == [echoed(1, "early")]


async def test_v3_answers_of_one_read_come_in_one_frame(rig: Rig):
    client = await rig.connect()
    await client.recv()
    await client.send(b"".join(call(i, args=b"%d" % i) for i in range(100)))
    assert answers(await client.recv()) == [echoed(i, str(i)) for i in range(100)]


async def test_v2_answers_come_one_per_frame(rig: Rig):
    client = await rig.connect(protocols=[V2])
    await client.recv()
    reader = [await client.send(call(i)) or answers(await client.recv()) for i in range(3)]
    assert reader == [[echoed(i, "")] for i in range(3)]


async def test_fragments_and_pings_between_them(rig: Rig):
    client = await rig.connect()
    await client.recv()
    whole = call(7, args=b"x" * 1_000)
    pieces = [whole[i : i + 100] for i in range(0, len(whole), 100)]
    await client.send(pieces)
    assert answers(await client.recv()) == [echoed(7, "x" * 1_000)]
    assert await (await client.ping(b"payload")) >= 0


async def test_large_messages_both_ways(rig: Rig):
    client = await rig.connect()
    await client.recv()
    await client.send(call(1, args=b"x" * 1_000_000))
    assert answers(await client.recv()) == [echoed(1, "x" * 1_000_000)]


# --- broken rules


@pytest.mark.parametrize(
    ("frame", "code", "reason"),
    [
        (client_frame(1, b"{}"), 1011, "binary frames only"),
        (client_frame(2, b""), 1011, ""),
        (client_frame(2, b"\x09"), 1011, ""),
        (client_frame(2, call(1)[:-1]), 1011, ""),
        (client_frame(2, b"\x03\x00\x00\x00\x00\x01" + call(1)[6:]), 1011, "flags"),
        (client_frame(1, b"\xff"), 1007, "UTF-8"),
        (client_frame(2, b"x", mask=False), 1002, "mask"),
        (client_frame(2, b"x", rsv=4), 1002, "reserved"),
        (client_frame(3, b"x"), 1002, "opcode"),
        (client_frame(0, b"x"), 1002, "continuation"),
        (client_frame(9, b"x" * 126), 1002, "too long"),
        (client_frame(8, struct.pack(">H", 1005)), 1002, "status"),
        (struct.pack(">BBQ", 0x82, 0xFF, 2**40), 1009, "larger than 1048576"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value),
)
async def test_a_broken_rule_is_answered_and_ends_the_connection(rig: Rig, frame, code, reason):
    reader, writer = await rig.connect_raw()
    writer.write(client_frame(2, call(1)) + frame + client_frame(2, call(2)))
    data = await reader.read()
    assert rig.host.sessions[0].received == 1, "what came before is done, what came after is not"
    close = data[data.rindex(b"\x88") :]
    assert struct.unpack(">H", close[2:4]) == (code,)
    assert reason in close[4:].decode()
    await rig.host.sessions[0].ended.wait()


async def test_the_close_frame_of_a_client_is_echoed(rig: Rig):
    reader, writer = await rig.connect_raw()
    payload = struct.pack(">H", 3456) + b"bye"
    writer.write(client_frame(8, payload))
    assert (await reader.read()).endswith(b"\x88" + bytes((len(payload),)) + payload)
    await rig.host.sessions[0].ended.wait()
    assert rig.gateway.metrics.connections_open == 0


async def test_a_lost_connection_ends_its_session(rig: Rig):
    _reader, writer = await rig.connect_raw()
    writer.transport.abort()
    await rig.host.opened.wait()
    await rig.host.sessions[0].ended.wait()


async def test_a_session_can_close_its_connection_and_go_on_delivering(rig: Rig):
    client = await rig.connect()
    await client.recv()
    await client.send(call(1, "abort") + call(2))
    error = await closed(client)
    assert (error.rcvd.code, error.rcvd.reason) == (1011, "as asked")
    rig.host.sessions[0].release()


async def test_a_session_that_fails_costs_its_own_connection_only(rig: Rig):
    client, other = await rig.connect(), await rig.connect()
    await client.recv()
    await other.recv()
    await client.send(call(1, "crash"))
    assert (await closed(client)).rcvd.code == 1011
    await other.send(call(1))
    assert answers(await other.recv()) == [echoed(1, "")]


# --- pressure


async def test_a_client_that_never_reads_is_closed_and_nobody_else_waits(rig: Rig):
    _reader, writer = await rig.connect_raw()
    writer.transport.pause_reading()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    other = await rig.connect()
    await other.recv()
    flood = client_frame(2, call(1, "flood", b"%d" % (OUTBOUND_BYTES_MAX // 8)))
    for i in range(40):
        writer.write(flood)
        await other.send(call(i))
        assert answers(await other.recv()) == [echoed(i, "")]
        if rig.host.sessions[0].ended.is_set():
            break
    await rig.host.sessions[0].ended.wait()
    assert rig.gateway.metrics.slow_readers == 1


async def test_one_large_answer_closes_nobody(rig: Rig):
    client = await rig.connect()
    await client.recv()
    await client.send(call(1, "flood", b"%d" % (2 * OUTBOUND_BYTES_MAX)))
    frame = await client.recv()
    assert len(frame) > 2 * OUTBOUND_BYTES_MAX
    await client.send(call(2))
    assert answers(await client.recv()) == [echoed(2, "")]


async def test_reading_stops_while_too_much_is_unanswered(rig: Rig):
    client, other = await rig.connect(), await rig.connect()
    await client.recv()
    await other.recv()
    session = rig.host.sessions[0]
    await client.send(call(0, "hold") * (INBOUND_PENDING_HIGH + 1))
    await session.until_pending(INBOUND_PENDING_HIGH + 1)
    await client.send(call(1))
    for i in range(3):  # others are served meanwhile
        await other.send(call(i))
        assert answers(await other.recv()) == [echoed(i, "")]
    assert session.received == INBOUND_PENDING_HIGH + 1
    session.release()
    assert len(answers(await client.recv())) == INBOUND_PENDING_HIGH + 1
    assert answers(await client.recv()) == [echoed(1, "")]


async def test_reading_goes_on_by_the_clock_when_nothing_is_delivered(rig: Rig):
    client = await rig.connect()
    await client.recv()
    (session,) = rig.host.sessions
    await client.send(call(0, "hold") * (INBOUND_PENDING_HIGH + 1))
    await session.until_pending(INBOUND_PENDING_HIGH + 1)
    await client.send(call(1))
    session.held.clear()
    rig.gateway.wheel.advance(asyncio.get_running_loop().time() + 2)
    assert answers(await client.recv()) == [echoed(1, "")]


async def test_a_burst_beyond_the_limit_is_too_many_requests(rig: Rig):
    client = await rig.connect()
    await client.recv()
    await client.send(call(0, "hold") * (INBOUND_PENDING_MAX + 1))
    error = await closed(client)
    assert (error.rcvd.code, error.rcvd.reason) == (1013, "too many requests")
    assert rig.host.sessions[0].received == 0


# --- keep-alive


async def next_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, length = await reader.readexactly(2)
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2))
    return first & 0x0F, await reader.readexactly(length)


async def test_a_ping_comes_at_once_and_then_every_fifteen_seconds(rig: Rig):
    reader, writer = await rig.connect_raw()
    wheel = rig.gateway.wheel
    start = asyncio.get_running_loop().time()
    assert await next_frame(reader) == (9, b"")
    assert (await next_frame(reader))[0] == 2
    writer.write(client_frame(10, b"") + client_frame(9, b"barrier"))
    assert await next_frame(reader) == (10, b"barrier")
    wheel.advance(start + 14)
    wheel.advance(start + 17)
    assert await next_frame(reader) == (9, b"")
    writer.write(client_frame(9, b"barrier"))
    assert await next_frame(reader) == (10, b"barrier")
    wheel.advance(start + 40)  # no second ping while a pong is outstanding
    writer.write(client_frame(9, b"barrier"))
    assert await next_frame(reader) == (10, b"barrier")
    assert not rig.host.sessions[0].ended.is_set()


async def test_a_silent_peer_is_dropped_without_a_close_frame(rig: Rig):
    reader, _writer = await rig.connect_raw()
    assert await next_frame(reader) == (9, b"")
    assert (await next_frame(reader))[0] == 2
    rig.gateway.wheel.advance(asyncio.get_running_loop().time() + 32)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
        await next_frame(reader)
    await rig.host.sessions[0].ended.wait()


async def test_the_server_goes_away_with_1012(rig: Rig):
    client = await rig.connect()
    await client.recv()
    await rig.listener.stop()
    error = await closed(client)
    assert error.rcvd.code == 1012
    await rig.host.sessions[0].ended.wait()


async def test_admission_is_handed_to_the_session(tmp_path):
    def admit(_claims, _now, _rate) -> bool:
        return False

    async with running_rig(tmp_path, admission=admit) as limited:
        await limited.connect()
        assert limited.host.sessions[0].opened["admission"] is admit
