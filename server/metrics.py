"""Metrics: what the process counts; counting is one addition, reading does the work."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from actors.host.histogram import SECONDS_BOUNDS, Histogram
from server.effects.counts import EffectCounts

__all__ = ["HttpTally", "Metrics"]


@dataclass(slots=True)
class HttpTally:
    """HTTP requests that were answered.

    Attributes:
        requests: by the route's template, method and status.
        seconds: what they took, by route.
    """

    requests: Counter[tuple[str, ...]] = field(default_factory=Counter)
    seconds: dict[str, Histogram] = field(default_factory=dict)

    def note(self, route: str, method: str, status: str, seconds: float) -> None:
        """Count a request."""
        self.requests[route, method, status] += 1
        histogram = self.seconds.get(route)
        if histogram is None:
            histogram = self.seconds[route] = Histogram(SECONDS_BOUNDS)
        histogram.note(seconds)


@dataclass(slots=True)
class Metrics:
    """What the process counts. Written on the loop's thread, read when somebody asks.

    Attributes:
        connections_open: sockets that are through their handshake.
        connections: sockets that ever were.
        handshakes_refused: upgrades answered with anything but 101.
        requests: requests received on sockets.
        requests_limited: calls refused for their caller's rate.
        messages_sent: messages handed to sockets.
        bytes_received: bytes read from sockets after their handshake.
        bytes_sent: bytes written to them.
        slow_readers: sockets closed because their peer did not read.
        http: requests by HTTP.
        loop_lag_seconds: how much later than asked the loop came back.
        log_records: logs that were written, by level; any thread adds to it.
        models: what was asked of text and image models.
        admin_commands: operators' commands, by name and outcome.
        tails_open: tails that operators follow.
        tail_entries_dropped: what those tails dropped because nobody read them in time.
    """

    connections_open: int = 0
    connections: int = 0
    handshakes_refused: int = 0
    requests: int = 0
    requests_limited: int = 0
    messages_sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    slow_readers: int = 0
    http: HttpTally = field(default_factory=HttpTally)
    loop_lag_seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS_BOUNDS))
    log_records: Counter[str] = field(default_factory=Counter)
    models: EffectCounts = field(default_factory=EffectCounts)
    admin_commands: Counter[tuple[str, ...]] = field(default_factory=Counter)
    tails_open: int = 0
    tail_entries_dropped: int = 0
