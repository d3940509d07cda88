"""Queries: the SQL subset of subscriptions, from text to predicates over rows (wire spec 10)."""

from __future__ import annotations

from protocol.sql.catalog import Catalog, CatalogTable, SchemaCatalog
from protocol.sql.literals import literal_value
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
    equality_columns,
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

__all__ = [
    "ALWAYS",
    "NEVER",
    "SENDER",
    "Catalog",
    "CatalogTable",
    "PairTest",
    "Predicate",
    "Query",
    "RowTest",
    "SchemaCatalog",
    "Selection",
    "SemiJoin",
    "compile_pair_predicate",
    "compile_predicate",
    "equality_columns",
    "literal_value",
    "normalise",
    "parse_query",
    "query_error",
    "resolve",
    "resolve_query",
    "uses_sender",
]
