"""A bank that keeps its rules but one; which, says the environment variable ``CROOKED``."""

from __future__ import annotations

import os

from actors import ReducerContext, i64, reducer, replace, table, u32

FAULT = os.environ.get("CROOKED", "")
EVERY = 25


@table(name="accounts", public=True, primary_key="id")
class Account:
    id: u32
    balance: i64


COUNT = {"transfers": 0, "seeds": 0}


def is_time(what: str) -> bool:
    """Whether to break the rule, this time; it is kept until there is a load."""
    COUNT[what] += 1
    return COUNT[what] % EVERY == 0


@reducer
def seed(ctx: ReducerContext, n: u32, initial_balance: i64) -> None:
    if FAULT == "forget" and is_time("seeds"):
        return
    for account_id in range(n):
        ctx.db[Account].upsert(Account(account_id, initial_balance))


@reducer
def transfer(ctx: ReducerContext, from_: u32, to: u32, amount: i64) -> None:
    accounts = ctx.db[Account]
    source, target = accounts.find(from_), accounts.find(to)
    assert source is not None
    assert target is not None
    crooked = is_time("transfers")
    if FAULT == "forget" and crooked:
        return
    paid = amount + 1 if FAULT == "mint" and crooked else amount
    accounts.update(replace(source, balance=source.balance - amount))
    accounts.update(replace(target, balance=target.balance + paid))
