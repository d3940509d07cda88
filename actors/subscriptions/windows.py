"""Windows: plans over the first rows of an order, and what enters and leaves them.

``SELECT * FROM t WHERE ... ORDER BY ... LIMIT n`` is a bag like every query's: a row that enters
the window is an insert, and the row that it pushes out is a delete of the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actors.datastore import EncodedRow
from actors.subscriptions.plan import Hit, Plan
from actors.subscriptions.routes import Routes
from actors.subscriptions.top_rows import TopRows

__all__ = ["Windows"]


class Windows:
    """The window plans over one table or view of one actor.

    Args:
        candidates: the rows among which a plan's are, as they are now.
    """

    __slots__ = ("_candidates", "_routes", "_tops")

    def __init__(self, candidates: Callable[[Plan], list[EncodedRow]]) -> None:
        self._candidates = candidates
        self._routes = Routes()
        self._tops: dict[Plan, TopRows] = {}

    def __bool__(self) -> bool:
        return bool(self._tops)

    def add(self, plan: Plan) -> None:
        """Keep the first rows of this plan from now on."""
        window = plan.query.window
        assert window is not None
        assert window.limit is not None
        self._tops[plan] = TopRows(window.limit, window.key, partial(self._matching, plan))
        self._routes.add(plan)

    def remove(self, plan: Plan) -> None:
        """Undo ``add``."""
        del self._tops[plan]
        self._routes.remove(plan)

    def rows(self, plan: Plan) -> list[bytes]:
        """The rows of a plan now, in order."""
        return self._tops[plan].rows()

    def collect(
        self, inserts: list[EncodedRow], deletes: list[EncodedRow], hits: list[Hit]
    ) -> None:
        """Add a hit for each plan whose first rows these changes alter."""
        for plan, (came, went) in self._routes.changes(inserts, deletes).items():
            inserted, deleted = self._tops[plan].change(plan.visible(came), plan.visible(went))
            if inserted or deleted:
                hits.append(Hit(plan, inserted, deleted))

    def _matching(self, plan: Plan) -> list[EncodedRow]:
        return plan.matching(plan.visible(self._candidates(plan)))
