"""Wallet: the append-only ledger of sparks, the platform's currency (domain 2.5)."""

from __future__ import annotations

from enum import IntEnum

from actors.domains.kinds import USER
from actors.domains.limits import (
    LISTED_ROWS_MAX,
    MEMO_CHARS_MAX,
    SOURCE_REF_CHARS_MAX,
    WALLET_AMOUNT_MAX,
)
from actors.domains.rules.ids import derived_id
from actors.domains.rules.text import check_id, clean_text
from actors.domains.runtime.profile import dashboard_of, save_dashboard
from actors.errors import ReducerError
from actors.module.context import DatabaseReader, ReducerContext, ViewContext
from actors.module.functions import procedure, reducer
from actors.module.tables import table
from actors.module.types import Timestamp, i64, replace, struct, u32, u64

__all__ = [
    "LedgerReason",
    "ProfileWalletLedger",
    "append_entry",
    "append_wallet_ledger_entry",
    "balance_of",
    "entry_for",
    "get_wallet_balance",
    "list_wallet_ledger",
]


class LedgerReason(IntEnum):
    """Why sparks moved (domain 2.5)."""

    SIGNUP_BONUS = 0
    CHAPTER_CLEAR_BONUS = 1
    BIG_FISH_WIN = 2
    PUZZLE_CLEAR = 3
    CREATOR_LIKE_BONUS = 4
    AGENT_OPERATION_CHARGE = 5
    AGENT_OPERATION_REFUND = 6
    ADMIN_ADJUSTMENT = 7


@table(
    public=True,
    primary_key="ledger_id",
    unique=["dedupe_key"],
    index=["user_id", "seq"],
    actor=USER,
)
class ProfileWalletLedger:
    """One movement of sparks. ``seq`` counts from 1 without gaps; rows never change."""

    ledger_id: str
    user_id: str
    seq: u64
    amount_delta: i64
    balance_after: i64
    reason: LedgerReason
    source_ref: str
    dedupe_key: str
    memo: str
    created_at: Timestamp


@struct
class AppendWalletLedgerEntry:
    """Input of ``append_wallet_ledger_entry``."""

    user_id: str
    amount_delta: i64
    reason: LedgerReason
    source_ref: str
    memo: str
    request_id: str


@struct
class GetWalletBalance:
    """Input of ``get_wallet_balance``; another user needs the service role."""

    user_id: str | None


@struct
class ListWalletLedger:
    """Input of ``list_wallet_ledger``: entries below ``before_seq``, or the newest."""

    user_id: str | None
    before_seq: u64 | None
    limit: u32


@reducer(actor=USER, roles={"service"})
def append_wallet_ledger_entry(
    ctx: ReducerContext, input: AppendWalletLedgerEntry
) -> ProfileWalletLedger:
    """Move sparks, once for each source reference.

    Raises ``wallet.amount_out_of_range``, ``wallet.insufficient_balance``, and the refusals of ids
    and texts.
    """
    if not 1 <= abs(input.amount_delta) <= WALLET_AMOUNT_MAX:
        raise ReducerError(
            "wallet.amount_out_of_range", f"amount must be 1 to {WALLET_AMOUNT_MAX}, either way"
        )
    source_ref = check_id(input.source_ref, SOURCE_REF_CHARS_MAX)
    memo = clean_text(input.memo, MEMO_CHARS_MAX)
    return append_entry(ctx, input.amount_delta, input.reason, source_ref, memo)


@procedure(actor=USER)
def get_wallet_balance(ctx: ViewContext, input: GetWalletBalance) -> i64:
    """The user's sparks; 0 without any entry."""
    del input  # It only names the actor.
    return balance_of(ctx.db)


@procedure(actor=USER)
def list_wallet_ledger(ctx: ViewContext, input: ListWalletLedger) -> list[ProfileWalletLedger]:
    """The user's entries, newest first. Raises ``input.out_of_range``."""
    if not 1 <= input.limit <= LISTED_ROWS_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {LISTED_ROWS_MAX}")
    ledger = ctx.db[ProfileWalletLedger]
    newest = len(ledger)
    if input.before_seq is not None:
        newest = min(newest, input.before_seq - 1)
    oldest = max(1, newest - input.limit + 1)
    wanted = [ledger.first(seq=seq) for seq in range(newest, oldest - 1, -1)]
    return [entry for entry in wanted if entry is not None]


def balance_of(db: DatabaseReader) -> int:
    """The user's sparks: what the newest entry left."""
    newest = _newest(db)
    return 0 if newest is None else newest.balance_after


def entry_for(db: DatabaseReader, dedupe_key: str) -> ProfileWalletLedger | None:
    """The entry that a user and a source reference have made."""
    return db[ProfileWalletLedger].first(dedupe_key=dedupe_key)


def append_entry(
    ctx: ReducerContext, amount_delta: int, reason: LedgerReason, source_ref: str, memo: str
) -> ProfileWalletLedger:
    """Append an entry to the ledger of this actor's user and bring the dashboard up to date.

    A second entry with the same ``source_ref`` answers the first one and writes nothing.

    Raises:
        ReducerError: ``wallet.insufficient_balance``; nothing is written.
    """
    ledger = ctx.db[ProfileWalletLedger]
    dedupe_key = derived_id(ctx.key, source_ref)
    known = entry_for(ctx.db, dedupe_key)
    if known is not None:
        return known
    assert amount_delta != 0
    balance = balance_of(ctx.db)
    if balance + amount_delta < 0:
        raise ReducerError(
            "wallet.insufficient_balance",
            "there are not enough sparks",
            balance=balance,
            required=-amount_delta,
        )
    entry = ledger.insert(
        ProfileWalletLedger(
            ledger_id=ctx.new_id("wl_"),
            user_id=ctx.key,
            seq=len(ledger) + 1,
            amount_delta=amount_delta,
            balance_after=balance + amount_delta,
            reason=reason,
            source_ref=source_ref,
            dedupe_key=dedupe_key,
            memo=memo,
            created_at=ctx.timestamp,
        )
    )
    dashboard = dashboard_of(ctx)
    assert dashboard.wallet_balance == balance
    save_dashboard(ctx, replace(dashboard, wallet_balance=entry.balance_after))
    return entry


def _newest(db: DatabaseReader) -> ProfileWalletLedger | None:
    ledger = db[ProfileWalletLedger]
    count = len(ledger)
    if not count:
        return None
    newest = ledger.first(seq=count)
    assert newest is not None
    return newest
