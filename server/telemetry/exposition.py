"""Exposition: all metrics in the text format that Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, chain, repeat

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Metric,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from actors.host.histogram import Histogram
from server.metrics import Metrics
from server.telemetry.catalogue import FAMILIES
from server.telemetry.families import PREFIX, Actors, Family, Kind, Reading, Sources, Value

__all__ = ["Exposition"]


class Exposition:
    """Reads what has been counted, when somebody asks; counting has cost one addition."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._process = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._process)
        GCCollector(registry=self._process)
        self._lock = asyncio.Lock()

    async def text(self) -> bytes:
        """Spell everything; two who ask at once do not count the actors at the same time."""
        host, store, canary = self._sources.host, self._sources.store, self._sources.canary
        async with self._lock:
            actors = None
            if host is not None and store is not None and canary is not None:
                actors = Actors(host, store, await host.vitals.census(), canary)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collected(list(_families(self._sources.metrics, actors))))
        return generate_latest(registry) + generate_latest(self._process)


class _Collected:
    """What has been read, as the library takes it."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _families(metrics: Metrics, actors: Actors | None) -> Iterator[Metric]:
    for family in FAMILIES:
        if family.of_process is not None:
            yield _spelled(family, family.of_process(metrics))
        elif family.of_actors is not None and actors is not None:
            yield _spelled(family, family.of_actors(actors))


def _spelled(family: Family, reading: Reading) -> Metric:
    name, text, labels = f"{PREFIX}{family.name}", family.text, family.labels
    values: Mapping[tuple[str, ...], Value]
    values = reading if isinstance(reading, Mapping) else {(): reading}
    if family.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(name, text, labels=labels)
        for key, value in values.items():
            assert isinstance(value, Histogram), f"{name} is a histogram"
            histogram.add_metric(key, list(_buckets(value)), value.total)
        return histogram
    plain = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
    spelled = plain(name, text, labels=labels)
    for key, value in values.items():
        assert not isinstance(value, Histogram), f"{name} is no histogram"
        spelled.add_metric(key, value)
    return spelled


def _buckets(histogram: Histogram) -> Iterator[tuple[str, int]]:
    """Bounds as text, and how many values are not above each."""
    bounds = chain((f"{bound:g}" for bound in histogram.bounds), repeat("+Inf", 1))
    return zip(bounds, accumulate(histogram.counts), strict=True)
