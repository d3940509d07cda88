"""Publishing: a load's report on the terminal, as document and as page, and the exit code.

Exit codes: 0 all is well; 1 a rule was broken, or the load could not be run; 2 the arguments are
wrong; 3 a bound was not kept, or something became worse than an earlier load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console

from loadtest.errors import ReportError
from loadtest.outcome import Outcome
from loadtest.reports.comparison import Comparison, compare
from loadtest.reports.document import Report, read_report, write_report
from loadtest.reports.machine import this_machine
from loadtest.reports.page import render_page
from loadtest.reports.slo import Slo
from loadtest.reports.summary import summarize
from loadtest.reports.tables import comparison_table, latency_table, outcome_table

__all__ = ["REGRESSION_RATIO", "Publication", "compare_reports", "publish"]

REGRESSION_RATIO = 1.1
"""So many times worse is a regression, unless somebody says otherwise."""

_DOCUMENT, _PAGE = "report.json", "report.html"


@dataclass(frozen=True, slots=True)
class Publication:
    """Where a report goes, and what it is held against.

    Attributes:
        folder: of ``report.json`` and ``report.html``; it is made.
        slos: bounds.
        against: an earlier report, or its folder.
        threshold: a figure that is so many times worse than the earlier is a regression.
    """

    folder: Path
    slos: Sequence[Slo] = ()
    against: Path | None = None
    threshold: float = REGRESSION_RATIO

    def earlier(self) -> Report | None:
        """Read the earlier report; before the load, so that a wrong path costs no time.

        Raises:
            ReportError: it is not there, or no report.
        """
        return None if self.against is None else _read(self.against)


def publish(
    outcome: Outcome,
    began: datetime,
    publication: Publication,
    earlier: Report | None,
    console: Console,
) -> int:
    """Write and print the report of a load that has ended.

    Returns:
        The exit code.

    Raises:
        ReportError: the folder cannot be written, or the earlier load played something else.
    """
    report = summarize(outcome, publication.slos, began, this_machine())
    folder = publication.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(f"{folder}: {error.strerror}") from error
    write_report(folder / _DOCUMENT, report)
    console.print(latency_table(report), outcome_table(report))
    comparison = None
    if earlier is not None:
        comparison = compare(earlier, report, publication.threshold)
        console.print(comparison_table(comparison))
    _write(folder / _PAGE, render_page(report, earlier, comparison))
    console.print(f"{folder / _PAGE}", highlight=False, markup=False, soft_wrap=True)
    if report.broken:
        return 1
    return 0 if report.is_good and _is_good(comparison) else 3


def compare_reports(
    before: Path, after: Path, threshold: float, page: Path | None, console: Console
) -> int:
    """Compare two reports, or folders of such.

    Args:
        before: the earlier load.
        after: the later one.
        threshold: a figure that is so many times worse is a regression.
        page: where to write the later load's page with the earlier beside it; None is nowhere.
        console: where the comparison is printed.

    Returns:
        The exit code.

    Raises:
        ReportError: one is no report, they are of different scenarios, or the page cannot be
            written.
    """
    earlier, later = _read(before), _read(after)
    comparison = compare(earlier, later, threshold)
    console.print(comparison_table(comparison))
    if page is not None:
        _write(page, render_page(later, earlier, comparison))
    return 0 if _is_good(comparison) else 3


def _is_good(comparison: Comparison | None) -> bool:
    return comparison is None or not comparison.regressions


def _read(path: Path) -> Report:
    return read_report(path / _DOCUMENT if path.is_dir() else path)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from error
