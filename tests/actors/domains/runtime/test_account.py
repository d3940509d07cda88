from __future__ import annotations

import pytest
from user_bench import UserBench, claims, only

from actors.domains.runtime.account import ClientPresence, Role, UserAccount
from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger


def test_the_first_connection_creates_the_account_and_pays_the_bonus(bench: UserBench) -> None:
    bench.connect()
    account = only(bench.rows(UserAccount))
    assert account.user_id == bench.user_id
    assert account.identity == bench.claims.identity
    assert account.issuer == "localhost"
    assert account.display_name == f"Traveler-{bench.user_id[-4:]}"
    assert account.roles == [Role.PLAYER, Role.CREATOR]
    assert account.signup_bonus_granted
    assert account.created_at == account.last_seen_at
    entry = only(bench.rows(ProfileWalletLedger))
    assert (entry.seq, entry.amount_delta, entry.balance_after) == (1, 200, 200)
    assert (entry.reason, entry.source_ref) == (LedgerReason.SIGNUP_BONUS, "signup")
    assert only(bench.rows(ProfileDashboardState)).wallet_balance == 200
    presence = only(bench.rows(ClientPresence))
    assert presence.connection_key == f"{1:032x}"
    assert presence.user_id == bench.user_id


def test_later_connections_change_neither_name_nor_balance(bench: UserBench) -> None:
    bench.connect()
    first = only(bench.rows(UserAccount))
    bench.disconnect()
    bench.connect(connection=2)
    account = only(bench.rows(UserAccount))
    assert account == first._replace(last_seen_at=account.last_seen_at)
    assert account.last_seen_at > first.last_seen_at
    assert len(bench.rows(ProfileWalletLedger)) == 1


def test_presence_is_one_row_for_each_open_connection(bench: UserBench) -> None:
    bench.connect(1)
    bench.connect(2)
    assert len(bench.rows(ClientPresence)) == 2
    bench.disconnect(1)
    assert only(bench.rows(ClientPresence)).connection_key == f"{2:032x}"
    bench.disconnect(2)
    assert bench.rows(ClientPresence) == []
    assert len(bench.rows(UserAccount)) == 1


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [("Mira", "Mira"), ("  Mira\u0000 ", "Mira"), ("x" * 60, "x" * 40)],
)
def test_the_display_name_is_the_claimed_one_in_canonical_form(claimed: str, shown: str) -> None:
    bench = UserBench(claims(1, display_name=claimed))
    bench.connect()
    assert only(bench.rows(UserAccount)).display_name == shown


def test_roles_follow_the_newest_token(bench: UserBench) -> None:
    bench.connect()
    bench.claims = claims(1, "player", "moderator")
    bench.connect(2)
    assert only(bench.rows(UserAccount)).roles == [Role.PLAYER, Role.MODERATOR]
