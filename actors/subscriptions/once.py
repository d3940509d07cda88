"""Once: a query's rows over several actors, without a subscription."""

from __future__ import annotations

from collections.abc import Iterable

from actors.subscriptions.board import Board
from actors.subscriptions.query import CompiledQuery
from protocol.values import Identity

__all__ = ["rows_once"]


def rows_once(boards: Iterable[Board], query: CompiledQuery, caller: Identity) -> list[bytes]:
    """The rows of a query now; those of a window in its order, whichever actor they are from.

    Args:
        boards: of the actors that the caller reads.
        query: what is asked.
        caller: who asks.
    """
    if query.window is None:
        return [data for board in boards for data in board.query(query, caller)]
    rows = [row for board in boards for row in board.matching(query, caller)]
    if query.window.has_order:
        rows.sort(key=query.window.key)
    return [row.data for row in rows[: query.window.limit]]
