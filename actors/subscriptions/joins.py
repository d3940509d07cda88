"""Semijoin: rows of one table, each as often as it joins with rows of another, kept up to date.

With R the returned table, S the other one, and D what a transaction did (inserts count +1,
deletes -1), the change of the result is, as a bag,

    D(R join S) = DR join S_new  +  R_old join DS

The datastore holds the new rows, so R_old is R_new less what DR inserted plus what it deleted.
"""

from __future__ import annotations

from collections.abc import Iterable

from actors.datastore import Database, EncodedRow, Table, TableDelta
from actors.subscriptions.plan import Plan
from actors.subscriptions.query import CompiledJoin

__all__ = ["join_delta", "join_rows"]


def join_rows(plan: Plan, database: Database) -> list[bytes]:
    """The result of a semijoin now, a bag of row bytes."""
    join = _join(plan)
    table: Table[tuple[object, ...]] = database[plan.query.source.row]
    return [
        data
        for row, data in table.encoded_rows()
        if _passes(plan, row)
        for _ in range(_matches(plan, join, row, database))
    ]


def join_delta(
    plan: Plan, database: Database, deltas: dict[type, TableDelta]
) -> tuple[list[bytes], list[bytes]]:
    """What a transaction did to the result of a semijoin: what came and what went, net."""
    join = _join(plan)
    own = deltas.get(plan.query.source.row)
    other = deltas.get(join.other.row)
    weights: dict[bytes, int] = {}
    if own is not None:
        for sign, rows in ((1, own.inserts), (-1, own.deletes)):
            for row, data in rows:
                if _passes(plan, row):
                    count = _matches(plan, join, row, database)
                    weights[data] = weights.get(data, 0) + sign * count
    if other is not None:
        for sign, rows in ((1, other.inserts), (-1, other.deletes)):
            for other_row, _ in rows:
                for row, data in _old_partners(plan, join, other_row, database, own):
                    if _passes(plan, row) and _pairs(plan, join, row, other_row):
                        weights[data] = weights.get(data, 0) + sign
    inserts = [data for data, weight in weights.items() for _ in range(weight)]
    deletes = [data for data, weight in weights.items() for _ in range(-weight)]
    return inserts, deletes


def _join(plan: Plan) -> CompiledJoin:
    assert plan.query.join is not None
    return plan.query.join


def _passes(plan: Plan, row: tuple[object, ...]) -> bool:
    test = plan.query.test
    return test is None or test(row, plan.caller)


def _pairs(
    plan: Plan, join: CompiledJoin, row: tuple[object, ...], other: tuple[object, ...]
) -> bool:
    if join.other_test is not None and not join.other_test(other, plan.caller):
        return False
    return join.pair_test is None or join.pair_test(row, other, plan.caller)


def _matches(plan: Plan, join: CompiledJoin, row: tuple[object, ...], database: Database) -> int:
    column = join.other.columns[join.other_column]
    others: Table[tuple[object, ...]] = database[join.other.row]
    partners = others.filter(**{column: row[join.column]})
    return len([other for other in partners if _pairs(plan, join, row, other)])


def _old_partners(
    plan: Plan,
    join: CompiledJoin,
    other: tuple[object, ...],
    database: Database,
    own: TableDelta | None,
) -> Iterable[EncodedRow]:
    """Rows of the returned table as they were before, that meet this row of the other one."""
    value = other[join.other_column]
    table: Table[tuple[object, ...]] = database[plan.query.source.row]
    column = plan.query.source.columns[join.column]  # type: ignore[union-attr]
    now = {data: EncodedRow(row, data) for row, data in table.encoded_filter(**{column: value})}
    if own is not None:
        for inserted in own.inserts:
            now.pop(inserted.data, None)
        now.update(
            (deleted.data, deleted) for deleted in own.deletes if deleted.row[join.column] == value
        )
    return now.values()
