from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineage import COIN, HERB, LINEAGE, VALE_LETTER, backpack, grant, reward
from user_bench import STORY_ACTOR, UserBench, only

from actors.domains.domain_types import GrantSource, HostileDefeat, HostileRank, ItemGrant
from actors.domains.gameplay.chapter import (
    ChapterDeviationReport,
    ChapterHostileTally,
    ChapterLedgerEntry,
    ChapterProgression,
)
from actors.domains.gameplay.inventory import InventorySlot
from actors.domains.gameplay.progression import PlayerProgression, ProgressionGrantLog
from actors.domains.gameplay.settlement import RewardReceipt
from actors.domains.messages import (
    EnterChapter,
    RequestLoadout,
    Settled,
    SettlementRejected,
)
from actors.domains.rules.progression import plan_chapter
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger
from actors.keys import ActorKey

CHAPTER = "cwp_1:c1"
SLIME = HostileDefeat("vale_slime", HostileRank.MINION, 1, 6)
WOLF = HostileDefeat("vale_wolf", HostileRank.STANDARD, 1, 12)


def enter(bench: UserBench) -> None:
    bench.tell(EnterChapter("ss_1", LINEAGE, "cwp_1", CHAPTER, plan_chapter(5, 1)))


def victory(reference: str = "rs_1:enc:1:slime_pack") -> object:
    return reward(
        reference,
        source=GrantSource.HOSTILE_DEFEAT,
        chapter_id=CHAPTER,
        defeats=[SLIME, SLIME, WOLF],
        items=[ItemGrant(HERB, 3), ItemGrant(COIN, 8)],
    )


def test_a_victory_pays_experience_loot_and_the_ledger(bench: UserBench) -> None:
    enter(bench)
    grant(bench, HERB, 3)
    grant(bench, COIN, 20)
    answer = only(bench.tell(victory()))
    assert isinstance(answer, Settled)
    assert bench.outlet.posted[-1].dst_actor == STORY_ACTOR
    result = answer.result
    assert not result.replayed
    assert (result.xp_granted, result.level_before, result.level_after) == (24, 1, 1)
    assert result.items_granted == [ItemGrant(HERB, 3), ItemGrant(COIN, 8)]
    assert (result.items_overflowed, result.wallet_balance) == ([], None)
    player = only(bench.rows(PlayerProgression))
    assert (player.level, player.current_level_xp, player.total_xp) == (1, 24, 24)
    assert player.last_granted_source is GrantSource.HOSTILE_DEFEAT
    chapter = only(bench.rows(ChapterProgression))
    assert (chapter.actual_hostile_xp, chapter.actual_hostile_defeat_count) == (24, 3)
    assert (answer.progression, answer.chapter) == (player, chapter)
    log = only(bench.rows(ProgressionGrantLog))
    assert (log.source_ref, log.chapter_id) == ("rs_1:enc:1:slime_pack:xp", CHAPTER)
    tallies = {row.hostile_key: row.defeat_count for row in bench.rows(ChapterHostileTally)}
    assert tallies == {"vale_slime": 2, "vale_wolf": 1}
    entry = only(bench.rows(ChapterLedgerEntry))
    assert (entry.quest_xp, entry.hostile_xp, entry.defeats) == (0, 24, 3)
    assert only(bench.rows(ChapterDeviationReport)).actual_total_xp == 24
    assert backpack(bench) == [(0, HERB, 6), (1, COIN, 28)]


def test_the_same_reward_is_paid_once(bench: UserBench) -> None:
    enter(bench)
    first = only(bench.tell(victory()))
    held = bench.rows(InventorySlot)
    again = only(bench.tell(victory()))
    assert again.result == first.result._replace(replayed=True)
    assert again.progression == first.progression
    assert bench.rows(InventorySlot) == held
    for table in (RewardReceipt, ProgressionGrantLog, ChapterLedgerEntry):
        assert len(bench.rows(table)) == 1


def test_repeated_defeats_pay_less(bench: UserBench) -> None:
    enter(bench)
    paid = []
    for number in range(1, 7):
        bundle = reward(f"battle-{number}", chapter_id=CHAPTER, defeats=[WOLF])
        paid.append(only(bench.tell(bundle)).result.xp_granted)
    assert paid == [12, 12, 12, 9, 7, 4]


