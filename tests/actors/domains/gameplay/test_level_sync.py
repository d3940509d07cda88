"""Domain 3.6 and 4.2: a player's level in a story, wherever it was gained."""

from __future__ import annotations

from user_bench import SERVICE, only
from vale_bench import Player, claims, playing, running_vale

from actors.domains.domain_types import GrantSource
from actors.domains.gameplay.combat import BattleCombatant
from actors.domains.gameplay.story import StoryFunction, StoryPace, StoryParticipant


async def _grant(player: Player, amount: int) -> None:
    service = await player.vale.enter(SERVICE)
    await service.call(
        "grant_player_progression_experience",
        player.user_id,
        amount,
        GrantSource.ADMIN,
        f"g{amount}",
        None,
    )


async def test_a_strong_player_is_bounded_by_the_chapter_from_the_start() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        await _grant(player, 28_348)
        await player.begin()
        row = only(player.story_rows(StoryParticipant))
        assert (row.effective_level, row.max_hp) == (7, 374)
        assert only(player.story_rows(StoryPace)).level == 20


async def test_a_level_that_was_gained_elsewhere_counts_from_the_next_battle_on() -> None:
    async with playing() as player:
        await _grant(player, 400)
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "mill_prowl")
        own = only(row for row in player.story_rows(BattleCombatant) if row.user_id is not None)
        assert (own.level, own.stats.max_hp, own.mana, own.stats.max_mana) == (3, 233, 36, 36)
        assert only(player.story_rows(StoryPace)).level == 3
        battle = await player.battle(own.battle_state_id)
        await player.fight_out(battle)
        row = only(player.story_rows(StoryParticipant))
        assert (row.effective_level, row.max_hp) == (3, 233)
