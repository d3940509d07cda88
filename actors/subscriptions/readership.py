"""Readership: the plans over a table whose rows have readers, and its rows by reader.

A row is for everybody or for one user, as the table's ``readers`` say. What everybody sees is one
plan for all who ask the same, made into bytes once; what is one user's is found by that user's id.
So a commit costs one call of ``readers`` and one look-up for each row that it changed, however many
subscribers there are, and first rows cost what is handed out. In return every row of the table has
one more reference to it for as long as anybody subscribes.
"""

from __future__ import annotations

from collections.abc import Iterable

from actors.datastore import EncodedRow, TableDelta
from actors.module.tables import Readers
from actors.subscriptions.changes import Changes, change_of
from actors.subscriptions.plan import Hit, Plan
from actors.subscriptions.routes import Routes

__all__ = ["Readership"]


class Readership:
    """The single-table plans over one table with readers.

    Args:
        readers: whom a row is for.
        rows: the table's rows now.
    """

    __slots__ = ("_readers", "_routes", "_rows")

    def __init__(self, readers: Readers, rows: Iterable[EncodedRow]) -> None:
        self._readers = readers
        self._routes: dict[str | None, Routes] = {}
        self._rows: dict[str | None, dict[bytes, EncodedRow]] = {}
        for row in rows:
            self._rows.setdefault(readers(row.row), {})[row.data] = row

    def __bool__(self) -> bool:
        return bool(self._routes)

    def add(self, plan: Plan) -> None:
        """Let changes find this plan."""
        self._routes.setdefault(plan.reader, Routes()).add(plan)

    def remove(self, plan: Plan) -> None:
        """Undo ``add``."""
        routes = self._routes[plan.reader]
        routes.remove(plan)
        if not routes:
            del self._routes[plan.reader]

    def rows(self, reader: str | None) -> Iterable[EncodedRow]:
        """The rows of one reader now."""
        return self._rows.get(reader, {}).values()

    def collect(self, delta: TableDelta, hits: list[Hit]) -> None:
        """Add a hit for each plan whose result these changes alter.

        A row whose reader changes goes from one reader's plans and comes to the other's.
        """
        readers = self._readers
        changes: Changes[str | None] = {}
        for row in delta.deletes:
            change_of(readers(row.row), changes)[1].append(row)
        for row in delta.inserts:
            change_of(readers(row.row), changes)[0].append(row)
        for reader, (came, went) in changes.items():
            if not delta.layout.is_event:
                self._keep(reader, came, went)
            routes = self._routes.get(reader)
            if routes is not None:
                routes.collect(came, went, hits)

    def _keep(self, reader: str | None, came: list[EncodedRow], went: list[EncodedRow]) -> None:
        rows = self._rows.setdefault(reader, {})
        for row in went:
            del rows[row.data]
        for row in came:
            rows[row.data] = row
        if not rows:
            del self._rows[reader]
