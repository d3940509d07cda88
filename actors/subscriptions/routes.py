"""Routes: from changed rows to the plans that they concern.

The cost follows what a change touches, not how many plans there are: plans that demand one value
of a column are found by hash, plans without a predicate share the list of all changed rows, and
only the rest is asked one by one (architecture 4).
"""

from __future__ import annotations

from actors.datastore import EncodedRow
from actors.subscriptions.plan import Hit, Plan
from protocol.sql import SENDER

__all__ = ["Routes"]


class Routes:
    """The single-table plans over one table or view of one actor."""

    __slots__ = ("_by_value", "_everything", "_others")

    def __init__(self) -> None:
        self._everything: dict[Plan, None] = {}
        self._by_value: dict[int, dict[object, dict[Plan, None]]] = {}
        self._others: dict[Plan, None] = {}

    def __bool__(self) -> bool:
        return bool(self._everything or self._by_value or self._others)

    def add(self, plan: Plan) -> None:
        """Let changes find this plan."""
        if plan.query.test is None:
            self._everything[plan] = None
        elif plan.query.equality is None:
            self._others[plan] = None
        else:
            column, value = _wanted(plan)
            self._by_value.setdefault(column, {}).setdefault(value, {})[plan] = None

    def remove(self, plan: Plan) -> None:
        """Undo ``add``."""
        if plan.query.test is None:
            del self._everything[plan]
        elif plan.query.equality is None:
            del self._others[plan]
        else:
            column, value = _wanted(plan)
            values = self._by_value[column]
            del values[value][plan]
            if not values[value]:
                del values[value]
            if not values:
                del self._by_value[column]

    def collect(
        self, inserts: list[EncodedRow], deletes: list[EncodedRow], hits: list[Hit]
    ) -> None:
        """Add a hit for each plan whose result these changes alter."""
        if self._everything:
            inserted = [data for _, data in inserts]
            deleted = [data for _, data in deletes]
            hits.extend(Hit(plan, inserted, deleted) for plan in self._everything)
        if self._by_value:
            self._collect_by_value(inserts, deletes, hits)
        for plan in self._others:
            inserted, deleted = plan.select(inserts), plan.select(deletes)
            if inserted or deleted:
                hits.append(Hit(plan, inserted, deleted))

    def _collect_by_value(
        self, inserts: list[EncodedRow], deletes: list[EncodedRow], hits: list[Hit]
    ) -> None:
        found: dict[Plan, Hit] = {}
        for column, values in self._by_value.items():
            for side, changes in ((1, inserts), (2, deletes)):
                for row, data in changes:
                    for plan in values.get(row[column], ()):
                        test = plan.query.test
                        if test is None or test(row, plan.caller):
                            hit = found.get(plan)
                            if hit is None:
                                hit = found[plan] = Hit(plan, [], [])
                            hit[side].append(data)  # type: ignore[union-attr]
        hits.extend(found.values())


def _wanted(plan: Plan) -> tuple[int, object]:
    assert plan.query.equality is not None
    column, value = plan.query.equality
    return column, plan.caller if value is SENDER else value
