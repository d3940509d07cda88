"""Schedules: tables whose rows are timers, and the reducers that those fire (wire spec 11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from actors.errors import DeclarationError
from actors.module.functions import ReducerDeclaration
from actors.module.tables import TableDeclaration
from protocol.types import SCHEDULE_AT, U64, ProductType

__all__ = ["ScheduleDeclaration", "schedules_of"]


@dataclass(frozen=True, slots=True)
class ScheduleDeclaration:
    """A scheduled table.

    Attributes:
        reducer: called with a row when that is due, in the actor that owns the row.
        column: position of the column that says when.
        key: position of the primary key.
    """

    table: TableDeclaration
    reducer: ReducerDeclaration
    column: int
    key: int

    @property
    def column_name(self) -> str:
        """The column that says when."""
        return self.table.columns[self.column]


def schedules_of(
    tables: Mapping[str, TableDeclaration], reducers: Mapping[str, ReducerDeclaration]
) -> Iterator[ScheduleDeclaration]:
    """The scheduled ones among tables.

    Raises:
        DeclarationError: a table has not what a scheduled one needs, or its reducer does not fit.
    """
    for table in tables.values():
        if table.scheduled is not None:
            reducer = reducers.get(table.scheduled)
            if reducer is None:
                raise DeclarationError(
                    f"table {table.name} schedules {table.scheduled}, which is no reducer"
                )
            yield _schedule(table, reducer)


def _schedule(table: TableDeclaration, reducer: ReducerDeclaration) -> ScheduleDeclaration:
    types = [element.type for element in table.row_type.elements]
    key = table.primary_key_position
    if key is None or types[key] != U64:
        raise DeclarationError(f"scheduled table {table.name} needs a primary key of type u64")
    if types.count(SCHEDULE_AT) != 1:
        raise DeclarationError(f"scheduled table {table.name} needs one column of type ScheduleAt")
    if table.is_event:
        raise DeclarationError(f"table {table.name}: rows of events are gone before they are due")
    if table.catch_up < 1:
        raise DeclarationError(f"table {table.name}: whoever is late fires once at least")
    parameters: ProductType = reducer.parameters
    if [element.type for element in parameters.elements] != [table.row_type]:
        raise DeclarationError(f"{reducer.name} is scheduled by {table.name}: it takes its row")
    if reducer.returns is not None or reducer.roles or reducer.is_fixture or reducer.rate:
        raise DeclarationError(
            f"{reducer.name} is called by the schedule of {table.name} alone: "
            "it answers nothing, and has neither roles nor a rate"
        )
    homeless = [kind.name for kind in table.kinds if kind not in reducer.kinds]
    if homeless:
        raise DeclarationError(
            f"rows of {table.name} are in actors of kind {homeless[0]}, {reducer.name} is not"
        )
    return ScheduleDeclaration(table, reducer, types.index(SCHEDULE_AT), key)
