"""What a query may name: the tables and views that one kind of caller can read."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Protocol

from protocol.schema import ModuleSchema
from protocol.types import ProductType

__all__ = ["Catalog", "CatalogTable", "SchemaCatalog"]


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A readable table or view.

    Attributes:
        name: wire name.
        row_type: its elements are the columns.
        indexed: positions of the columns that rows are found by.
        is_event: rows are events: no initial rows, no lookups.
    """

    name: str
    row_type: ProductType
    indexed: frozenset[int] = frozenset()
    is_event: bool = False


class Catalog(Protocol):
    """Names as one caller sees them; what the caller may not read does not exist."""

    def table(self, name: str) -> CatalogTable | None:
        """Return the table or view of that name, None when there is none to read."""
        ...

    def tables(self) -> Iterable[CatalogTable]:
        """Return everything that can be read, ordered by name."""
        ...


class SchemaCatalog:
    """The catalog of a module: public tables and views, private tables for the owner only.

    What is ``unlisted`` can be named, but is not among everything.
    """

    __slots__ = ("_tables", "_unlisted")

    def __init__(
        self, schema: ModuleSchema, *, owner: bool = False, unlisted: Container[str] = ()
    ) -> None:
        tables: dict[str, CatalogTable] = {}
        for table in schema.tables:
            if owner or table.is_public:
                indexed = frozenset(
                    table.position(index.columns[0])
                    for index in table.indexes
                    if len(index.columns) == 1
                )
                tables[table.name] = CatalogTable(
                    table.name, table.row_type, indexed, table.is_event
                )
        for view in schema.views:
            # A view's rows are computed anew, and put in any order then.
            every = frozenset(range(len(view.row_type.elements)))
            tables[view.name] = CatalogTable(view.name, view.row_type, every)
        self._tables = dict(sorted(tables.items()))
        self._unlisted = unlisted

    def table(self, name: str) -> CatalogTable | None:
        """Return the table or view of that name, None when there is none to read."""
        return self._tables.get(name)

    def tables(self) -> Iterable[CatalogTable]:
        """Return everything that can be read, ordered by name."""
        return [table for name, table in self._tables.items() if name not in self._unlisted]
