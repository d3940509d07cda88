"""Families: a metric as it is declared, from which exposition and documentation are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from actors.host.census import Census
from actors.host.histogram import Histogram
from actors.host.host import Host
from persistence.store import Store
from server.canary import Canary
from server.metrics import Metrics

__all__ = ["PREFIX", "Actors", "Family", "Kind", "Reading", "Sources", "Value"]

PREFIX = "genarrative_"

Value: TypeAlias = "float | Histogram"
Reading: TypeAlias = "Value | Mapping[tuple[str, ...], Value]"
"""A value, or values by those of the labels."""


class Kind(Enum):
    """What one may do with a metric's values."""

    COUNTER = "counter"
    """Only grows, until the process ends; its name ends in ``_total``."""
    GAUGE = "gauge"
    """A value of the moment."""
    HISTOGRAM = "histogram"
    """Values by size: ``_bucket`` with ``le``, ``_sum`` and ``_count``."""


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Where numbers are; without host, store or canary what is read of actors is left out."""

    metrics: Metrics
    host: Host | None = None
    store: Store | None = None
    canary: Canary | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Actors:
    """What is read of actors: their host, its store, a count of who is in memory, the canary."""

    host: Host
    store: Store
    census: Census
    canary: Canary


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A metric.

    Attributes:
        name: without prefix, and without the ``_total`` of counters.
        text: what it counts or measures, as a phrase.
        labels: names of the labels. Their values come from the module's and the program's own
            words, never from users: so there are few, and nobody is named.
        of_process: reads it of what the process counts; None when it is read of actors.
        of_actors: reads it of them, once there are some.
    """

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    of_process: Callable[[Metrics], Reading] | None = None
    of_actors: Callable[[Actors], Reading] | None = None

    @property
    def full_name(self) -> str:
        """The name under which the values are asked for; without a histogram's endings."""
        return f"{PREFIX}{self.name}{'_total' if self.kind is Kind.COUNTER else ''}"

    @property
    def series(self) -> tuple[str, ...]:
        """The names of all its time series."""
        if self.kind is not Kind.HISTOGRAM:
            return (self.full_name,)
        return tuple(f"{self.full_name}_{end}" for end in ("bucket", "count", "sum"))
