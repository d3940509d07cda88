from __future__ import annotations

import pytest
from user_bench import SERVICE, STORY_ACTOR, UserBench, only
from vale_bench import PROFILE, playing

from actors.domains.domain_types import GrantSource, PaceAdvice
from actors.domains.gameplay.chapter import ChapterDeviationReport, ChapterProgression
from actors.domains.gameplay.combat import BattleCombatant
from actors.domains.gameplay.story import StoryFunction
from actors.domains.messages import ChapterEntered, ChapterExited, EnterChapter, ExitChapter
from actors.domains.rules.combat import BattleSide
from actors.domains.rules.progression import plan_chapter
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger


def enter(bench: UserBench, index: int = 1, total: int = 5) -> ChapterEntered:
    plan = plan_chapter(total, index)
    return only(bench.tell(EnterChapter("ss_1", "rs_1", "cwp_1", f"cwp_1:c{index}", plan)))


def leave(bench: UserBench, index: int = 1) -> ChapterExited:
    return only(bench.tell(ExitChapter("ss_1", "rs_1", f"cwp_1:c{index}", is_test_play=False)))


def give(bench: UserBench, amount: int) -> None:
    bench.serve(
        "grant_player_progression_experience", amount, GrantSource.ADMIN, f"g{amount}", None
    )


def test_entering_plans_the_chapter_at_the_players_level(bench: UserBench) -> None:
    give(bench, 264)
    answer = enter(bench)
    assert bench.outlet.posted[-1].dst_actor == STORY_ACTOR
    assert answer.chapter == only(bench.view("my_chapter_progression"))
    assert answer.progression == only(bench.view("my_player_progression"))
    chapter = answer.chapter
    assert (chapter.entry_pseudo_level_millis, chapter.exit_pseudo_level_millis) == (1000, 5200)
    assert (chapter.planned_total_xp, chapter.expected_hostile_defeat_count) == (938, 10)
    assert (chapter.level_at_entry, chapter.level_at_exit) == (3, None)
    assert (answer.effective_level, answer.previous_advice) == (3, None)


def test_entering_again_changes_nothing(bench: UserBench) -> None:
    first = enter(bench)
    give(bench, 100)
    again = enter(bench)
    assert again.chapter == first.chapter
    assert again.progression.level == 2


def test_a_changed_plan_keeps_the_ledger(bench: UserBench) -> None:
    enter(bench)
    bench.serve("apply_chapter_progression_ledger_entry", "cwp_1:c1", 7, 8, 9, None, "entry")
    answer = enter(bench, total=6)
    assert answer.chapter.total_chapters == 6
    assert answer.chapter.actual_quest_xp == 7
    assert answer.chapter.level_at_entry == 1
    assert only(bench.rows(ChapterProgression)) == answer.chapter


def test_the_effective_level_is_bounded_by_the_chapter(bench: UserBench) -> None:
    give(bench, 28_348)
    assert enter(bench).effective_level == 7


def test_leaving_closes_the_report_and_pays_once(bench: UserBench) -> None:
    enter(bench)
    give(bench, 848)
    answer = leave(bench)
    assert answer.chapter.level_at_exit == 5
    assert only(bench.rows(ChapterDeviationReport)).final
    assert answer.advice is PaceAdvice.EASE
    entry = only(bench.rows(ProfileWalletLedger))
    assert (entry.amount_delta, entry.source_ref) == (10, "cwp_1:c1:clear")
    assert entry.reason is LedgerReason.CHAPTER_CLEAR_BONUS
    give(bench, 5_000)
    again = leave(bench)
    assert again.chapter == answer.chapter
    assert len(bench.rows(ProfileWalletLedger)) == 1


def test_the_next_chapter_hears_the_advice_of_the_one_before(bench: UserBench) -> None:
    enter(bench)
    leave(bench)
    assert enter(bench, 2).previous_advice is PaceAdvice.EASE


# Chapter 1 pays 462 of 938 by itself. Wolves of chapter 2 begin at 5200, moved by the advice, then
# half way towards the player by at most half a level.
@pytest.mark.parametrize(
    ("player_total", "more_quest_xp", "advice", "wolf_level"),
    [
        (508, 0, PaceAdvice.EASE, 4),  # 4900 - 450 = 4450
        (848, 0, PaceAdvice.EASE, 4),  # 4900 + 50 = 4950
        (508, 476, PaceAdvice.HOLD, 4),  # 5200 - 500 = 4700
        (848, 476, PaceAdvice.HOLD, 5),  # 5200 - 100 = 5100
        (508, 900, PaceAdvice.TIGHTEN, 5),  # 5500 - 500 = 5000
        (2604, 900, PaceAdvice.TIGHTEN, 6),  # 5500 + 500 = 6000
    ],
)
async def test_advice_sets_the_hostiles_of_the_next_chapter(
    player_total: int, more_quest_xp: int, advice: PaceAdvice, wolf_level: int
) -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        battle_id = only(player.rows("battle_state")).battle_state_id
        await player.fight_out(await player.battle(battle_id))
        await player.choose(StoryFunction.TRAVEL, "square")
        await player.choose(StoryFunction.TURN_IN_QUEST, "clear_mill")
        total = only(player.rows("my_player_progression")).total_xp
        assert total == 462
        service = await player.vale.enter(SERVICE)
        await service.call(
            "grant_player_progression_experience",
            player.user_id,
            player_total - total,
            GrantSource.ADMIN,
            "more",
            None,
        )
        await service.call(
            "apply_chapter_progression_ledger_entry",
            player.user_id,
            f"{PROFILE}:c1",
            more_quest_xp,
            0,
            0,
            None,
            "more",
        )
        await player.choose(StoryFunction.ADVANCE_CHAPTER)
        report = only(player.own_rows(ChapterDeviationReport))
        assert (report.advice, report.final) == (advice, True)
        await player.choose(StoryFunction.FIGHT, "gate_prowl")
        wolf = only(
            row
            for row in player.story_rows(BattleCombatant)
            if row.side is BattleSide.HOSTILE and row.battle_state_id != battle_id
        )
        assert wolf.level == wolf_level
