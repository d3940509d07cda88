"""Counters of the process and their exposition; counting is one addition, reading does the work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from prometheus_client import Metric

__all__ = ["HostCounts", "Metrics"]


class HostCounts(Protocol):
    """What the actors' host counts itself."""

    @property
    def actor_count(self) -> int:
        """Actors in memory now."""
        ...

    @property
    def turn_count(self) -> int:
        """Turns taken, ever."""
        ...

    @property
    def slow_turn_count(self) -> int:
        """Turns over their budget, ever."""
        ...


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
        host: counts of its own; None before it exists.
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
    host: HostCounts | None = None

    def exposition(self) -> bytes:
        """Spell everything in the text format that Prometheus reads."""
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 - start-up

        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(self))
        return generate_latest(registry)


_COUNTERS = (
    ("connections", "Sockets through their handshake, ever"),
    ("handshakes_refused", "Upgrades answered with anything but 101"),
    ("requests", "Requests received on sockets"),
    ("requests_limited", "Calls refused for their caller's rate"),
    ("messages_sent", "Messages handed to sockets"),
    ("bytes_received", "Bytes read from sockets after their handshake"),
    ("bytes_sent", "Bytes written to sockets after their handshake"),
    ("slow_readers", "Sockets closed because their peer did not read"),
)


class _Collector:
    """Turns the numbers of the moment into metric families."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.core import (  # noqa: PLC0415 - start-up
            CounterMetricFamily,
            GaugeMetricFamily,
        )

        metrics = self._metrics
        yield GaugeMetricFamily(
            "genarrative_connections_open", "Sockets open now", value=metrics.connections_open
        )
        for name, text in _COUNTERS:
            yield CounterMetricFamily(f"genarrative_{name}", text, value=getattr(metrics, name))
        host = metrics.host
        if host is not None:
            yield GaugeMetricFamily(
                "genarrative_actors", "Actors in memory now", value=host.actor_count
            )
            yield CounterMetricFamily("genarrative_turns", "Actors' turns", value=host.turn_count)
            yield CounterMetricFamily(
                "genarrative_turns_slow", "Turns over their budget", value=host.slow_turn_count
            )
