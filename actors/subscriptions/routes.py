"""Routes: from changed rows to the plans that they concern, and what those are to be told."""

from __future__ import annotations

from actors.datastore import EncodedRow
from actors.subscriptions.changes import Changes, change_of
from actors.subscriptions.matcher import Matcher
from actors.subscriptions.plan import Hit, Plan

__all__ = ["Routes"]


class Routes:
    """The single-table plans over one table or view of one actor."""

    __slots__ = ("_everything", "_matched", "_matcher")

    def __init__(self) -> None:
        self._everything: dict[Plan, None] = {}
        self._matcher: Matcher[Plan] = Matcher()
        self._matched = 0

    def __bool__(self) -> bool:
        return bool(self._everything or self._matched)

    def add(self, plan: Plan) -> None:
        """Let changes find this plan."""
        if plan.query.test is None:
            self._everything[plan] = None
        else:
            self._matcher.add(plan, plan.query.demand, plan.caller)
            self._matched += 1

    def remove(self, plan: Plan) -> None:
        """Undo ``add``."""
        if plan.query.test is None:
            del self._everything[plan]
        else:
            self._matcher.remove(plan, plan.query.demand, plan.caller)
            self._matched -= 1

    def collect(
        self,
        inserts: list[EncodedRow],
        deletes: list[EncodedRow],
        hits: list[Hit],
    ) -> None:
        """Add a hit for each plan whose result these changes alter."""
        if self._everything:
            inserted = [row.data for row in inserts]
            deleted = [row.data for row in deletes]
            hits += [Hit(plan, inserted, deleted) for plan in self._everything]
        if self._matched:
            hits += [
                Hit(plan, [row.data for row in came], [row.data for row in went])
                for plan, (came, went) in self._matches(inserts, deletes).items()
            ]

    def changes(self, inserts: list[EncodedRow], deletes: list[EncodedRow]) -> Changes[Plan]:
        """As ``collect``, with the rows themselves: those that came and those that went."""
        found = self._matches(inserts, deletes) if self._matched else {}
        for plan in self._everything:
            found[plan] = inserts, deletes
        return found

    def _matches(self, inserts: list[EncodedRow], deletes: list[EncodedRow]) -> Changes[Plan]:
        found: Changes[Plan] = {}
        for plan, row in self._matcher.among(inserts):
            test = plan.query.test
            if test is None or test(row.row, plan.caller):
                change_of(plan, found)[0].append(row)
        for plan, row in self._matcher.among(deletes):
            test = plan.query.test
            if test is None or test(row.row, plan.caller):
                change_of(plan, found)[1].append(row)
        return found
