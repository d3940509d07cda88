"""Economy: coins that a chapter pays against what there is to buy."""

from __future__ import annotations

from typing import Final, NamedTuple

from fights import LEVELS
from worlds import plans_of

from actors.domains.domain_types import (
    ChapterProgressionPlan,
    EntityLevelKind,
    HostileRank,
    PaceBand,
    QuestKind,
)
from actors.domains.rules.combat import coins_of, hostile_combatant
from actors.domains.rules.items import CORE_ITEMS, HEALING_HERB, gear_item_id, gear_tier
from actors.domains.rules.progression import profile_at_level
from actors.domains.rules.trade import buy_price, sell_price
from actors.domains.rules.world import quest_coins

__all__ = [
    "ChapterCoins",
    "LevelPrices",
    "chapter_coins",
    "coins_of_rank",
    "gear_price",
    "level_prices",
]

_SIDE_QUESTS: Final = 2
# Domain 5.8: what a treasure holds by pace band.
_TREASURE_COINS: Final = {
    PaceBand.OPENING: 10,
    PaceBand.STEADY: 25,
    PaceBand.PRESSURE: 60,
    PaceBand.FINALE: 120,
}
_HERBS: Final = 5


class LevelPrices(NamedTuple):
    """What a level earns and pays. Prices are a stranger's, and a bonded friend's."""

    level: int
    kill_coins: dict[HostileRank, int]
    tier: int
    gear_price: int
    gear_price_of_a_friend: int
    gear_sold: int
    kills_for_gear: int
    kills_for_herb: int


class ChapterCoins(NamedTuple):
    """Coins in and out of a chapter that is played as planned, with two side quests."""

    plan: ChapterProgressionPlan
    from_kills: int
    from_quests: int
    from_treasure: int
    spent_on_gear: int
    spent_on_herbs: int
    purse: int


def coins_of_rank(level: int, rank: HostileRank) -> int:
    """What the death of one hostile pays."""
    profile = profile_at_level("one", rank, level, EntityLevelKind.HOSTILE)
    return coins_of([hostile_combatant(profile, "One")])


def gear_price(tier: int, affinity: int) -> int:
    """Price of blade, mail and charm of a tier."""
    values = [CORE_ITEMS[gear_item_id(kind, tier)].value_coins for kind in range(3)]
    return sum(buy_price(value, affinity) for value in values)


def level_prices() -> list[LevelPrices]:
    """Every level of the fights."""
    return [_prices(level) for level in LEVELS]


def chapter_coins(chapters: int, start_level: int) -> list[ChapterCoins]:
    """A world as planned: gear is bought when its tier first fits, herbs in every chapter.

    The purse may go below zero: it then says how much was missing.
    """
    rows: list[ChapterCoins] = []
    purse = tier = 0
    for plan in plans_of(chapters, start_level):
        level = (plan.entry_level + plan.exit_level) // 2
        kills = plan.expected_hostile_defeat_count * coins_of_rank(level, HostileRank.STANDARD)
        quests = quest_coins(plan.entry_level, QuestKind.MAIN)
        quests += _SIDE_QUESTS * quest_coins(plan.entry_level, QuestKind.SIDE)
        treasure = _TREASURE_COINS[plan.pace_band]
        fitting = gear_tier(plan.exit_level)
        gear = gear_price(fitting, 0) if fitting > tier else 0
        tier = max(tier, fitting)
        herbs = _HERBS * buy_price(CORE_ITEMS[HEALING_HERB].value_coins, 0)
        purse += kills + quests + treasure - gear - herbs
        rows.append(ChapterCoins(plan, kills, quests, treasure, gear, herbs, purse))
    return rows


def _prices(level: int) -> LevelPrices:
    tier = gear_tier(level)
    values = [CORE_ITEMS[gear_item_id(kind, tier)].value_coins for kind in range(3)]
    price, standard = gear_price(tier, 0), coins_of_rank(level, HostileRank.STANDARD)
    herb = buy_price(CORE_ITEMS[HEALING_HERB].value_coins, 0)
    return LevelPrices(
        level,
        kill_coins={rank: coins_of_rank(level, rank) for rank in HostileRank},
        tier=tier,
        gear_price=price,
        gear_price_of_a_friend=gear_price(tier, 100),
        gear_sold=sum(sell_price(value, 0) for value in values),
        kills_for_gear=-(-price // standard),
        kills_for_herb=-(-herb // standard),
    )
