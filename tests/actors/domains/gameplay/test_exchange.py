from __future__ import annotations

from lineage import COIN, HERB, LINEAGE, VALE_BLADE, backpack, grant
from user_bench import UserBench, only

from actors.domains.domain_types import ItemGrant
from actors.domains.messages import (
    ExchangeRejected,
    ExchangeSettled,
    RequestLoadout,
    SettleExchange,
)


def swap(
    exchange: str,
    coins: int,
    gained: list[ItemGrant] | None = None,
    given: list[ItemGrant] | None = None,
) -> SettleExchange:
    return SettleExchange(exchange, LINEAGE, coins, gained or [], given or [], [VALE_BLADE])


def test_a_purchase_is_done_once(bench: UserBench) -> None:
    grant(bench, COIN, 100)
    purchase = swap("ex_1", -90, gained=[ItemGrant("vale_blade", 1)])
    for _ in range(2):
        assert only(bench.tell(purchase)) == ExchangeSettled("ex_1", bench.user_id)
        assert backpack(bench) == [(0, COIN, 10), (1, "vale_blade", 1)]


def test_a_sale_turns_items_into_coins(bench: UserBench) -> None:
    grant(bench, HERB, 3)
    bench.tell(swap("ex_1", 17, given=[ItemGrant(HERB, 2)]))
    assert backpack(bench) == [(0, HERB, 1), (1, COIN, 17)]


def test_what_is_missing_rejects_the_whole_exchange(bench: UserBench) -> None:
    grant(bench, COIN, 10)
    answer = only(bench.tell(swap("ex_1", -11, gained=[ItemGrant(HERB, 1)])))
    assert isinstance(answer, ExchangeRejected)
    assert answer.code == "inventory.insufficient_items"
    assert backpack(bench) == [(0, COIN, 10)]
    grant(bench, COIN, 1)
    again = only(bench.tell(swap("ex_1", -11, gained=[ItemGrant(HERB, 1)])))
    assert isinstance(again, ExchangeSettled)
    assert backpack(bench) == [(0, HERB, 1)]


def test_what_a_battle_has_locked_is_not_sold(bench: UserBench) -> None:
    grant(bench, HERB, 3)
    bench.tell(RequestLoadout("ss_1.bt_1", LINEAGE, None))
    answer = only(bench.tell(swap("ex_1", 17, given=[ItemGrant(HERB, 2)])))
    assert answer.code == "inventory.locked_state"
    answer = only(bench.tell(swap("ex_2", 17, given=[ItemGrant(HERB, 4)])))
    assert answer.code == "inventory.insufficient_items"
