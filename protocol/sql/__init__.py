"""Queries: the SQL subset of subscriptions, from text to predicates over rows (wire spec 10)."""

from __future__ import annotations

from protocol.sql.catalog import Catalog, CatalogTable, SchemaCatalog
from protocol.sql.demand import Demand, OneOf, Range, demand_of
from protocol.sql.literals import literal_value
from protocol.sql.order import SortKey, Window, compile_order
from protocol.sql.parser import parse_query
from protocol.sql.predicate import (
    ALWAYS,
    NEVER,
    SENDER,
    PairTest,
    Predicate,
    RowTest,
    compile_pair_predicate,
    compile_predicate,
    normalise,
    uses_sender,
)
from protocol.sql.resolve import (
    Query,
    Selection,
    SemiJoin,
    query_error,
    resolve,
    resolve_query,
)
from protocol.sql.syntax import SelectEverything

__all__ = [
    "ALWAYS",
    "NEVER",
    "SENDER",
    "Catalog",
    "CatalogTable",
    "Demand",
    "OneOf",
    "PairTest",
    "Predicate",
    "Query",
    "Range",
    "RowTest",
    "SchemaCatalog",
    "SelectEverything",
    "Selection",
    "SemiJoin",
    "SortKey",
    "Window",
    "compile_order",
    "compile_pair_predicate",
    "compile_predicate",
    "demand_of",
    "literal_value",
    "normalise",
    "parse_query",
    "query_error",
    "resolve",
    "resolve_query",
    "uses_sender",
]
