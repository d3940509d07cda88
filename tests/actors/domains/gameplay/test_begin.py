from __future__ import annotations

import pytest
from user_bench import only
from vale_bench import PROFILE, TABLES, RefusedError, claims, playing, running_vale

from actors.domains.custom_world.gallery import CustomWorldGalleryEntry, CustomWorldPlayMark
from actors.domains.gameplay.npc import NpcState, RelationStage
from actors.domains.gameplay.opening import StoryOpening
from actors.domains.gameplay.quest import QuestRecord, QuestStatus
from actors.domains.gameplay.story import (
    StoryEvent,
    StoryEventKind,
    StoryFunction,
    StoryParticipant,
    StorySession,
    StoryStatus,
)
from actors.domains.gameplay.treasure import TreasureRecord, TreasureStatus
from actors.domains.gameplay.world import StoryWorldDocument
from actors.domains.kinds import CATALOG, STORY
from actors.domains.rules.combat import CombatOutcome
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.domains.runtime.profile import ProfilePlayedWorld
from persistence.memory import MemoryDisk


async def test_a_story_begins_with_everything_at_once() -> None:
    async with playing() as player:
        session = player.session
        assert (session.turn, session.player_count, session.published_version) == (1, 1, 1)
        assert (session.world_name, session.chapter_key) == ("Test Vale", "first_smoke")
        participant = only(player.story_rows(StoryParticipant))
        assert (participant.hp, participant.max_hp, participant.connected) == (176, 176, True)
        npcs = {row.npc_key: row for row in player.story_rows(NpcState)}
        assert set(npcs) == {"mayor", "smith", "scout"}
        assert npcs["scout"].relation_stage is RelationStage.TRUSTED
        assert npcs["scout"].level_profile.level == 1
        treasure = only(player.story_rows(TreasureRecord))
        assert treasure.status is TreasureStatus.HIDDEN
        quests = {row.quest_key: row for row in player.story_rows(QuestRecord)}
        assert quests["clear_mill"].status is QuestStatus.ACTIVE
        assert quests["meet_scout"].status is QuestStatus.OFFERED
        rewards = {key: row.reward_preview for key, row in quests.items()}
        assert (rewards["clear_mill"].xp, rewards["clear_mill"].coins) == (438, 20)
        assert (rewards["meet_scout"].xp, rewards["herb_help"].xp) == (131, 87)
        events = sorted(player.story_rows(StoryEvent), key=lambda row: row.seq)
        assert [event.kind for event in events] == [
            StoryEventKind.SESSION_STARTED,
            StoryEventKind.CHAPTER_STARTED,
        ]
        assert player.story_rows(StoryOpening) == []
        assert [choice.function for choice in player.choices()] == [
            StoryFunction.ACCEPT_QUEST,
            StoryFunction.ACCEPT_QUEST,
            StoryFunction.TALK,
            StoryFunction.TALK,
            StoryFunction.TRAVEL,
        ]


async def test_beginning_counts_a_play_for_the_user_and_for_the_world() -> None:
    async with playing() as player:
        entry = only(player.own_rows(SessionDirectoryEntry))
        assert (entry.state, entry.title) == (DirectoryState.ACTIVE, "Test Vale")
        assert only(player.own_rows(ProfilePlayedWorld)).play_count == 1
        await player.begin()
        catalog = CATALOG.shard_key(PROFILE)
        world = only(player.vale.rows(catalog, CustomWorldGalleryEntry))
        assert (world.play_count, world.unique_player_count) == (2, 1)
        assert only(player.vale.rows(catalog, CustomWorldPlayMark)).play_count == 2


@pytest.mark.parametrize(
    ("profile", "role", "code"),
    [
        ("cwp_nowhere", "wanderer", "world.not_found"),
        (PROFILE, "drake", "story.role_not_found"),
    ],
)
async def test_a_refused_story_leaves_no_row(profile: str, role: str, code: str) -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        with pytest.raises(RefusedError) as refused:
            await player.begin(role, profile)
        assert refused.value.code == code
        entry = only(player.own_rows(SessionDirectoryEntry))
        assert entry.state is DirectoryState.ARCHIVED
        story = STORY.key(entry.session_key)
        for table in (StorySession, StoryOpening, StoryWorldDocument):
            assert vale.rows(story, table) == []


async def test_presence_follows_the_last_connection() -> None:
    async with playing() as player:
        await player.leave()
        await player.vale.settle()
        assert not only(player.story_rows(StoryParticipant)).connected
        assert player.session.status is StoryStatus.ACTIVE


async def test_a_story_and_its_battle_go_on_in_another_process() -> None:
    disk = MemoryDisk()
    async with playing(disk) as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        battle = only(player.rows("battle_state"))
        await player.fight_on(await player.battle(battle.battle_state_id))
        left = await player.battle(battle.battle_state_id)
        story_id = player.story_id
    async with running_vale(disk) as vale:
        player = await vale.enter(claims(1))
        player.story_id = story_id
        await player.subscribe(*TABLES)
        battle = await player.battle(left.battle.battle_state_id)
        assert battle == left
        assert (await player.fight_out(battle)).outcome is CombatOutcome.VICTORY
        assert only(player.rows("my_player_progression")).total_xp == 24
        assert player.cache.faults() == []
