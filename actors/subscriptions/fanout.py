"""Fan-out: a transaction's hits as messages, each made once and shared by all who get the same.

Every connection gets at most one message per transaction, with query sets by ascending id and
tables by ascending name (wire spec 6.4 and 8.1); where the version knows no sets in updates, each
table once (wire spec 7.3). The caller's share is not sent but answered: it travels inside the
caller's result (wire spec 6.3).
"""

from __future__ import annotations

from itertools import groupby

from actors.subscriptions.plan import Hit, Subscriber
from protocol.messages import Dialect

__all__ = ["fan_out"]


def fan_out(hits: list[Hit], caller: Subscriber | None) -> bytes | None:
    """Push a transaction's deltas to everybody but the caller.

    Returns:
        The caller's transaction body; None when the caller's query sets are not concerned.
    """
    if len(hits) == 1 and len(hits[0].plan.groups) == 1:
        return _to_one_group(hits[0], caller)
    hits.sort(key=lambda hit: hit.plan.name)
    shares: dict[Subscriber, list[tuple[int, int]]] = {}
    for number, hit in enumerate(hits):
        for (dialect, set_id), subscribers in hit.plan.groups.items():
            query_set_id = 0 if dialect.merges_sets else set_id
            for subscriber in subscribers:
                share = shares.get(subscriber)
                if share is None:
                    shares[subscriber] = [(query_set_id, number)]
                else:
                    share.append((query_set_id, number))
    fragments: dict[tuple[Dialect, int], bytes] = {}
    bodies: dict[tuple[Dialect, tuple[tuple[int, int], ...]], bytes] = {}
    messages: dict[tuple[Dialect, tuple[tuple[int, int], ...]], bytes] = {}
    request_id = 0 if caller is None else caller.request_id
    own: bytes | None = None
    for subscriber, share in shares.items():
        share.sort()
        dialect = subscriber.dialect
        key = (dialect, tuple(share))
        body = bodies.get(key)
        if body is None:
            body = bodies[key] = _body(dialect, share, hits, fragments)
        if subscriber is caller:
            own = body
            continue
        message = messages.get(key)
        if message is None:
            message = messages[key] = dialect.transaction_update(body, request_id)
        subscriber.push(message)
    return own


def _to_one_group(hit: Hit, caller: Subscriber | None) -> bytes | None:
    plan = hit.plan
    own = None
    for (dialect, set_id), subscribers in plan.groups.items():
        body = dialect.single_body(set_id, plan.name, hit.inserts, hit.deletes, event=plan.is_event)
        message = None
        for subscriber in subscribers:
            if subscriber is caller:
                own = body
                continue
            if message is None:
                request_id = 0 if caller is None else caller.request_id
                message = dialect.transaction_update(body, request_id)
            subscriber.push(message)
    return own


def _body(
    dialect: Dialect,
    share: list[tuple[int, int]],
    hits: list[Hit],
    fragments: dict[tuple[Dialect, int], bytes],
) -> bytes:
    """The transaction body of one share: (query set id, number of the hit), ascending."""
    sets = []
    for query_set_id, part in groupby(share, key=lambda entry: entry[0]):
        tables = []
        numbers = [number for _, number in part]
        for name, same in groupby(numbers, key=lambda number: hits[number].plan.name):
            rows = [_rows(dialect, number, hits[number], fragments) for number in same]
            tables.append(dialect.table_update(name, rows))
        sets.append(dialect.query_set_update(query_set_id, tables))
    return dialect.transaction_body(sets)


def _rows(
    dialect: Dialect, number: int, hit: Hit, fragments: dict[tuple[Dialect, int], bytes]
) -> bytes:
    key = (dialect, number)
    rows = fragments.get(key)
    if rows is None:
        rows = dialect.table_rows(hit.plan.name, hit.inserts, hit.deletes, event=hit.plan.is_event)
        fragments[key] = rows
    return rows
