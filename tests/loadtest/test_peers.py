from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.errors import CheckError, ServerProcessError
from loadtest.latency import Latencies, LatencySummary
from loadtest.measurement import Measurement, Window
from loadtest.peers import toolbox
from loadtest.peers.colyseus_dialect import ColyseusDialect
from loadtest.peers.contest import Run
from loadtest.peers.dialect import START, Role
from loadtest.peers.json_dialect import JsonDialect
from loadtest.peers.launch import Command, running
from loadtest.peers.link import Link, Shape, masked_frame
from loadtest.peers.page import page, publish
from loadtest.peers.parties import Listener
from loadtest.peers.report import write_report
from loadtest.peers.roster import REFERENCE, Peer, ours
from loadtest.peers.socketio_dialect import SocketIoDialect
from loadtest.peers.standings import standings, winner
from loadtest.peers.workload import WORKLOADS
from server.transport.frames import FrameParser

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / "loadtest" / "peers" / "servers"
WINDOW = Window(0.05, 0.2)
SMALL = [
    replace(work, callers=min(work.callers, 3), listeners=min(work.listeners, 4))
    for work in WORKLOADS
]


# --- the loads, on real servers


async def own_server() -> Peer:
    _durable, in_memory = await ours(ROOT, ROOT / ".genarrative", ROOT / "tests" / "bench")
    return in_memory


async def other_server() -> Peer:
    # Of the others' libraries these two are here without being installed for it.
    return Peer("pykka", JsonDialect(), Command((sys.executable, str(SERVERS / "pykka_server.py"))))


@pytest.mark.parametrize("server", [own_server, other_server])
async def test_every_workload_runs_and_passes_its_checks(server):
    peer = await server()
    for work in SMALL:
        async with running(peer.command, None) as process:
            measured = await work.run(peer.dialect, process, WINDOW)
        assert measured.operations > 0
        assert 0 < measured.latency.p50 <= measured.latency.max


async def test_a_server_that_does_not_start_says_why():
    command = Command((sys.executable, "-c", "raise SystemExit('no way')"))
    with pytest.raises(ServerProcessError, match="no way"):
        async with running(command, None):
            raise AssertionError("it started")


_COMPILED_SERVER = """
import signal, sys
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
print("ready http://127.0.0.1:1 build=compiled", flush=True)
signal.pause()
"""


async def test_a_compiled_server_runs_from_its_sources_too(tmp_path):
    checkout, cache = tmp_path / "checkout", tmp_path / "cache"
    for package in ("server", "actors", "persistence", "protocol"):
        (checkout / package).mkdir(parents=True)
        (checkout / package / "native.cpython-311.so").touch()
        (checkout / package / "__init__.py").touch()
    (checkout / "server" / "__main__.py").write_text(_COMPILED_SERVER)
    peers = await ours(checkout, cache, tmp_path)
    assert [peer.name for peer in peers] == [
        "ours, compiled, durable",
        "ours, compiled, in memory",
        "ours, durable",
        REFERENCE,
    ]
    assert peers[-1].command.folder == cache / "sources"
    assert [path.name for path in (cache / "sources" / "actors").iterdir()] == ["__init__.py"]


# --- what a link counts


