from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.domain_types import Rarity
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.trade import buy_price, gift_points, roll_stock, sell_price
from actors.module.types import replace
from actors.rng import SplitMix64

HERB = CORE_ITEMS["core_healing_herb"]


def test_prices_of_the_specification() -> None:
    assert buy_price(40, 20) == 50
    assert sell_price(40, 20) == 17
    assert buy_price(40, 3) == 52


@given(st.integers(0, 100_000), st.integers(-100, 100))
def test_there_is_no_arbitrage(value: int, affinity: int) -> None:
    assert buy_price(value, affinity) >= value >= sell_price(value, affinity)


@pytest.mark.parametrize(
    ("rarity", "liked", "disliked", "given_before", "points"),
    [
        (Rarity.UNCOMMON, ["herb"], [], 0, 6),
        (Rarity.UNCOMMON, ["herb"], [], 2, 4),
        (Rarity.RARE, [], ["herb"], 0, -3),
        (Rarity.COMMON, ["herb"], [], 0, 3),
        (Rarity.COMMON, ["herb"], [], 1, 2),
        (Rarity.COMMON, [], [], 9, 1),
        (Rarity.COMMON, ["herb"], ["medicine"], 0, 2),
    ],
)
def test_gifts(
    rarity: Rarity, liked: list[str], disliked: list[str], given_before: int, points: int
) -> None:
    item = replace(HERB, rarity=rarity)
    assert gift_points(item, liked, disliked, given_before) == points


@given(st.integers(0, 2**64 - 1), st.integers(1, 50))
def test_stock_follows_tags_and_tier(seed: int, level: int) -> None:
    stock = roll_stock(SplitMix64(seed), CORE_ITEMS, ["metal", "medicine"], level)
    assert 3 <= len(stock) <= 6
    assert len({grant.item_id for grant in stock}) == len(stock)
    assert all(1 <= grant.quantity <= 3 for grant in stock)
    tier = -(-level // 10)
    for grant in stock:
        item = CORE_ITEMS[grant.item_id]
        assert {"metal", "medicine"} & set(item.tags)
        if "_t" in grant.item_id and item.equip_slot is not None:
            assert grant.item_id.endswith(f"_t{tier}")
    again = roll_stock(SplitMix64(seed), CORE_ITEMS, ["metal", "medicine"], level)
    assert again == stock


def test_who_deals_in_nothing_sells_common_goods() -> None:
    stock = roll_stock(SplitMix64(1), CORE_ITEMS, [], 5)
    common = {"core_healing_herb", "core_mana_drop", "core_antidote", "core_throwing_knife"}
    assert {grant.item_id for grant in stock} <= common | {"core_blade_t1", "core_mail_t1"}
