from __future__ import annotations

from loadtest.connection import Address
from loadtest.engine.exposition import read_metrics, scrape
from loadtest.engine.server_cost import micros_a_call
from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.server_process import running_server

TEXT = """\
# HELP calls_total Calls
# TYPE calls_total counter
calls_total{function="a b",outcome="done"} 3.0
calls_total{function="c}",outcome="done"} 4 1700000000000
wait_seconds_bucket{le="0.1"} 2
wait_seconds_sum 0.25
wait_seconds_count 2
up 1e0
"""


def test_samples_are_added_up_by_name() -> None:
    assert read_metrics(TEXT) == {
        "calls_total": 7.0,
        "wait_seconds_sum": 0.25,
        "wait_seconds_count": 2.0,
        "up": 1.0,
    }


async def test_a_server_is_asked() -> None:
    arguments = ("--module", "examples.bank", "--store", "memory:", "--log-level", "warning")
    async with running_server(*arguments) as server:
        found = await scrape(server.address)
    assert found["process_resident_memory_bytes"] > 10 * 2**20
    assert found["process_cpu_seconds_total"] > 0


async def test_nobody_there_is_no_metrics(unused_tcp_port_factory) -> None:
    assert await scrape(Address("127.0.0.1", unused_tcp_port_factory(), "bank")) == {}


def test_a_calls_cost_is_the_processors_time_between_the_seconds() -> None:
    calls = {"buy": Histogram.of({10: 30}).encode(), "look": Histogram.of({10: 20}).encode()}
    part = [
        Interval(second, calls, server_metrics={"process_cpu_seconds_total": 7.0 + second / 1_000})
        for second in range(3)
    ]
    assert round(micros_a_call(part), 3) == 20.0
    assert round(micros_a_call(part, "look"), 3) == 50.0
    assert micros_a_call([]) == 0.0
