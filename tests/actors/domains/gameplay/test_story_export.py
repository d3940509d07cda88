"""Domain 2.6: when a session can be archived, and what of it is."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest
from user_bench import only
from vale_bench import Player, claims, playing, refusal

from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay import story_export
from actors.domains.gameplay.npc_exchange import NpcExchangeRecord
from actors.domains.gameplay.quest_calls import TreasureAction
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import StoryFunction
from actors.domains.gameplay.story_state import read_state, write_state
from actors.domains.runtime.directory_entry import SessionDirectoryEntry
from actors.domains.runtime.save_archives import ProfileSaveArchive, ProfileSaveArchiveBlob
from actors.module.types import replace


def _state(player: Player) -> str:
    state: str = only(player.own_rows(ProfileSaveArchiveBlob)).session_state_json
    return state


async def test_an_archive_tells_what_the_list_of_saves_shows() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        archive = await player.save("at the mill")
        assert archive == only(player.own_rows(ProfileSaveArchive))
        session = player.session
        assert (archive.world_name, archive.scene_title) == ("Test Vale", "The Burnt Mill")
        assert (archive.subtitle, archive.summary_text) != ("", "")
        assert archive.published_version == session.published_version == 1
        assert archive.story_session_id == session.story_session_id
        assert archive.runtime_session_id == session.runtime_session_id
        assert archive.size_bytes == len(_state(player).encode())


async def test_the_state_is_canonical_and_keeps_no_secret() -> None:
    async with playing() as player:
        guest = await player.vale.enter(claims(2))
        await player.call("create_story_invite", player.story_id)
        code = player.session.invite_code
        role = ParticipantRole.PLAYER
        await guest.call("join_story_session", player.story_id, code, role, "wanderer")
        await player.save()
        text = _state(player)
        assert write_state(read_state(text, "ss_any")) == text
        for secret in ("loot", "stockSeed", "rng", player.story_id, guest.user_id):
            assert secret.lower() not in text.lower()
        assert json.loads(text)["tables"].keys() == {
            "npc_state",
            "quest_log",
            "quest_record",
            "story_locale",
            "story_mark",
            "treasure_record",
        }


async def _mark(player: Player, table: type, status: SettlementStatus) -> None:
    rows = player.vale.host.core(player.story).database[table]
    for row in list(rows):
        rows.update(replace(row, status=status))


async def _settlement(player: Player) -> type:
    action = TreasureAction.OPEN
    await player.call("resolve_treasure_interaction", player.story_id, "mill_chest", action)
    return RewardSettlement


async def _exchange(player: Player) -> type:
    await player.call("gift_npc", player.story_id, "scout", "core_healing_herb")
    return NpcExchangeRecord


@pytest.mark.parametrize("begin", [_settlement, _exchange], ids=["settlement", "exchange"])
async def test_what_is_under_way_is_waited_for(
    begin: Callable[[Player], Awaitable[type]],
) -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        table = await begin(player)
        await _mark(player, table, SettlementStatus.PENDING)
        assert await refusal(player.save()) == "archive.pending_state"
        await _mark(player, table, SettlementStatus.REJECTED)
        await player.save()


async def test_a_battle_and_an_ended_story_are_not_archived() -> None:
    async with playing() as player:
        await player.choose(StoryFunction.TRAVEL, "mill")
        await player.choose(StoryFunction.FIGHT, "slime_pack")
        assert await refusal(player.save()) == "archive.battle_state"
        await player.call("abandon_story_session", player.story_id)
        assert await refusal(player.save()) == "story.not_active_state"
        assert player.own_rows(ProfileSaveArchive) == []


async def test_a_story_beyond_the_limit_is_not_archived(monkeypatch: pytest.MonkeyPatch) -> None:
    async with playing() as player:
        archive = await player.save()
        monkeypatch.setattr(story_export, "STORY_STATE_BYTES_MAX", archive.size_bytes)
        await player.save(replace=archive.archive_id)
        monkeypatch.setattr(story_export, "STORY_STATE_BYTES_MAX", archive.size_bytes - 1)
        assert await refusal(player.save()) == "archive.too_large"


async def test_nobody_but_the_host_gets_the_state() -> None:
    async with playing() as player:
        stranger = await player.vale.enter(claims(2))
        assert await refusal(stranger.save(story_id=player.story_id)) == "story.not_found"
        # Not even with a directory that says so.
        entry = only(player.own_rows(SessionDirectoryEntry))
        database = player.vale.host.core(stranger.home).database
        database[SessionDirectoryEntry].insert(replace(entry, user_id=stranger.user_id))
        assert await refusal(stranger.save(story_id=player.story_id)) == "story.not_found"
