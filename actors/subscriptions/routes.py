"""Routes: from changed rows to the plans that they concern, and what those are to be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from actors.subscriptions.matcher import Matcher
from actors.subscriptions.plan import Change, Plan

__all__ = ["Routes"]

Told = TypeVar("Told")

_new: Final = tuple.__new__
"""Makes a NamedTuple on the hot path at a fifth of its constructor's cost."""


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
        inserts: Sequence[tuple[Sequence[object], Told]],
        deletes: Sequence[tuple[Sequence[object], Told]],
        hits: list[Change[Told]],
    ) -> None:
        """Add a hit for each plan whose result these changes alter.

        Changes are rows, each with what is told of it: for subscribers its bytes.
        """
        if self._everything:
            inserted = [told for _, told in inserts]
            deleted = [told for _, told in deletes]
            hits += [_new(Change, (plan, inserted, deleted)) for plan in self._everything]
        if self._matched:
            found: dict[Plan, Change[Told]] = {}
            for side, changes in ((1, inserts), (2, deletes)):
                for plan, row, told in self._matcher.among(changes):
                    test = plan.query.test
                    if test is None or test(row, plan.caller):
                        hit = found.get(plan)
                        if hit is None:
                            hit = found[plan] = Change(plan, [], [])
                        hit[side].append(told)  # type: ignore[union-attr]
            if found:
                hits.extend(found.values())
