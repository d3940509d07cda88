from __future__ import annotations

import asyncio

from example_bench import running_example
from hypothesis import given
from hypothesis import strategies as st

from examples.bank import Account
from persistence.memory import MemoryDisk

ACCOUNTS = 4
BALANCE = 100

ids = st.integers(0, ACCOUNTS)  # one more than there are
transfers = st.lists(st.tuples(ids, ids, st.integers(-5, 150)), max_size=30)


def expected(balances: dict[int, int], source: int, target: int, amount: int) -> str | None:
    if source == target:
        return "same_account"
    if amount <= 0:
        return "non_positive_amount"
    if source not in balances or target not in balances:
        return "account_missing"
    if balances[source] < amount:
        return "insufficient_funds"
    balances[source] -= amount
    balances[target] += amount
    return None


@given(transfers)
def test_any_transfers_conserve_the_sum_and_agree_with_a_model(calls):
    async def play() -> None:
        disk = MemoryDisk()
        balances = dict.fromkeys(range(ACCOUNTS), BALANCE)
        async with running_example("examples.bank", disk) as bank:
            assert await bank.call(1, "seed", ACCOUNTS, BALANCE) is None
            for call in calls:
                assert await bank.call(1, "transfer", *call) == expected(balances, *call)
            assert dict(bank.rows(Account)) == balances
        async with running_example("examples.bank", disk) as bank:
            assert dict(bank.rows(Account)) == balances
            assert sum(row.balance for row in bank.rows(Account)) == ACCOUNTS * BALANCE

    asyncio.run(play())