class Wire:
    """What a link writes to."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.is_closed = True


class Counted:
    """Takes what a link counts."""

    def __init__(self) -> None:
        self.count = 0
        self.total: int | None = None
        self.reason = ""

    def took(self, count: int, total: int | None) -> None:
        self.count += count
        self.total = total

    def ended(self, reason: str) -> None:
        self.reason = reason


def message(total: int) -> bytes:
    return b'{"id":100,"total":%d}' % total


def frame(payload: bytes, first: int = 0x81) -> bytes:
    return bytes((first, len(payload))) + payload


def open_link() -> tuple[Link, Counted, Wire]:
    link, wire, counted = Link(None, is_text=True, heartbeat={b"2": b"3"}.get), Wire(), Counted()
    link._transport, link._is_open = wire, True
    link.count(JsonDialect().shape(message(START), START), counted)
    return link, counted, wire


@given(
    cuts=st.lists(st.integers(0, 400), max_size=8),
    strangers=st.lists(st.tuples(st.integers(0, 10), st.sampled_from(["ping", "heartbeat"]))),
)
async def test_frames_are_counted_in_any_cut_and_whatever_stands_between(cuts, strangers):
    link, counted, wire = open_link()
    frames = [frame(message(START + number)) for number in range(1, 11)]
    for place, kind in strangers:
        frames.insert(place, frame(b"hey", 0x89) if kind == "ping" else frame(b"2"))
    data = b"".join(frames)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        if start < end:
            link.data_received(data[start:end])
    assert (counted.count, counted.total, counted.reason) == (10, START + 10, "")
    assert len(wire.written) == len(strangers)


@pytest.mark.parametrize(
    "data",
    [
        frame(b'{"id":100,"error":"no such thing"}'),
        frame(message(START) + b" "),
        frame(message(START), 0x01),
        frame(b"\x03\xe8", 0x88),
    ],
    ids=["another answer", "another size", "a fragment", "a close"],
)
async def test_anything_else_ends_a_link(data):
    link, counted, wire = open_link()
    link.data_received(frame(message(START + 1)) + data)
    assert counted.count == 1
    assert counted.reason
    assert wire.is_closed


async def test_messages_that_share_a_frame_are_counted():
    link, counted, _wire = open_link()
    shape = Shape.of(b"\0" + message(START), str(START).encode(), int, 1)
    link.count(shape, counted)
    link.data_received(frame(b"\0" + message(START + 1) + message(START + 2)))
    assert (counted.count, counted.total) == (2, START + 2)


ONE, TWO = frame(message(START + 1)), frame(message(START + 2))


@pytest.mark.parametrize(
    ("reads", "are_even"),
    [
        ([ONE, TWO], [True, True]),
        ([ONE + TWO], [True]),
        ([ONE + TWO[:9], TWO[9:]], [False, False]),
        ([ONE[:1], ONE[1:], TWO], [False, False, True]),
        ([ONE + frame(b"hey", 0x89), TWO], [False, True]),
        ([ONE, frame(b"2") + TWO], [True, False]),
        ([ONE, TWO + frame(b"\x03\xe8", 0x88)], [True, False]),
        ([ONE, TWO + frame(message(START) + b" ")], [True, False]),
    ],
    ids=str,
)
async def test_a_read_is_even_that_is_whole_messages_and_nothing_else(reads, are_even):
    link, counted, _wire = open_link()
    assert [link.take_read(data) for data in reads] == are_even
    assert (counted.count, counted.total) == (2, START + 2)


async def test_a_listener_notices_what_it_was_not_told():
    link, _counted, _wire = open_link()
    listener = Listener(link, [0] * 9, Latencies(), first=0, every=1)
    listener.took(1, START + 3)
    await listener.finish(1)
    with pytest.raises(CheckError, match="updates of"):
        await listener.finish(0)
    listener.took(1, START + 5)
    with pytest.raises(CheckError, match="told"):
        await listener.finish(2)


# --- dialects


@pytest.mark.parametrize("dialect", [JsonDialect(), SocketIoDialect(), ColyseusDialect()])
@pytest.mark.parametrize("role", [Role.CALLER, Role.GIVER])
def test_calls_are_whole_masked_frames_in_turn(dialect, role):
    calls = dialect.calls(role, purses=80)
    assert calls.length == (160 if role is Role.GIVER else 125)
    frames = [masked_frame(dialect.call(0, role.value), is_text=dialect.is_text)]
    assert len(FrameParser(1 << 16).feed(b"".join(frames))) == 1
    assert calls.take(calls.length - 1, 2) == calls.take(calls.length - 1, 1) + calls.take(0, 1)


@pytest.mark.parametrize("dialect", [JsonDialect(), SocketIoDialect(), ColyseusDialect()])
@given(total=st.integers(START, 2 * START))
def test_totals_are_read_as_they_are_spelled_in_one_size(dialect, total):
    spelled = dialect.spelled(total)
    assert dialect.read(spelled) == total
    assert len(spelled) == len(dialect.spelled(START))


def test_what_is_installed_is_pinned():
    packages = json.loads((SERVERS / "package.json").read_text())["dependencies"]
    assert all(version.replace(".", "").isdigit() for version in packages.values())
    lines = (SERVERS / "requirements.txt").read_text().splitlines()
    assert all("==" in line for line in lines if not line.startswith("#"))


async def test_a_package_manager_that_fails_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerProcessError, match="npm failed"):
        toolbox.Toolbox(tmp_path / "cache").install()


# --- what comes of the runs


def run(peer: str, turn: int, micros: float, workload: str = "calls-1") -> Run:
    seconds = micros * 1_000 / 1e6
    measured = Measurement(1_000, 2.0, LatencySummary(1_000, 2_000, 3_000), seconds, 0.5)
    return Run(workload, peer, turn, measured, 2**20, f"{peer} 1.0")


RUNS = [
    run(REFERENCE, 0, 20.0),
    run("ws", 0, 10.0),
    run("ws", 1, 30.0),
    run(REFERENCE, 1, 40.0),
    run(REFERENCE, 0, 1.0, "fanout-1"),
    run("ws", 0, 4.0, "fanout-1"),
]


def test_costs_are_compared_within_a_round():
    found = standings(RUNS, REFERENCE)
    by_name = {(one.workload, one.peer): one for one in found}
    ws = by_name["calls-1", "ws"]
    assert ws.cost == pytest.approx((0.625, 0.5, 0.75))
    assert ws.micros == pytest.approx((20.0, 10.0, 30.0))
    assert winner([one for one in found if one.workload == "calls-1"]).peer == "ws"
    assert winner([one for one in found if one.workload == "fanout-1"]).peer == REFERENCE
    assert standings(RUNS[1:2], REFERENCE)[0].cost is None


def test_the_page_says_who_wins_and_who_loses():
    text = page(RUNS, standings(RUNS, REFERENCE), WORKLOADS, WINDOW, "peers.png")
    assert f"| | {REFERENCE} | ws |" in text
    assert "| `calls-1` | 1.5 | **1** |" in text
    assert "| `fanout-1` | **1** | 4.0 |" in text
    assert "| ws | ws 1.0 |" in text


def test_a_report_is_three_files_and_its_place_in_a_page(tmp_path):
    documented = tmp_path / "docs" / "performance.md"
    documented.parent.mkdir()
    whole = (ROOT / "docs" / "performance.md").read_text()
    documented.write_text(whole)
    files = write_report(RUNS, WORKLOADS, WINDOW, tmp_path / "report", documented)
    assert all(file.is_file() for file in files)
    assert (tmp_path / "docs" / "peers.png").read_bytes().startswith(b"\x89PNG")
    written = documented.read_text()
    assert "| `fanout-1` | **1** | 4.0 |" in written
    assert written.partition("<!-- peers")[0] == whole.partition("<!-- peers")[0]
    assert written.rpartition("peers: end -->")[2] == whole.rpartition("peers: end -->")[2]
    with pytest.raises(ValueError, match="no place"):
        publish("text", SERVERS / "requirements.txt")
