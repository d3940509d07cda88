"""Pages: a part of a list that is read newest first, and the cursor behind it (domain 11.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

from actors.domains.facade.limits import PAGE_ROWS_MAX
from actors.domains.rules.cursors import read_cursor, write_cursor
from actors.errors import ReducerError

__all__ = ["Mark", "cut_page", "mark_of"]

Row = TypeVar("Row")
Mark = tuple[int, str]
"""What a list is ordered by, descending: a number, usually a moment, and the row's id."""


def mark_of(cursor: str | None) -> Mark | None:
    """Where the page before ended; None on the first one. Raises ``input.invalid_cursor``."""
    return None if cursor is None else read_cursor(cursor, int, str)


def cut_page(
    rows: Iterable[Row], limit: int, after: Mark | None, mark: Callable[[Row], Mark]
) -> tuple[list[Row], str | None]:
    """The rows of a page, and the cursor of the next one; None behind the last row.

    Args:
        rows: rows in descending order of their marks, those before ``after`` included or not.
        limit: how many rows at most.
        after: the mark of the last row that was shown.
        mark: a row's mark.

    Raises:
        ReducerError: ``input.out_of_range``: the limit is not 1 to ``PAGE_ROWS_MAX``.
    """
    if not 1 <= limit <= PAGE_ROWS_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {PAGE_ROWS_MAX}")
    rest = (row for row in rows if after is None or mark(row) < after)
    found = list(islice(rest, limit + 1))
    shown = found[:limit]
    return shown, write_cursor(*mark(shown[-1])) if len(found) > limit else None
