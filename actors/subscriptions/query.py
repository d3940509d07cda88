"""Compiled query: the text of a subscription, resolved once for everybody who asks it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from actors.keys import ActorKind
from actors.limits import QUERIES_CACHED_MAX
from actors.module.functions import ViewDeclaration
from actors.module.module import Module
from actors.module.tables import Readers, TableDeclaration
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

_Text = tuple[str, bool, frozenset[str]]
"""A text, whether it subscribes, and those of the caller's roles that matter."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledJoin:
    """The looked-up side of a semijoin; positions of the join columns on both sides."""

    column: int
    other: TableDeclaration
    other_column: int
    other_test: RowTest | None
    pair_test: PairTest | None
    other_readers: Readers | None


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
        readers: which user alone sees a row of the source, as its table declares it; None when
            whoever asks sees them all.
    """

    name: str
    source: Readable
    test: RowTest | None
    equality: tuple[int, object] | None
    join: CompiledJoin | None
    is_per_caller: bool
    kinds: tuple[ActorKind, ...]
    readers: Readers | None

    @property
    def has_readers(self) -> bool:
        """Whether some rows of the result are for one user alone."""
        return self.readers is not None or (
            self.join is not None and self.join.other_readers is not None
        )


class QueryCompiler:
    """Compiles the queries of a module's clients; texts and normal forms are cached, bounded."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._catalog = SchemaCatalog(module.readable, unlisted=module.internal)
        self._roles = frozenset(
            table.readers_role for table in module.tables.values() if table.readers_role is not None
        )
        self._texts: OrderedDict[_Text, tuple[CompiledQuery, ...]] = OrderedDict()
        self._queries: OrderedDict[tuple[Query, frozenset[str]], CompiledQuery] = OrderedDict()

    def texts(self) -> dict[CompiledQuery, str]:
        """A text that each query was asked with, of those that are remembered."""
        return {query: text for (text, *_), found in self._texts.items() for query in found}

    def compile(
        self, text: str, *, subscription: bool = True, roles: frozenset[str] = frozenset()
    ) -> tuple[CompiledQuery, ...]:
        """The queries that a text stands for: one, or one for each table of ``SELECT * FROM *``.

        Args:
            text: what a client asks.
            subscription: whether it subscribes, or asks once.
            roles: the caller's; with a table's ``readers_role`` it reads rows of all readers.

        Raises:
            SqlError: the text is no query, or names what clients may not read (wire spec 10.4).
        """
        roles &= self._roles
        key = (text, subscription, roles)
        known = self._texts.get(key)
        if known is not None:
            self._texts.move_to_end(key)
            return known
        resolved = resolve_query(text, self._catalog, subscription=subscription)
        compiled = tuple(dict.fromkeys(self._compiled(query, roles) for query in resolved))
        self._texts[key] = compiled
        if len(self._texts) > QUERIES_CACHED_MAX:
            self._texts.popitem(last=False)
        return compiled

    def _compiled(self, query: Query, roles: frozenset[str]) -> CompiledQuery:
        names = (query.table,) if isinstance(query, Selection) else (query.table, query.other)
        key = (query, frozenset(name for name in names if self._role(name) in roles))
        compiled = self._queries.get(key)
        if compiled is None:
            compiled = self._queries[key] = self._compile(query, key[1])
            if len(self._queries) > QUERIES_CACHED_MAX:
                self._queries.popitem(last=False)
        else:
            self._queries.move_to_end(key)
        return compiled

    def _compile(self, query: Query, overseen: frozenset[str]) -> CompiledQuery:
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
                _readers(source, overseen),
            )
        join = self._join(query, source, overseen)
        for predicate in (query.other_predicate, query.pair_predicate):
            is_per_caller = is_per_caller or uses_sender(predicate)
        test = compile_predicate(query.predicate)
        kinds = tuple(kind for kind in source.kinds if kind in join.other.kinds)
        readers = _readers(source, overseen)
        return CompiledQuery(query.table, source, test, None, join, is_per_caller, kinds, readers)

    def _join(self, query: SemiJoin, source: Readable, overseen: frozenset[str]) -> CompiledJoin:
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
            _readers(other, overseen),
        )

    def _role(self, name: str) -> str | None:
        readable = self._readable(name)
        return readable.readers_role if isinstance(readable, TableDeclaration) else None

    def _readable(self, name: str) -> Readable:
        table = self._module.tables.get(name)
        return self._module.views[name] if table is None else table


def _readers(source: Readable, overseen: frozenset[str]) -> Readers | None:
    """Who sees which rows; a view has shown its caller what it wants to show already."""
    if isinstance(source, ViewDeclaration) or source.name in overseen:
        return None
    return source.readers
