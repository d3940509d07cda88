"""View feed: the rows of one view for one caller, kept so that its changes can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from actors.datastore import EncodedRow
from actors.module.functions import ViewDeclaration
from actors.subscriptions.routes import Routes
from actors.subscriptions.windows import Windows
from protocol.values import Identity

__all__ = ["Evaluation", "ViewFeed"]


class Evaluation(NamedTuple):
    """A view's rows now, and the tables (row classes) that it looked at."""

    rows: Iterable[EncodedRow]
    reads: frozenset[type]


class ViewFeed:
    """A view that somebody subscribes to; computed again after commits to what it reads.

    Args:
        view: the declaration.
        caller: the identity that the view is computed for.
        evaluate: computes the rows from the actor's committed tables.

    Attributes:
        routes, windows: the plans that read it.
        joins: how many joins do.
        reads: the tables that it looked at last.
    """

    __slots__ = (
        "_by_column",
        "_caller",
        "_counts",
        "_evaluate",
        "_rows",
        "_view",
        "joins",
        "reads",
        "routes",
        "windows",
    )

    def __init__(
        self,
        view: ViewDeclaration,
        caller: Identity,
        evaluate: Callable[[ViewDeclaration, Identity], Evaluation],
    ) -> None:
        self._view = view
        self._caller = caller
        self._evaluate = evaluate
        self._rows: dict[bytes, EncodedRow] = {}
        self._counts: dict[bytes, int] = {}
        self.reads: frozenset[type] = frozenset()
        self.routes = Routes()
        self.windows = Windows(lambda _: self.rows())
        self.joins = 0
        self.refresh()

    def __bool__(self) -> bool:
        return bool(self.routes or self.windows or self.joins)

    def rows(self) -> list[EncodedRow]:
        """The rows as they were told last, in the order of their bytes."""
        return [self._rows[data] for data in sorted(self._rows) for _ in range(self._counts[data])]

    def meeting(self, column: int, value: object) -> list[EncodedRow]:
        """Those of them that have this value in a column."""
        values = self._by_column.get(column)
        if values is None:
            values = self._by_column[column] = {}
            for row in self.rows():
                values.setdefault(row.row[column], []).append(row)
        return values.get(value, [])

    def refresh(self) -> tuple[list[EncodedRow], list[EncodedRow]]:
        """Compute the view again; answers what came and what went, as bags."""
        rows, self.reads = self._evaluate(self._view, self._caller)
        counts: dict[bytes, int] = {}
        known: dict[bytes, EncodedRow] = {}
        for row in rows:
            counts[row.data] = counts.get(row.data, 0) + 1
            known[row.data] = row
        inserts = [
            row
            for data, row in known.items()
            for _ in range(counts[data] - self._counts.get(data, 0))
        ]
        deletes = [
            row
            for data, row in self._rows.items()
            for _ in range(self._counts[data] - counts.get(data, 0))
        ]
        self._rows, self._counts = known, counts
        self._by_column: dict[int, dict[object, list[EncodedRow]]] = {}
        return inserts, deletes
