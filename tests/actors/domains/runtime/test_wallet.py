from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from user_bench import UserBench, only

from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger
from actors.errors import ReducerError

CHARGE = LedgerReason.AGENT_OPERATION_CHARGE
REFUND = LedgerReason.AGENT_OPERATION_REFUND


def test_the_ledger_of_the_specification(bench: UserBench) -> None:
    bench.connect()
    bench.serve("append_wallet_ledger_entry", -10, CHARGE, "op:1:charge", "")
    bench.serve("append_wallet_ledger_entry", 10, REFUND, "op:1:refund", "")
    again = bench.serve("append_wallet_ledger_entry", 10, REFUND, "op:1:refund", "")
    rows = sorted(bench.rows(ProfileWalletLedger), key=lambda row: row.seq)
    assert [(row.seq, row.amount_delta, row.balance_after) for row in rows] == [
        (1, 200, 200),
        (2, -10, 190),
        (3, 10, 200),
    ]
    assert again == rows[-1]
    assert bench.read("get_wallet_balance", None) == 200


@pytest.mark.parametrize("amount", [0, 1_000_001, -1_000_001])
def test_amounts_out_of_range_are_refused(bench: UserBench, amount: int) -> None:
    with pytest.raises(ReducerError, match=r"^wallet\.amount_out_of_range"):
        bench.serve("append_wallet_ledger_entry", amount, CHARGE, "ref", "")
    assert bench.rows(ProfileWalletLedger) == []


def test_a_balance_never_goes_below_zero(bench: UserBench) -> None:
    bench.connect()
    bench.serve("append_wallet_ledger_entry", -180, CHARGE, "first", "")
    with pytest.raises(ReducerError) as refused:
        bench.serve("append_wallet_ledger_entry", -30, CHARGE, "second", "")
    assert refused.value.code == "wallet.insufficient_balance"
    assert refused.value.details == {"balance": 20, "required": 30}
    assert bench.read("get_wallet_balance", None) == 20
    bench.serve("append_wallet_ledger_entry", -20, CHARGE, "third", "")
    assert bench.read("get_wallet_balance", None) == 0


def test_players_cannot_pay_themselves(bench: UserBench) -> None:
    bench.connect()
    with pytest.raises(ReducerError, match=r"^auth\.forbidden"):
        bench.call("append_wallet_ledger_entry", bench.user_id, 5, CHARGE, "ref", "")


def test_a_source_reference_must_leave_room_for_the_user_id(bench: UserBench) -> None:
    with pytest.raises(ReducerError, match=r"^input\.invalid_id"):
        bench.serve("append_wallet_ledger_entry", 5, CHARGE, "r" * 121, "")
    with pytest.raises(ReducerError, match=r"^input\.text_too_long"):
        bench.serve("append_wallet_ledger_entry", 5, CHARGE, "r", "m" * 121)


def test_listing_goes_back_from_the_newest(bench: UserBench) -> None:
    for number in range(1, 6):
        bench.serve("append_wallet_ledger_entry", number, REFUND, f"ref-{number}", "")
    newest = bench.read("list_wallet_ledger", None, None, 2)
    assert [row.seq for row in newest] == [5, 4]
    assert [row.seq for row in bench.read("list_wallet_ledger", None, 4, 100)] == [3, 2, 1]
    assert bench.read("list_wallet_ledger", None, 1, 100) == []
    assert bench.read("list_wallet_ledger", None, 0, 100) == []
    for limit in (0, 101):
        with pytest.raises(ReducerError, match=r"^input\.out_of_range"):
            bench.read("list_wallet_ledger", None, None, limit)


def test_without_entries_the_balance_is_zero_and_nothing_is_written(bench: UserBench) -> None:
    assert bench.read("get_wallet_balance", None) == 0
    assert bench.read("list_wallet_ledger", None, None, 10) == []
    assert bench.written == 0


def again(bench: UserBench, amount: int, reference: int) -> int:
    """Repeat a movement under a new request id; answers how many rows of it were written."""
    before = bench.rows(ProfileWalletLedger), bench.rows(ProfileDashboardState)
    first = bench.serve("append_wallet_ledger_entry", amount, REFUND, f"ref-{reference}", "again")
    assert (first.source_ref, first.memo) == (f"ref-{reference}", "")
    after = bench.rows(ProfileWalletLedger), bench.rows(ProfileDashboardState)
    return sum(old != new for old, new in zip(before, after, strict=True))


@given(st.lists(st.tuples(st.integers(-300, 300).filter(bool), st.integers(0, 9)), max_size=30))
def test_the_ledger_always_adds_up(moves: list[tuple[int, int]]) -> None:
    bench = UserBench()
    for amount, reference in moves:
        is_moved = False
        with contextlib.suppress(ReducerError):
            bench.serve("append_wallet_ledger_entry", amount, REFUND, f"ref-{reference}", "")
            is_moved = True
        if is_moved:
            assert again(bench, amount, reference) == 0
    rows = sorted(bench.rows(ProfileWalletLedger), key=lambda row: row.seq)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert bench.read("list_wallet_ledger", None, None, 100) == rows[::-1]
    balance = 0
    for row in rows:
        balance += row.amount_delta
        assert row.balance_after == balance >= 0
    assert len({row.source_ref for row in rows}) == len(rows)
    assert bench.read("get_wallet_balance", None) == balance
    if rows:
        assert only(bench.rows(ProfileDashboardState)).wallet_balance == balance
