"""Document: ``report.json``, what one load did; written by ``run``, read by ``compare``.

Latencies are microseconds, shares parts of 1. Histograms are HDR, V2, compressed, as base64.
Readers refuse another schema version: a figure that changed its meaning is not compared.
"""

from __future__ import annotations

import zlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from hdrh.codec import HdrCookieException, HdrLengthException  # type: ignore[import-untyped]
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeInt,
    ValidationError,
    field_validator,
    model_validator,
)

from loadtest.errors import ReportError
from loadtest.histogram import Histogram
from loadtest.reports.limits import REPORT_BYTES_MAX

__all__ = [
    "Calls",
    "Figures",
    "Machine",
    "Point",
    "Report",
    "Verdict",
    "read_report",
    "write_report",
]

_CODEC_ERRORS = (HdrCookieException, HdrLengthException)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Machine(_Record):
    """Where the load was generated; the server's too, when it was started for the load."""

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    load_average: tuple[float, float, float]


class Figures(_Record):
    """Calls of one kind in some stretch of time; latencies are 0 when there were none."""

    count: NonNegativeInt
    p50: NonNegativeInt
    p90: NonNegativeInt
    p99: NonNegativeInt
    p99_9: NonNegativeInt
    max: NonNegativeInt

    @model_validator(mode="after")
    def _latencies_are_those_of_calls(self) -> Self:
        latencies = (self.p50, self.p90, self.p99, self.p99_9, self.max)
        if self.count and not all(latencies):
            raise ValueError("calls without latency")
        return self


class Calls(Figures):
    """Calls of one kind in the measured time.

    Attributes:
        histogram: all their latencies.
        parts: figures of equal parts of the measured time; their scatter is the load's noise.
    """

    histogram: str
    parts: list[Figures]

    @field_validator("histogram")
    @classmethod
    def _histogram_can_be_read(cls, text: str) -> str:
        try:
            Histogram.decode(text)
        except (ValueError, TypeError, zlib.error, *_CODEC_ERRORS) as error:
            raise ValueError(f"no histogram: {error}") from error
        return text


class Point(_Record):
    """A second of the load, or a few where the load was long.

    Attributes:
        second: when it began, since the measured time did; below 0 it is ramp and warm-up, which
            counts in no figure of the report.
        seconds: how long it was.
        total: all calls that were answered in it.
        calls: the same by kind.
        arrivals: calls that were due in it; 0 in a closed loop.
        errors: by code.
        deliveries: updates that subscribers got.
        connections: open in its end.
        generator_cpu: of the busiest process of the generator, part of one core.
        generator_lag_ms: how late its loop came at worst.
        server: figures of the server, by the names of ``server_series``.
    """

    second: int
    seconds: int
    total: Figures
    calls: dict[str, Figures]
    arrivals: int
    errors: dict[str, int]
    deliveries: int
    connections: int
    generator_cpu: float
    generator_lag_ms: float
    server: dict[str, float]


class Verdict(_Record):
    """Whether a bound was kept.

    Attributes:
        slo: the bound as it was written.
        measured: the figure in words; ``nothing`` when there was nothing to measure.
        kept: a bound on nothing is not kept.
    """

    slo: str
    measured: str
    kept: bool


class Report(_Record):
    """One load.

    Attributes:
        scenario: what was played.
        began: when, with its offset from UTC.
        options: of the load, as they were in effect.
        machine: where.
        server: what the server said when it was ready, or its address.
        version: of the load generator.
        seconds: measured time, without warm-up.
        part_seconds: of it, that each of ``Calls.parts`` has; 0 when it was too short for parts.
        total: all calls.
        calls: the same by kind.
        delivery: updates, from when their cause was due; None when nobody measured that.
        deliveries: updates that subscribers got.
        arrivals: calls that were due; 0 in a closed loop.
        errors: calls that were refused or failed, by code.
        facts: what the scenario said of itself in the end.
        broken: rules that were broken at any time, in words.
        saturated: why the load generator itself was the limit, in words.
        verdicts: on the bounds that were asked for.
        points: the load over time, warm-up included.
    """

    schema_version: Literal[1] = 1
    scenario: str
    began: datetime
    options: dict[str, JsonValue]
    machine: Machine
    server: str
    version: str
    seconds: Annotated[float, Field(gt=0)]
    part_seconds: int
    total: Calls
    calls: dict[str, Calls]
    delivery: Calls | None
    deliveries: int
    arrivals: int
    errors: dict[str, int]
    facts: dict[str, float | str]
    broken: list[str]
    saturated: list[str]
    verdicts: list[Verdict]
    points: list[Point]

    @property
    def measured_points(self) -> list[Point]:
        """The load over time, without warm-up and without late answers."""
        return [point for point in self.points if 0 <= point.second < self.seconds]

    @property
    def rate(self) -> float:
        """Answered calls per second; late answers are none."""
        return sum(point.total.count for point in self.measured_points) / self.seconds

    @property
    def error_count(self) -> int:
        """Calls that were refused or failed."""
        return sum(self.errors.values())

    @property
    def error_share(self) -> float:
        """Part of the calls that were refused or failed."""
        return self.error_count / max(1, self.total.count, self.error_count)

    @property
    def is_good(self) -> bool:
        """Whether no rule was broken and every bound was kept."""
        return not self.broken and all(verdict.kept for verdict in self.verdicts)

    @property
    def server_micros(self) -> float | None:
        """Processor time of the server for one call; None where its metrics were not to be had."""
        known = [point for point in self.measured_points if "cpu" in point.server]
        calls = sum(point.total.count for point in known)
        used = sum(point.server["cpu"] * point.seconds for point in known)
        return used * 1e6 / calls if calls else None


def write_report(path: Path, report: Report) -> None:
    """Write a report.

    Raises:
        ReportError: the file cannot be written.
    """
    try:
        path.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from error


def read_report(path: Path) -> Report:
    """Read a report back.

    Raises:
        ReportError: no such file, too large, no report, or one of another schema version.
    """
    try:
        if path.stat().st_size > REPORT_BYTES_MAX:
            raise ReportError(f"{path}: larger than any report")
        text = path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from error
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ReportError(f"{path} is no report of this version: {place} {first['msg']}") from error