def test_outside_a_chapter_nothing_is_tallied(bench: UserBench) -> None:
    for number in range(1, 5):
        answer = only(bench.tell(reward(f"battle-{number}", defeats=[WOLF])))
        assert answer.result.xp_granted == 12
        assert answer.chapter is None
    assert bench.rows(ChapterHostileTally) == bench.rows(ChapterLedgerEntry) == []


def test_a_chapter_that_was_never_entered_counts_like_none(bench: UserBench) -> None:
    answer = only(bench.tell(reward("battle", chapter_id=CHAPTER, defeats=[WOLF])))
    assert (answer.result.xp_granted, answer.chapter) == (12, None)
    assert bench.rows(ChapterLedgerEntry) == []


def test_quest_experience_fills_the_quest_budget(bench: UserBench) -> None:
    enter(bench)
    answer = only(bench.tell(reward("rs_1:quest:main", chapter_id=CHAPTER, quest_xp=438)))
    assert (answer.result.level_after, answer.result.levels_gained) == (3, 2)
    chapter = only(bench.rows(ChapterProgression))
    assert (chapter.actual_quest_xp, chapter.actual_hostile_xp) == (438, 0)


def test_flat_experience_counts_in_no_budget(bench: UserBench) -> None:
    enter(bench)
    bundle = reward(
        "rs_1:treasure:chest", source=GrantSource.TREASURE, chapter_id=CHAPTER, flat_xp=6
    )
    assert only(bench.tell(bundle)).result.xp_granted == 6
    assert bench.rows(ChapterLedgerEntry) == []


def test_items_alone_leave_progression_alone(bench: UserBench) -> None:
    answer = only(bench.tell(reward("rs_1:start", items=[ItemGrant(HERB, 3)])))
    assert answer.result.xp_granted == 0
    assert bench.view("my_player_progression") == []
    assert backpack(bench) == [(0, HERB, 3)]
    assert only(bench.rows(InventorySlot)).acquired_source == "quest"


def test_missing_items_reject_the_whole_bundle_and_it_may_come_again(bench: UserBench) -> None:
    bundle = reward(
        "rs_1:quest:herb_help",
        quest_xp=10,
        items=[ItemGrant(COIN, 5)],
        consumed=[ItemGrant(HERB, 2)],
    )
    answer = only(bench.tell(bundle))
    assert isinstance(answer, SettlementRejected)
    assert (answer.code, answer.source_ref) == (
        "inventory.insufficient_items",
        "rs_1:quest:herb_help",
    )
    assert bench.rows(RewardReceipt) == bench.rows(PlayerProgression) == []
    assert backpack(bench) == []
    grant(bench, HERB, 2)
    assert not only(bench.tell(bundle)).result.replayed
    assert backpack(bench) == [(0, COIN, 5)]


def test_an_item_nobody_defined_rejects_the_bundle(bench: UserBench) -> None:
    answer = only(bench.tell(reward("q", quest_xp=5, items=[ItemGrant("vale_letter", 1)])))
    assert answer.code == "inventory.item_unknown"
    assert bench.rows(PlayerProgression) == []
    known = reward("q", items=[ItemGrant("vale_letter", 1)], definitions=[VALE_LETTER])
    assert isinstance(only(bench.tell(known)), Settled)


def test_locked_items_may_go_to_the_battle_that_locked_them(bench: UserBench) -> None:
    grant(bench, HERB, 2)
    bench.tell(RequestLoadout("ss_1.bt_1", LINEAGE, None))
    taken = [ItemGrant(HERB, 1)]
    refused = only(bench.tell(reward("a", consumed=taken, locked_by="ss_1.bt_2")))
    assert refused.code == "inventory.insufficient_items"
    settled = only(bench.tell(reward("a", consumed=taken, locked_by="ss_1.bt_1")))
    assert isinstance(settled, Settled)
    assert backpack(bench) == [(0, HERB, 1)]


def test_sparks_move_for_the_game_that_sends_them(bench: UserBench) -> None:
    answer = only(bench.tell(reward("bigfish:bfw_1:win", wallet=15), ActorKey("bigfish/bfr_1")))
    assert answer.result.wallet_balance == 15
    refused = only(bench.tell(reward("too-much", wallet=-16)))
    assert refused.code == "wallet.insufficient_balance"
    entry = only(bench.rows(ProfileWalletLedger))
    assert (entry.reason, entry.source_ref) == (LedgerReason.BIG_FISH_WIN, "bigfish:bfw_1:win")


BUNDLES = st.lists(
    st.tuples(
        st.sampled_from("abcde"),
        st.integers(0, 300),
        st.lists(st.sampled_from([SLIME, WOLF]), max_size=4),
        st.integers(0, 40),
    ),
    max_size=8,
)


