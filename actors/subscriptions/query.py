"""Compiled query: the text of a subscription, resolved once for everybody who asks it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from actors.keys import ActorKind
from actors.limits import QUERIES_CACHED_MAX
from actors.module.functions import ViewDeclaration
from actors.module.module import Module
from actors.module.tables import TableDeclaration
from protocol.errors import SqlError
from protocol.sql import (
    PairTest,
    Query,
    RowTest,
    SchemaCatalog,
    Selection,
    SemiJoin,
    compile_pair_predicate,
    compile_predicate,
    equality_columns,
    resolve_query,
    uses_sender,
)

__all__ = ["CompiledJoin", "CompiledQuery", "QueryCompiler", "Readable"]

Readable = TableDeclaration | ViewDeclaration


@dataclass(frozen=True, slots=True, eq=False)
class CompiledJoin:
    """The looked-up side of a semijoin; positions of the join columns on both sides."""

    column: int
    other: TableDeclaration
    other_column: int
    other_test: RowTest | None
    pair_test: PairTest | None


@dataclass(frozen=True, slots=True, eq=False)
class CompiledQuery:
    """One query; queries of the same normal form are the same object.

    Attributes:
        name: the returned table's or view's name.
        source: what the rows come from.
        test: whether a row belongs to the result; None when every row does.
        equality: a column and the value (or SENDER) that it must have, when there is one; deltas
            find the query by it.
        join: the other side of a semijoin.
        kinds: the kinds of actors that hold the rows, for a join those of both sides.
        is_per_caller: the result depends on who asks.
    """

    name: str
    source: Readable
    test: RowTest | None
    equality: tuple[int, object] | None
    join: CompiledJoin | None
    is_per_caller: bool
    kinds: tuple[ActorKind, ...]


class QueryCompiler:
    """Compiles the queries of a module's clients; texts and normal forms are cached, bounded."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._catalog = SchemaCatalog(module.schema)
        self._texts: OrderedDict[tuple[str, bool], tuple[CompiledQuery, ...]] = OrderedDict()
        self._queries: OrderedDict[Query, CompiledQuery] = OrderedDict()

    def compile(self, text: str, *, subscription: bool = True) -> tuple[CompiledQuery, ...]:
        """The queries that a text stands for: one, or one for each table of ``SELECT * FROM *``.

        Raises:
            SqlError: the text is no query, or names what clients may not read (wire spec 10.4).
        """
        key = (text, subscription)
        known = self._texts.get(key)
        if known is not None:
            self._texts.move_to_end(key)
            return known
        resolved = resolve_query(text, self._catalog, subscription=subscription)
        compiled = tuple(dict.fromkeys(self._compiled(query) for query in resolved))
        self._texts[key] = compiled
        if len(self._texts) > QUERIES_CACHED_MAX:
            self._texts.popitem(last=False)
        return compiled

    def _compiled(self, query: Query) -> CompiledQuery:
        compiled = self._queries.get(query)
        if compiled is None:
            compiled = self._queries[query] = self._compile(query)
            if len(self._queries) > QUERIES_CACHED_MAX:
                self._queries.popitem(last=False)
        else:
            self._queries.move_to_end(query)
        return compiled

    def _compile(self, query: Query) -> CompiledQuery:
        source = self._readable(query.table)
        is_per_caller = isinstance(source, ViewDeclaration) and not source.is_anonymous
        is_per_caller = is_per_caller or uses_sender(query.predicate)
        if isinstance(query, Selection):
            pairs = equality_columns(query.predicate)
            return CompiledQuery(
                query.table,
                source,
                compile_predicate(query.predicate),
                pairs[0] if pairs else None,
                None,
                is_per_caller,
                source.kinds,
            )
        join = self._join(query, source)
        for predicate in (query.other_predicate, query.pair_predicate):
            is_per_caller = is_per_caller or uses_sender(predicate)
        test = compile_predicate(query.predicate)
        kinds = tuple(kind for kind in source.kinds if kind in join.other.kinds)
        return CompiledQuery(query.table, source, test, None, join, is_per_caller, kinds)

    def _join(self, query: SemiJoin, source: Readable) -> CompiledJoin:
        other = self._readable(query.other)
        if isinstance(source, ViewDeclaration) or isinstance(other, ViewDeclaration):
            raise SqlError("Unsupported: views in joins")
        if not set(source.kinds).intersection(other.kinds):
            raise SqlError(
                f"Unsupported: `{source.name}` and `{other.name}` belong to different actors"
            )
        return CompiledJoin(
            query.column,
            other,
            query.other_column,
            compile_predicate(query.other_predicate),
            compile_pair_predicate(query.pair_predicate),
        )

    def _readable(self, name: str) -> Readable:
        table = self._module.tables.get(name)
        return self._module.views[name] if table is None else table
