"""Domain 2.6 and 13.12, item 7: a saved story goes on in a new session, and pays nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from user_bench import SERVICE, UserBench, only
from vale_bench import PROFILE, TABLES, Player, claims, playing, refusal, running_vale

from actors.domains.archive_messages import (
    ImportState,
    ResumeStory,
    StateExported,
    StateImported,
    Supersede,
    Superseded,
)
from actors.domains.custom_world.gallery import CustomWorldGalleryEntry
from actors.domains.custom_world.publishing import CustomWorldPublishedProfile, PublishedStatus
from actors.domains.domain_types import (
    GrantSource,
    ItemGrant,
    ParticipantRole,
    SessionKind,
    WorldKind,
)
from actors.domains.gameplay.combat import BattleState
from actors.domains.gameplay.inventory_calls import Consume
from actors.domains.gameplay.limits import PLAY_SEGMENT_MS, STORY_IDLE_MICROS
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.opening import StoryOpening
from actors.domains.gameplay.progression import ProgressionGrantLog
from actors.domains.gameplay.quest import QuestLog, QuestRecord, QuestStatus
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryEvent,
    StoryEventKind,
    StoryFunction,
    StoryMark,
    StoryParticipant,
    StorySecret,
    StorySession,
    StoryStatus,
)
from actors.domains.kinds import CATALOG, STORY
from actors.domains.messages import RecordPlayStart, RecordSession, StoryRejected
from actors.domains.rules.ids import content_hash
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.domains.runtime.profile import ProfileDashboardState, ProfilePlayedWorld
from actors.domains.runtime.save_archives import ProfileSaveArchive, ProfileSaveArchiveBlob
from actors.errors import ReducerError
from actors.module.types import replace
from persistence.memory import MemoryDisk

HERB = "core_healing_herb"


def _entry(player: Player, story_id: str) -> SessionDirectoryEntry:
    entries = player.own_rows(SessionDirectoryEntry)
    return only(row for row in entries if row.session_key == story_id)


def _told(rows: list[Any], story_id: str) -> list[str]:
    """Rows without the id of their session."""
    return [repr(row).replace(story_id, "@") for row in rows]


async def _win(player: Player, encounter: str = "slime_pack") -> None:
    await player.choose(StoryFunction.FIGHT, encounter)
    battle = next(row for row in player.story_rows(BattleState) if row.ended_at is None)
    await player.fight_out(await player.battle(battle.battle_state_id))


def _quest(player: Player, key: str) -> QuestRecord:
    return only(row for row in player.story_rows(QuestRecord) if row.quest_key == key)


async def test_a_restored_session_knows_what_the_saved_one_knew() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.ACCEPT_QUEST, "meet_scout")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await _win(player)
        await player.call("create_story_invite", player.story_id)
        await player.call("talk_to_npc", player.story_id, "scout")
        saved, old_id = player.session, player.story_id
        kept = {
            table: _told(player.story_rows(table), old_id)
            for table in (NpcState, QuestRecord, QuestLog, StoryMark)
        }
        offered = [(row.function, row.target_key, row.label) for row in player.choices()]
        secret = only(player.story_rows(StorySecret))
        archive = await player.save()
        await player.choose(StoryFunction.TRAVEL, "square")

        await player.restore(archive.archive_id)
        for table, rows in kept.items():
            assert _told(player.story_rows(table), player.story_id) == rows
        session = player.session
        same = ("profile_id", "published_version", "document_hash", "chapter_index", "chapter_key")
        for column in (*same, "current_scene_key", "turn", "flags", "latest_narrative_text"):
            assert getattr(session, column) == getattr(saved, column), column
        assert session.runtime_session_id == saved.runtime_session_id
        assert (session.player_count, session.invite_code) == (1, None)
        assert [(row.function, row.target_key, row.label) for row in player.choices()] == offered
        event = only(player.story_rows(StoryEvent))
        assert (event.kind, event.text) == (StoryEventKind.SYSTEM, saved.latest_narrative_text)
        fresh = only(player.story_rows(StorySecret))
        assert {fresh.loot_seed, fresh.stock_seed}.isdisjoint({secret.loot_seed, secret.stock_seed})
        assert player.story_rows(StoryOpening) == []
        await player.choose(StoryFunction.TRAVEL, "square")


async def test_the_older_session_can_only_be_read() -> None:
    async with playing() as player:
        archive = await player.save()
        old_id = player.story_id
        await player.subscribe("story_session", "session_directory_entry")
        await player.restore(archive.archive_id)
        assert _entry(player, old_id).state is DirectoryState.ARCHIVED
        entry = _entry(player, player.story_id)
        assert (entry.state, entry.role) == (DirectoryState.ACTIVE, ParticipantRole.HOST)
        assert (entry.title, entry.world_key) == ("Test Vale", f"custom_world:{PROFILE}")
        # The older one is archived, so its rows have left the subscription.
        shown = only(player.rows("story_session"))
        assert shown.story_session_id == player.story_id
        state = await player.ask("get_story_session_state", old_id)
        assert (state.session.status, state.choices) == (StoryStatus.SUPERSEDED, [])
        assert (
            await refusal(player.call("abandon_story_session", old_id)) == "story.not_active_state"
        )
        assert await refusal(player.call("create_story_invite", old_id)) == "story.not_active_state"
        assert await refusal(player.save(story_id=old_id)) == "story.not_active_state"


async def test_a_battle_of_the_older_session_is_given_up() -> None:
    async with playing() as player:
        archive = await player.save()
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        old = player.story
        assert next(row for row in player.rows("inventory_slot") if row.item_id == HERB).locked_by
        await player.restore(archive.archive_id)
        battle = only(player.vale.rows(old, BattleState))
        assert battle.ended_at is not None
        assert not any(row.locked_by for row in player.rows("inventory_slot"))
        assert only(player.vale.rows(old, StorySession)).status is StoryStatus.SUPERSEDED
        assert player.story_rows(BattleState) == []


async def test_save_scumming_pays_once() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.ACCEPT_QUEST, "meet_scout")
        await player.choose(StoryFunction.TRAVEL, "mill")
        archive = await player.save()
        for _ in range(2):
            await _win(player)
            assert only(player.rows("my_player_progression")).total_xp == 24
            assert _quest(player, "clear_mill").status is QuestStatus.COMPLETED
            await player.restore(archive.archive_id)
            assert _quest(player, "clear_mill").status is QuestStatus.ACTIVE
        await _win(player)
        settlement = only(player.story_rows(RewardSettlement))
        assert settlement.status is SettlementStatus.SETTLED
        assert settlement.result is not None
        assert settlement.result.replayed
        chapter = only(player.rows("my_chapter_progression"))
        assert (chapter.actual_hostile_xp, chapter.actual_hostile_defeat_count) == (24, 3)
        assert len(player.own_rows(ProgressionGrantLog)) == 1


async def test_a_quest_is_turned_in_again_without_a_second_reward() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.ACCEPT_QUEST, "meet_scout")
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.TALK, "scout")
        await player.choose(StoryFunction.TRAVEL, "square")
        archive = await player.save()
        for _ in range(2):
            await player.choose(StoryFunction.TURN_IN_QUEST, "meet_scout")
            assert _quest(player, "meet_scout").status is QuestStatus.TURNED_IN
            assert only(player.rows("my_player_progression")).total_xp == 131
            coins = only(r for r in player.rows("inventory_slot") if r.item_id == "core_coin")
            assert coins.quantity == 30
            await player.restore(archive.archive_id)
            assert _quest(player, "meet_scout").status is QuestStatus.COMPLETED


async def test_nothing_of_the_user_is_rolled_back() -> None:
    async with playing() as player:
        archive = await player.save()
        await player.choose(StoryFunction.TRAVEL, "mill")
        await _win(player)
        service = await player.vale.enter(SERVICE)
        await service.call(
            "grant_player_progression_experience",
            player.user_id,
            400,
            GrantSource.ADMIN,
            "gift",
            None,
        )
        items = sorted(map(repr, player.rows("inventory_slot")))
        await player.restore(archive.archive_id)
        assert sorted(map(repr, player.rows("inventory_slot"))) == items
        assert only(player.rows("my_player_progression")).level == 3
        chapter = only(player.rows("my_chapter_progression"))
        assert (chapter.level_at_entry, chapter.actual_hostile_xp) == (1, 24)
        # The host goes on at today's level, but unhealed.
        host = only(player.story_rows(StoryParticipant))
        assert host.effective_level == 3
        assert host.hp == 176 < host.max_hp


async def test_a_break_between_chapters_is_restored_as_one() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await _win(player)
        await player.choose(StoryFunction.TRAVEL, "square")
        await player.choose(StoryFunction.TURN_IN_QUEST, "clear_mill")
        archive = await player.save()
        assert archive.chapter_index == 1
        await player.choose(StoryFunction.ADVANCE_CHAPTER)
        assert player.session.chapter_index == 2
        await player.restore(archive.archive_id)
        session = player.session
        assert (session.chapter_index, session.status) == (1, StoryStatus.CHAPTER_BREAK)
        reports = player.own_rows(ProfileDashboardState)
        assert only(reports).wallet_balance == 210
        await player.choose(StoryFunction.ADVANCE_CHAPTER)
        assert player.session.chapter_index == 2
        assert only(player.own_rows(ProfileDashboardState)).wallet_balance == 210


async def test_a_restored_story_that_nobody_plays_is_abandoned() -> None:
    async with playing() as player:
        archive = await player.save()
        await player.restore(archive.archive_id)
        player.vale.clock.wait(STORY_IDLE_MICROS)
        await player.vale.wake(player.story)
        assert player.session.status is StoryStatus.ABANDONED


async def test_an_ended_story_can_be_restored() -> None:
    async with playing() as player:
        archive = await player.save()
        await player.call("abandon_story_session", player.story_id)
        await player.restore(archive.archive_id)
        assert player.session.status is StoryStatus.ACTIVE


async def test_guests_of_the_older_session_are_told_that_it_is_over() -> None:
    async with playing() as player:
        guest = await player.vale.enter(claims(2))
        await player.call("create_story_invite", player.story_id)
        code = player.session.invite_code
        role = ParticipantRole.PLAYER
        await guest.call("join_story_session", player.story_id, code, role, "wanderer")
        assert await refusal(guest.save(story_id=player.story_id)) == "auth.forbidden"
        archive = await player.save()
        old_id = player.story_id
        await player.restore(archive.archive_id)
        assert _entry(guest, old_id).state is DirectoryState.ARCHIVED
        assert only(player.story_rows(StoryParticipant)).user_id == player.user_id
        assert player.session.player_count == 1
        assert await refusal(guest.restore(archive.archive_id)) == "archive.not_found"


async def test_a_restored_story_is_no_new_play() -> None:
    async with playing() as player:
        archive = await player.save()
        await player.restore(archive.archive_id)
        world = only(player.own_rows(ProfilePlayedWorld))
        assert (world.play_count, world.last_session_id) == (1, player.story_id)
        catalog = CATALOG.shard_key(PROFILE)
        assert only(player.vale.rows(catalog, CustomWorldGalleryEntry)).play_count == 1
        await player.say("wait")
        player.vale.clock.wait(PLAY_SEGMENT_MS * 1000)
        await player.say("wait")
        assert only(player.own_rows(ProfilePlayedWorld)).total_play_ms >= PLAY_SEGMENT_MS


async def test_a_full_shelf_of_stories_has_room_for_a_restored_one() -> None:
    async with playing() as player:
        archive = await player.save()
        first = player.story_id
        for _ in range(4):
            await player.begin()
        full = player.ask("begin_story_session_and_return", PROFILE, "wanderer", None)
        assert await refusal(full) == "limit.quota_exceeded"
        await player.restore(archive.archive_id)
        assert _entry(player, first).state is DirectoryState.ARCHIVED
        await player.call("abandon_story_session", player.story_id)
        await player.begin()
        assert await refusal(player.restore(archive.archive_id)) == "limit.quota_exceeded"


def _catalog(player: Player) -> Any:
    key = CATALOG.shard_key(PROFILE)
    return player.vale.host.core(key).database[CustomWorldPublishedProfile]


async def test_a_retired_world_is_played_on_and_a_blocked_one_is_not() -> None:
    async with playing() as player:
        archive = await player.save()
        worlds = _catalog(player)
        (world,) = worlds
        worlds.update(replace(world, status=PublishedStatus.RETIRED))
        await player.restore(archive.archive_id)
        restored = player.story_id
        worlds.update(replace(world, status=PublishedStatus.BLOCKED))
        assert await refusal(player.restore(archive.archive_id)) == "world.gate_blocked"
        # The refusal left everything as it was.
        assert player.session.status is StoryStatus.ACTIVE
        assert _entry(player, restored).state is DirectoryState.ACTIVE
        refused = max(player.own_rows(SessionDirectoryEntry), key=lambda row: row.created_at)
        assert refused.state is DirectoryState.ARCHIVED
        for table in (StorySession, StoryOpening, StorySecret):
            assert player.vale.rows(STORY.key(refused.session_key), table) == []


def _damage(player: Player, state: str, state_hash: str) -> None:
    """Put another state into the one archive; a refused call takes it out again."""
    database = player.vale.host.core(player.home).database
    row, blob = only(database[ProfileSaveArchive]), only(database[ProfileSaveArchiveBlob])
    database[ProfileSaveArchive].update(replace(row, state_hash=state_hash))
    database[ProfileSaveArchiveBlob].update(replace(blob, session_state_json=state))


async def test_a_damaged_archive_leaves_the_running_story_alone() -> None:
    async with playing() as player:
        archive = await player.save()
        state = only(player.own_rows(ProfileSaveArchiveBlob)).session_state_json
        _damage(player, state.replace("Test Vale", "Best Vale"), archive.state_hash)
        assert await refusal(player.restore(archive.archive_id)) == "archive.corrupt_state"
        # A hash that fits makes nothing playable: another version, another document, nothing.
        other_version = state.replace('"schemaVersion":1', '"schemaVersion":2')
        other_document = state.replace(player.session.document_hash, "0" * 64)
        for text in (other_version, other_document, ""):
            assert text != state
            _damage(player, text, content_hash(text.encode()))
            assert await refusal(player.restore(archive.archive_id)) == "archive.corrupt_state"
        assert player.session.status is StoryStatus.ACTIVE
        stories = player.own_rows(SessionDirectoryEntry)
        assert sum(row.state is DirectoryState.ACTIVE for row in stories) == 1
        assert len(stories) == 4


async def test_a_repeated_request_restores_once() -> None:
    async with playing() as player:
        archive = await player.save()
        first = await player.ask(
            "restore_save_archive_and_return", None, archive.archive_id, request="r"
        )
        again = await player.ask(
            "restore_save_archive_and_return", None, archive.archive_id, request="r"
        )
        assert again == first
        assert len(player.own_rows(SessionDirectoryEntry)) == 2


async def test_an_empty_pack_is_not_filled_by_a_restore() -> None:
    async with playing() as player:
        archive = await player.save()
        service = await player.vale.enter(SERVICE)
        lineage = player.session.runtime_session_id
        gone = Consume(ItemGrant(HERB, 3))
        await service.call("apply_inventory_mutation", player.user_id, lineage, gone, "gone")
        await player.restore(archive.archive_id)
        assert [row.item_id for row in player.rows("inventory_slot")] == ["core_coin"]
        assert player.story_rows(RewardSettlement) == []
        assert len(player.story_rows(StoryChoice)) == len(player.choices()) > 0


async def test_a_restored_story_goes_on_in_another_process() -> None:
    disk = MemoryDisk()
    async with playing(disk) as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        archive = await player.save()
        await player.restore(archive.archive_id)
        story_id, left = player.story_id, player.session
    async with running_vale(disk) as vale:
        player = await vale.enter(claims(1))
        await player.subscribe(*TABLES)
        player.story_id = story_id
        await player.ask("get_story_session_state", story_id)
        assert player.session == left
        assert await player.ask("list_save_archives", None, 20) == [archive]
        await _win(player)
        await player.restore(archive.archive_id)
        assert player.session.current_scene_key == "mill"
        assert player.cache.faults() == []


# The user's side alone: what is sent when


def _record(story_id: str, state: DirectoryState) -> RecordSession:
    kind, role = SessionKind.STORY, ParticipantRole.HOST
    return RecordSession(story_id, kind, role, state, "Vale", "custom_world:cwp_1", "rs_1")


def _saved(bench: UserBench) -> str:
    """A user who has played and saved ``ss_1``; answers the archive."""
    bench.connect()
    world = ("custom_world:cwp_1", WorldKind.CUSTOM_WORLD, "u_author", "cwp_1", "Vale", "")
    bench.tell(RecordPlayStart("ss_1", *world))
    bench.tell(_record("ss_1", DirectoryState.ACTIVE))
    requested = bench.call("create_save_archive", None, "ss_1", None, None)
    texts = ("Vale", "", "", None, 1, "Mill", "{}")
    bench.tell(StateExported(requested.save_id, "cwp_1", 1, "rs_1", *texts))
    archive_id: str = requested.archive_id
    return archive_id


def test_the_older_session_ends_before_the_new_one_opens(bench: UserBench) -> None:
    archive_id = _saved(bench)
    before = len(bench.sent())
    new = bench.call("restore_save_archive", None, archive_id).story_session_id
    assert bench.sent(before) == [ImportState(new, bench.user_id, "{}", None)]
    entry = only(row for row in bench.rows(SessionDirectoryEntry) if row.session_key == new)
    assert (entry.state, entry.runtime_session_id) == (DirectoryState.STARTING, "rs_1")

    new_actor = STORY.key(new)
    assert bench.tell(StateImported(new), new_actor) == [Supersede(new)]
    assert bench.outlet.posted[-1].dst_actor == STORY.key("ss_1")
    assert bench.tell(_record("ss_1", DirectoryState.ARCHIVED)) == []
    assert bench.tell(Superseded(new)) == [ResumeStory(new)]
    assert bench.outlet.posted[-1].dst_actor == new_actor


def test_without_an_older_session_the_new_one_opens_at_once(bench: UserBench) -> None:
    archive_id = _saved(bench)
    bench.tell(_record("ss_1", DirectoryState.ARCHIVED))
    new = bench.call("restore_save_archive", None, archive_id).story_session_id
    assert bench.tell(StateImported(new), STORY.key(new)) == [ResumeStory(new)]


def test_one_restore_of_a_lineage_at_a_time(bench: UserBench) -> None:
    archive_id = _saved(bench)
    new = bench.call("restore_save_archive", None, archive_id).story_session_id
    with pytest.raises(ReducerError, match=r"^archive\.pending_state"):
        bench.call("restore_save_archive", None, archive_id)
    bench.tell(StoryRejected(new, "world.not_found", ""), STORY.key(new))
    bench.call("restore_save_archive", None, archive_id)
    live = [row for row in bench.rows(SessionDirectoryEntry) if row.session_key == "ss_1"]
    assert only(live).state is DirectoryState.ACTIVE
