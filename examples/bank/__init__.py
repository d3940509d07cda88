"""Bank: accounts, and transfers that conserve the sum of all balances."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, i64, reducer, replace, table, u32


@table(name="accounts", public=True, primary_key="id")
class Account:
    id: u32
    balance: i64


@reducer
def seed(ctx: ReducerContext, n: u32, initial_balance: i64) -> None:
    for account_id in range(n):
        ctx.db[Account].upsert(Account(account_id, initial_balance))


@reducer
def transfer(ctx: ReducerContext, from_: u32, to: u32, amount: i64) -> None:
    if from_ == to:
        raise ReducerError("same_account")
    if amount <= 0:
        raise ReducerError("non_positive_amount")
    accounts = ctx.db[Account]
    source, target = accounts.find(from_), accounts.find(to)
    if source is None or target is None:
        raise ReducerError("account_missing")
    if source.balance < amount:
        raise ReducerError("insufficient_funds")
    accounts.update(replace(source, balance=source.balance - amount))
    accounts.update(replace(target, balance=target.balance + amount))