@settings(max_examples=40, deadline=None)
@given(BUNDLES, st.lists(st.tuples(st.sampled_from("abxyz"), st.integers(0, 90)), max_size=4))
def test_actuals_are_the_sum_of_the_ledger_and_the_total_that_of_the_grants(
    bundles: list[tuple[str, int, list[HostileDefeat], int]], entries: list[tuple[str, int]]
) -> None:
    bench = UserBench()
    enter(bench)
    for reference, quest_xp, defeats, flat_xp in bundles:
        bundle = reward(
            reference, chapter_id=CHAPTER, quest_xp=quest_xp, defeats=defeats, flat_xp=flat_xp
        )
        assert isinstance(only(bench.tell(bundle)), Settled)
    for key, hostile_xp in entries:
        bench.serve("apply_chapter_progression_ledger_entry", CHAPTER, 1, hostile_xp, 2, None, key)
    ledger = bench.rows(ChapterLedgerEntry)
    chapter = only(bench.rows(ChapterProgression))
    assert chapter.actual_quest_xp == sum(entry.quest_xp for entry in ledger)
    assert chapter.actual_hostile_xp == sum(entry.hostile_xp for entry in ledger)
    assert chapter.actual_hostile_defeat_count == sum(entry.defeats for entry in ledger)
    first = {reference: defeats for reference, _, defeats, _ in reversed(bundles)}
    fallen = [defeat.hostile_key for defeats in first.values() for defeat in defeats]
    tallies = {row.hostile_key: row.defeat_count for row in bench.rows(ChapterHostileTally)}
    assert tallies == {key: fallen.count(key) for key in fallen}
    granted = sum(row.amount_granted for row in bench.rows(ProgressionGrantLog))
    receipts = bench.rows(RewardReceipt)
    assert granted == sum(receipt.result.xp_granted for receipt in receipts)
    assert {receipt.source_ref for receipt in receipts} == set(first)
    assert bench.read("get_player_progression_or_default", None).total_xp == granted
    for report in bench.rows(ChapterDeviationReport):
        assert report.actual_total_xp == chapter.actual_quest_xp + chapter.actual_hostile_xp


@settings(max_examples=40, deadline=None)
@given(BUNDLES)
def test_settling_twice_is_settling_once(
    bundles: list[tuple[str, int, list[HostileDefeat], int]],
) -> None:
    once, twice = UserBench(), UserBench()
    for bench, times in ((once, 1), (twice, 2)):
        enter(bench)
        for reference, quest_xp, defeats, flat_xp in bundles:
            for _ in range(times):
                bench.tell(
                    reward(
                        reference,
                        chapter_id=CHAPTER,
                        quest_xp=quest_xp,
                        defeats=defeats,
                        flat_xp=flat_xp,
                        items=[ItemGrant(COIN, 1 + quest_xp)],
                    )
                )
    assert backpack(once) == backpack(twice)
    assert [row.result for row in once.rows(RewardReceipt)] == [
        row.result for row in twice.rows(RewardReceipt)
    ]
    for table in (PlayerProgression, ChapterProgression, ChapterDeviationReport):
        pairs = zip(once.rows(table), twice.rows(table), strict=True)
        assert all(_timeless(one) == _timeless(two) for one, two in pairs)


@pytest.mark.parametrize(
    ("level_total", "hostile_level", "raw", "paid"),
    [(0, 5, 54, 70), (0, 3, 29, 33), (1300, 5, 54, 54), (1300, 3, 29, 20), (2604, 3, 29, 11)],
)
def test_the_level_before_the_settlement_counts_for_every_defeat(
    bench: UserBench, level_total: int, hostile_level: int, raw: int, paid: int
) -> None:
    if level_total:
        fields = (level_total, GrantSource.ADMIN, "g", None)
        bench.serve("grant_player_progression_experience", *fields)
    foe = HostileDefeat("vale_wolf", HostileRank.STANDARD, hostile_level, raw)
    # The quest alone raises the level; both kills are paid at the level before.
    answer = only(bench.tell(reward("battle", quest_xp=900, defeats=[foe, foe])))
    assert answer.result.xp_granted == 900 + 2 * paid


def _timeless(row: PlayerProgression | ChapterProgression | ChapterDeviationReport) -> object:
    hidden = {"created_at", "updated_at"}
    return {name: value for name, value in row._asdict().items() if name not in hidden}
