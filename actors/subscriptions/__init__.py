"""Subscriptions: queries over actors' rows, first rows and deltas, and who gets them.

The law: what a query set was given first, plus all deltas since, equals the query now, as a bag,
after every commit (architecture 4, wire spec 9).
"""

from __future__ import annotations

from actors.subscriptions.board import Board
from actors.subscriptions.once import rows_once
from actors.subscriptions.plan import Plan, Subscriber
from actors.subscriptions.query import CompiledQuery, QueryCompiler

__all__ = ["Board", "CompiledQuery", "Plan", "QueryCompiler", "Subscriber", "rows_once"]
