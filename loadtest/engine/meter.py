"""Meter: what one process of a load has seen, second by second, and which rules were broken."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from loadtest.interval import Interval
from loadtest.latency import Latencies
from loadtest.limits import BROKEN_TOLD_MAX

__all__ = ["Meter"]


class Meter:
    """Counts of one process. Loop thread. Moments are nanoseconds of the monotonic clock.

    Attributes:
        connections: open now.
        notes: sums that a scenario keeps for its check in the end, by name; those of all processes
            are added up.
        broken: rules that were broken, in words, and how often.
    """

    def __init__(self) -> None:
        self.connections = 0
        self.notes = Counter[str]()
        self.broken = Counter[str]()
        self._calls: defaultdict[str, Latencies] = defaultdict(Latencies)
        self._errors = Counter[str]()
        self._deliveries = 0
        self._delays = Latencies()

    def latencies(self, kind: str) -> Latencies:
        """Where the latencies of a kind of call are recorded."""
        return self._calls[kind]

    def answered(self, kind: str, due: int) -> None:
        """Note the answer, now, to a call that was due then; a refusal is one too."""
        self._calls[kind].record(time.monotonic_ns() - due)

    def failed(self, code: str) -> None:
        """Note a refusal or failure."""
        self._errors[code] += 1

    def delivered(self, due: int | None = None, count: int = 1) -> None:
        """Note updates that came now; ``due`` is when what caused the first of them was."""
        self._deliveries += count
        if due is not None:
            self._delays.record(time.monotonic_ns() - due, count)

    def broke(self, rule: str) -> None:
        """Note a broken rule; words of many are cut off, their number is not."""
        if rule in self.broken or len(self.broken) < BROKEN_TOLD_MAX:
            self.broken[rule] += 1
        else:
            self.broken["further rules, not told"] += 1

    def cut(self, second: int, arrivals: int, cpu: float, lag_ms: float) -> Interval:
        """End a second: everything noted since the last one, which is forgotten here.

        Args:
            second: its number.
            arrivals: calls that were due in it.
            cpu: of this process, in cores.
            lag_ms: the latest that the loop came back in it.
        """
        calls = {
            kind: latencies.histogram().encode()
            for kind, latencies in self._calls.items()
            if len(latencies)
        }
        interval = Interval(
            second,
            calls,
            dict(self._errors),
            self._deliveries,
            self.connections,
            cpu,
            lag_ms,
            delivery_latency=self._delays.histogram().encode(),
            arrivals=arrivals,
        )
        for latencies in self._calls.values():
            latencies.clear()
        self._delays.clear()
        self._errors.clear()
        self._deliveries = 0
        return interval
