"""The bank of the examples but for one rule; which, says the environment variable ``CROOKED``."""

from __future__ import annotations

import os

from actors import ReducerContext, i64, reducer, replace, u32
from examples import bank
from examples.bank import Account

FAULT = os.environ.get("CROOKED", "")
EVERY = 25
COUNT = {"transfers": 0, "seeds": 0}


def is_time(what: str) -> bool:
    """Whether to break the rule, this time; it is kept until there is a load."""
    COUNT[what] += 1
    return COUNT[what] % EVERY == 0


@reducer
def seed(ctx: ReducerContext, n: u32, initial_balance: i64) -> None:
    if FAULT != "forget" or not is_time("seeds"):
        bank.seed(ctx, n, initial_balance)


@reducer
def transfer(ctx: ReducerContext, from_: u32, to: u32, amount: i64) -> None:
    crooked = is_time("transfers")
    if FAULT == "forget" and crooked:
        return
    bank.transfer(ctx, from_, to, amount)
    if FAULT == "mint" and crooked:
        accounts = ctx.db[Account]
        target = accounts.get(to)
        accounts.update(replace(target, balance=target.balance + 1))
