"""Tally: what many players did together: calls, refusals, endings and broken rules."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from loadtest.latency import Latencies

__all__ = ["Tally"]


class Tally:
    """Counts of one load. Loop thread.

    Attributes:
        calls: calls that were answered, refused ones included.
        latencies: of the answered calls, by kind.
        refusals: refused calls by error code.
        finished: players whose playthrough ended as it should.
        failures: why the others ended, by reason.
        violations: broken rules, in words, in the order in which they were noticed.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.latencies: defaultdict[str, Latencies] = defaultdict(Latencies)
        self.refusals = Counter[str]()
        self.finished = 0
        self.failures = Counter[str]()
        self.violations: list[str] = []
        self._began = time.perf_counter()
        self._used = time.process_time()
        self._ended: float | None = None
        self._client_seconds = 0.0

    @property
    def seconds(self) -> float:
        """From the tally's making to its end, or to now."""
        return (self._ended or time.perf_counter()) - self._began

    @property
    def client_share(self) -> float:
        """Part of one core that the players used; known in the end.

        At 1 it is they, and not the server, who make latencies long.
        """
        return self._client_seconds / self.seconds

    def end(self) -> None:
        """Everything has been counted."""
        self._ended = time.perf_counter()
        self._client_seconds = time.process_time() - self._used

    def answered(self, kind: str, due: int) -> None:
        """Note one call's answer, now; ``due`` is a moment of the monotonic clock."""
        self.calls += 1
        self.latencies[kind].record(time.monotonic_ns() - due)

    def failed(self, code: str) -> None:
        """Note a refusal."""
        self.refusals[code] += 1

    def broke(self, rule: str) -> None:
        """Note a broken rule."""
        self.violations.append(rule)
