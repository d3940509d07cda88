"""Limits of the reports: how much is drawn, kept and compared."""

from __future__ import annotations

__all__ = [
    "BARS_MAX",
    "BATCHES_MAX",
    "BATCHES_MIN",
    "KINDS_SHOWN_MAX",
    "LINES_SHOWN_MAX",
    "PLAIN_PROGRESS_SECONDS",
    "POINTS_MAX",
    "RATES_SHOWN_MAX",
    "REPORT_BYTES_MAX",
    "TAIL_CALLS_MIN",
]

POINTS_MAX = 600
"""Points of a report over time; longer loads have several seconds in a point."""

BARS_MAX = 60
"""Bars of a histogram as it is drawn."""

BATCHES_MAX = 20
"""Equal parts of a load whose scatter is its noise; more parts would not be independent."""

BATCHES_MIN = 4
"""Fewer parts say nothing about scatter: then there are no bounds."""

TAIL_CALLS_MIN = 10
"""Calls beyond a percentile, at least, for a comparison to count it."""

KINDS_SHOWN_MAX = 12
"""Kinds of calls that the live view lists."""

RATES_SHOWN_MAX = 60
"""Seconds of the small curve of the live view."""

LINES_SHOWN_MAX = 20
"""Broken rules and notes that a terminal shows; the report has all."""

PLAIN_PROGRESS_SECONDS = 5
"""Seconds between two lines of progress where there is no terminal."""

REPORT_BYTES_MAX = 256 * 1024 * 1024
"""A report that is read back."""
