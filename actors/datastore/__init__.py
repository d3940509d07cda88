"""Datastore: one actor's tables in memory, and the transaction over them."""

from __future__ import annotations

from actors.datastore.database import Commit, Database
from actors.datastore.layout import TableLayout
from actors.datastore.table import EncodedRow, Table, TableDelta, TableReader

__all__ = [
    "Commit",
    "Database",
    "EncodedRow",
    "Table",
    "TableDelta",
    "TableLayout",
    "TableReader",
]
