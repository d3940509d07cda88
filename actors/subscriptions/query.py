"""Compiled query: the text of a subscription, resolved once for everybody who asks it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.datastore import EncodedRow
from actors.keys import ActorKind, Audience
from actors.limits import QUERIES_CACHED_MAX
from actors.module.functions import ViewDeclaration
from actors.module.module import Module
from actors.module.tables import Readers, TableDeclaration
from protocol.errors import SqlError
from protocol.sql import (
    Demand,
    PairTest,
    Query,
    RowTest,
    SchemaCatalog,
    SelectEverything,
    Selection,
    SemiJoin,
    Window,
    compile_order,
    compile_pair_predicate,
    compile_predicate,
    demand_of,
    parse_query,
    resolve,
    uses_sender,
)

__all__ = ["CompiledJoin", "CompiledQuery", "CompiledWindow", "QueryCompiler", "Readable"]

Readable = TableDeclaration | ViewDeclaration

_Text = tuple[str, bool, frozenset[str]]
"""A trimmed text, whether it subscribes, and those of the caller's roles that matter."""


_EACH = "SELECT * FROM "
"""What ``SELECT * FROM *`` asks of each table."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledJoin:
    """The looked-up side of a semijoin; positions of the join columns on both sides."""

    column: int
    other: Readable
    other_column: int
    other_test: RowTest | None
    other_demand: Demand | None
    pair_test: PairTest | None
    other_readers: Readers | None


@dataclass(frozen=True, slots=True, eq=False)
class CompiledWindow:
    """The first ``limit`` rows by ``key``, which no two different rows share; all without limit.

    Attributes:
        has_order: there is an ORDER BY, as every live window has.
    """

    limit: int | None
    key: Callable[[EncodedRow], tuple[Any, ...]]
    has_order: bool


@dataclass(frozen=True, slots=True, eq=False)
class CompiledQuery:
    """One query; the same text is the same object, another spelling is another (wire spec 9).

    Attributes:
        text: what was asked, without white space around it.
        name: the returned table's or view's name.
        source: what the rows come from.
        test: whether a row belongs to the result; None when every row does.
        demand: what rows of the source must have to be in the result; deltas find the query by it.
        join: the other side of a semijoin.
        window: which of the rows are in the result, when not all are.
        kinds: the kinds of actors that hold the rows, for a join those of both sides.
        is_per_caller: the result depends on who asks.
        readers: which user alone sees a row of the source, as its table declares it; None when
            whoever asks sees them all.
    """

    text: str
    name: str
    source: Readable
    test: RowTest | None
    demand: Demand | None
    join: CompiledJoin | None
    window: CompiledWindow | None
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
    """Compiles the queries of a module's clients; those asked last are remembered, bounded."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._catalog = SchemaCatalog(module.readable, unlisted=module.internal)
        self._roles = frozenset(
            table.readers_role for table in module.tables.values() if table.readers_role is not None
        )
        self._texts: OrderedDict[_Text, tuple[CompiledQuery, ...]] = OrderedDict()
        self._queries: OrderedDict[tuple[str, frozenset[str]], CompiledQuery] = OrderedDict()

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
        text = text.strip()
        roles &= self._roles
        key = (text, subscription, roles)
        known = self._texts.get(key)
        if known is not None:
            self._texts.move_to_end(key)
            return known
        statement = parse_query(text)
        resolved = resolve(statement, self._catalog, subscription=subscription)
        is_everything = isinstance(statement, SelectEverything)
        compiled = tuple(
            self._compiled(_EACH + query.table if is_everything else text, query, roles)
            for query in resolved
        )
        if subscription:
            _check_live(compiled)
        self._texts[key] = compiled
        if len(self._texts) > QUERIES_CACHED_MAX:
            self._texts.popitem(last=False)
        return compiled

    def _compiled(self, text: str, query: Query, roles: frozenset[str]) -> CompiledQuery:
        names = (query.table,) if isinstance(query, Selection) else (query.table, query.other)
        key = (text, frozenset(name for name in names if self._role(name) in roles))
        compiled = self._queries.get(key)
        if compiled is None:
            compiled = self._queries[key] = self._compile(text, query, key[1])
            if len(self._queries) > QUERIES_CACHED_MAX:
                self._queries.popitem(last=False)
        else:
            self._queries.move_to_end(key)
        return compiled

    def _compile(self, text: str, query: Query, overseen: frozenset[str]) -> CompiledQuery:
        source = self._readable(query.table)
        join = None if isinstance(query, Selection) else self._join(query, source, overseen)
        window = None
        if isinstance(query, Selection) and query.window is not None:
            key = _key(query.window, source)
            window = CompiledWindow(query.window.limit, key, bool(query.window.order))
        predicates = [query.predicate]
        sources = [source]
        if isinstance(query, SemiJoin) and join is not None:
            predicates += (query.other_predicate, query.pair_predicate)
            sources.append(join.other)
        return CompiledQuery(
            text=text,
            name=query.table,
            source=source,
            test=compile_predicate(query.predicate),
            demand=demand_of(query.predicate),
            join=join,
            window=window,
            is_per_caller=any(map(uses_sender, predicates)) or any(map(_is_per_caller, sources)),
            kinds=tuple(kind for kind in source.kinds if kind in sources[-1].kinds),
            readers=_readers(source, overseen),
        )

    def _join(self, query: SemiJoin, source: Readable, overseen: frozenset[str]) -> CompiledJoin:
        other = self._readable(query.other)
        if not set(source.kinds).intersection(other.kinds):
            raise SqlError(
                f"Unsupported: `{source.name}` and `{other.name}` belong to different actors"
            )
        return CompiledJoin(
            query.column,
            other,
            query.other_column,
            compile_predicate(query.other_predicate),
            demand_of(query.other_predicate),
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


def _is_per_caller(source: Readable) -> bool:
    return isinstance(source, ViewDeclaration) and not source.is_anonymous


def _key(window: Window, source: Readable) -> Callable[[EncodedRow], tuple[Any, ...]]:
    """What rows sort by; among equals the primary key decides, or the row's bytes without one."""
    columns = compile_order(window.order)
    primary = source.primary_key_position if isinstance(source, TableDeclaration) else None
    if primary is None:
        return lambda row: (*columns(row.row), row.data)
    return lambda row: (*columns(row.row), row.row[primary])


def _check_live(queries: tuple[CompiledQuery, ...]) -> None:
    """A window over several actors would have to be told in the transactions of all of them."""
    for query in queries:
        if query.window is not None and not _is_of_one_actor(query.kinds):
            raise SqlError(
                f"Unsupported SELECT: ORDER BY in a subscription to `{query.name}`, whose rows are"
                " several actors'"
            )


def _is_of_one_actor(kinds: tuple[ActorKind, ...]) -> bool:
    """Whether all rows that one caller reads of these kinds are in one actor."""
    (kind, *others) = kinds
    return not others and kind.audience is not Audience.ATTACHED and kind.shards == 1
