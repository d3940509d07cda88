"""Interval: what one second of a load showed, as workers tell it and reports keep it.

Histograms are texts (``loadtest.histogram``): HdrHistogram's own encoding, version 2, base64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Interval"]


@dataclass(frozen=True, slots=True)
class Interval:
    """One second of a load.

    Attributes:
        second: since the measured time began; below 0 it is ramp and warm-up, which is shown and
            never counted. The first second past the duration, and later ones, hold late answers.
        calls: latencies of the calls answered in it, in microseconds, by kind; an open loop counts
            from the moment at which a call was due. A call counts in the second in which its
            answer came, refused ones too.
        errors: calls that were refused or failed, and connections that broke, by code.
        deliveries: updates that subscribers received, beside the answers to their own calls.
        connections: open in its end.
        generator_cpu: of the busiest process of the load generator, in cores; it has one thread.
        generator_lag_ms: by how much its loop came too late at worst, in milliseconds.
        server_metrics: of the server's ``/metrics`` in its end, samples added up by name, without
            the buckets of histograms; empty when the server has none.
        delivery_latency: from the moment at which what caused them was due, in microseconds; empty
            where the scenario does not measure it.
        arrivals: calls that were due in it; 0 in a closed loop.
    """

    second: int
    calls: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    deliveries: int = 0
    connections: int = 0
    generator_cpu: float = 0.0
    generator_lag_ms: float = 0.0
    server_metrics: Mapping[str, float] = field(default_factory=dict)
    delivery_latency: str = ""
    arrivals: int = 0
