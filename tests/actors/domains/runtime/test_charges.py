from __future__ import annotations

from user_bench import UserBench, only

from actors.domains.kinds import AGENT, CATALOG
from actors.domains.limits import CREATOR_BONUSES_PER_DAY, SIGNUP_BONUS
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger
from actors.domains.world_messages import Charge, Charged, ChargeRejected, CreatorBonus, Refund

SESSION = "cws_one"
OPERATION = f"{SESSION}.op_1"
AGENT_ACTOR = AGENT.key(SESSION)
SHARD = CATALOG.shard_key("cwp_one")
DAY_MICROS = 86_400_000_000


def _charge(bench: UserBench, amount: int, operation: str = OPERATION) -> object:
    return only(bench.tell(Charge(SESSION, operation, amount), AGENT_ACTOR))


def _ledger(bench: UserBench) -> list[tuple[int, int, int]]:
    rows = sorted(bench.rows(ProfileWalletLedger), key=lambda row: row.seq)
    return [(row.seq, row.amount_delta, row.balance_after) for row in rows]


def test_an_operation_is_charged_and_refunded_once(bench: UserBench) -> None:
    bench.connect()
    for _ in range(2):
        assert _charge(bench, 10) == Charged(OPERATION, 10)
    for _ in range(2):
        assert bench.tell(Refund(SESSION, OPERATION, 10), AGENT_ACTOR) == []
    assert _ledger(bench) == [(1, 200, 200), (2, -10, 190), (3, 10, 200)]
    reasons = [row.reason for row in bench.rows(ProfileWalletLedger)]
    assert LedgerReason.AGENT_OPERATION_CHARGE in reasons
    assert LedgerReason.AGENT_OPERATION_REFUND in reasons


def test_what_is_not_there_cannot_be_charged(bench: UserBench) -> None:
    bench.connect()
    rejected = _charge(bench, SIGNUP_BONUS + 1)
    assert isinstance(rejected, ChargeRejected)
    assert rejected.code == "wallet.insufficient_balance"
    bench.tell(Refund(SESSION, OPERATION, SIGNUP_BONUS + 1), AGENT_ACTOR)
    assert _ledger(bench) == [(1, 200, 200)], "what was not charged is not given back"
    assert _charge(bench, 0) == Charged(OPERATION, 0)
    assert _ledger(bench) == [(1, 200, 200)]


def test_a_like_pays_once_and_a_day_only_so_much(bench: UserBench) -> None:
    def like(liker: int, work: str = "cwp_one") -> None:
        bench.tell(CreatorBonus(work, f"u_{liker}"), SHARD)

    for _ in range(2):
        like(0)
    like(0, "cwp_two")
    assert _ledger(bench) == [(1, 1, 1), (2, 1, 2)]
    for liker in range(1, CREATOR_BONUSES_PER_DAY + 10):
        like(liker)
    assert _ledger(bench)[-1] == (CREATOR_BONUSES_PER_DAY, 1, CREATOR_BONUSES_PER_DAY)
    bench.let_pass(DAY_MICROS)
    like(1_000)
    assert len(_ledger(bench)) == CREATOR_BONUSES_PER_DAY + 1
