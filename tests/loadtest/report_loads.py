"""Loads that never ran: outcomes for tests of reports, the same for the same seed."""

from __future__ import annotations

import functools
import random
from datetime import UTC, datetime

from loadtest.histogram import Histogram
from loadtest.interval import Interval
from loadtest.outcome import Outcome
from loadtest.reports.document import Machine, Report
from loadtest.reports.slo import parse_slo
from loadtest.reports.summary import summarize

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MACHINE = Machine(
    processor="a processor",
    cores=2,
    memory_bytes=8 * 2**30,
    system="a system",
    python="CPython 3.11.2",
    load_average=(0.5, 0.25, 0.125),
)

_MADE: dict[tuple[object, ...], Report] = {}


def latencies(chance: random.Random, count: int, typical_micros: float) -> str:
    histogram = Histogram()
    for _ in range(count):
        histogram.record(int(chance.lognormvariate(0, 0.5) * typical_micros))
    return histogram.encode()


def readings(second: int, calls: int) -> dict[str, float]:
    """What the server's metrics would be after so many calls a second."""
    done = (second + 10) * calls
    return {
        "process_cpu_seconds_total": done * 0.0002,
        "process_resident_memory_bytes": 200e6 + done * 10,
        "genarrative_turns_total": done * 2.0,
        "genarrative_turn_seconds_sum": done * 0.0001,
        "genarrative_turn_seconds_count": float(done),
        "genarrative_commit_seconds_sum": done * 0.002,
        "genarrative_commit_seconds_count": float(done),
        "genarrative_mailbox_messages": float(second % 7),
        "genarrative_actors": 100.0,
    }


@functools.cache
def intervals_of(seconds, calls, slower, noise, seed, errors) -> list[Interval]:
    chance = random.Random(seed)
    intervals = []
    for second in range(-5, seconds):
        drift = slower * chance.lognormvariate(0, noise)
        intervals.append(
            Interval(
                second,
                calls={
                    "begin_story": latencies(chance, calls // 4, 9_000 * drift),
                    "choose": latencies(chance, calls - calls // 4, 3_000 * drift),
                },
                errors={"limit.rate_exceeded": errors} if errors else {},
                deliveries=calls * 3,
                connections=min(50, 10 * (second + 6)),
                generator_cpu=0.3,
                generator_lag_ms=1.5,
                server_metrics=readings(second, calls),
                delivery_latency=latencies(chance, calls, 4_000 * drift),
                arrivals=calls,
            )
        )
    return intervals


def outcome(
    *,
    seconds: int = 40,
    calls: int = 120,
    slower: float = 1.0,
    noise: float = 0.05,
    seed: int = 1,
    errors: int = 0,
    **changes,
) -> Outcome:
    """A load of two kinds of calls with five seconds of warm-up."""
    intervals = list(intervals_of(seconds, calls, slower, noise, seed, errors))
    options = {"users": 50, "rate": calls, "duration": seconds, "url": "ws://127.0.0.1:3000"}
    facts = {"broken promises": 0.0, "total": "as it was"}
    server = "ready http://127.0.0.1:3000 store=memory"
    given = {"options": options, "facts": facts, "server": server, "duration": seconds, **changes}
    return Outcome("story", intervals=intervals, **given)


def report(*slos: str, **changes) -> Report:
    """The report of such a load; it is frozen, and made once."""
    key = slos, repr(changes)
    if key not in _MADE:
        bounds = [parse_slo(slo) for slo in slos]
        _MADE[key] = summarize(outcome(**changes), bounds, BEGAN, MACHINE)
    return _MADE[key]
