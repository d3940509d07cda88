"""A short campaign, always the same, and what campaigns have found before.

``make fuzz`` runs a million cases.
"""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from campaign import faults_of_log, run_campaign
from fuzzed_server import fuzzed, tokens_of
from raw_socket import BINARY, COMPRESSED, FINAL, Ended, RawSocket, deflated, frame
from served import Served

SEED = "a short campaign"
CASES = 8_000
SECONDS_MAX = 15.0

GROWTH_MAX = 1.25
"""More than a long campaign may have: after so short a warm-up caches still fill."""

PIECES = 2_000
BOMB_BYTES = 400_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all: whoever breaks it, the last test finds it broken."""
    with fuzzed(tmp_path_factory.mktemp("fuzzed") / "data") as running:
        yield running
        running.stop()


@pytest.fixture(autouse=True)
def nothing_is_logged(server: Served) -> Iterator[None]:
    """After each test the server is well, and has logged no error."""
    yield
    assert server.get("/healthz")[0] == 200
    assert not faults_of_log(server.log())


def peak_memory(server: Served) -> float:
    """Most bytes of memory that the server's process ever had."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) * 1024
    raise AssertionError("the system does not say")


def test_mutated_frames_and_requests_harm_nobody(server: Served):
    verdict = run_campaign(
        server.port,
        tokens_of(server),
        seed=SEED,
        cases=CASES,
        seconds=SECONDS_MAX,
        processes=2,
    )
    print(verdict)
    assert not verdict.faults, "\n".join(verdict.faults)
    assert verdict.cases > 0
    assert verdict.memory_end < verdict.memory_warm * GROWTH_MAX
    assert len(verdict.latencies) > 10


@pytest.mark.parametrize("nonsense", [b"\0 nonsense", b"POST / HTTP/1.1\r\nA\r\n\r\n"])
def test_nonsense_behind_requests_is_no_error_of_ours(server: Served, nonsense: bytes):
    """The first request is still under way when the connection is closed because of the third."""
    head = b"POST /v1/database/e2e/call/noop HTTP/1.1\r\nHost: x\r\n"
    slow = head + b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(slow + b"GET /v1/ping HTTP/1.1\r\nHost: x\r\n\r\n" + nonsense)
            while raw.recv(65_536):
                pass


def test_a_bomb_does_not_go_off(server: Served):
    chance = random.Random(0)
    before = peak_memory(server)
    for _ in range(2):
        raw = RawSocket(server.port)
        raw.upgrade(
            "/v1/database/e2e/subscribe",
            "Sec-WebSocket-Protocol: v2.bsatn.spacetimedb",
            "Sec-WebSocket-Extensions: permessage-deflate",
        )
        raw.send(frame(chance, BINARY, deflated(bytes(BOMB_BYTES)), head=FINAL | COMPRESSED))
        assert raw.ending().code == 1009
        raw.close()
    assert peak_memory(server) < before + BOMB_BYTES / 4


def test_who_leaves_before_the_answer_is_no_error_of_ours(server: Served):
    request = b"POST /v1/identity HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(request * 5)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_a_message_in_very_many_pieces_is_one_message(server: Served):
    chance = random.Random(0)
    raw = RawSocket(server.port)
    raw.upgrade("/v1/database/e2e/subscribe", "Sec-WebSocket-Protocol: v2.bsatn.spacetimedb")
    pieces = [frame(chance, BINARY, b"\x09", head=0)]
    pieces += [frame(chance, 0, b"", head=0) for _ in range(PIECES)]
    raw.send(b"".join((*pieces, frame(chance, 0, b"\0" * 8))))
    assert raw.ending() == Ended(1011, "unknown client message tag 9 at byte 0")
    raw.close()
