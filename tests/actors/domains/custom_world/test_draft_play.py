from __future__ import annotations

from typing import Any

import pytest
from authored_worlds import (
    for_teens,
    publish,
    published,
    unpublish,
    with_tip,
    without_premise,
    write,
)
from user_bench import claims, only
from vale_bench import TABLES, Player, RefusedError, refusal, running_vale

from actors.domains.custom_world.gallery import CustomWorldGalleryEntry, CustomWorldPlayMark
from actors.domains.gameplay.combat import BattleState
from actors.domains.gameplay.progression import PlayerProgression
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import StoryFunction, StorySecret
from actors.domains.kinds import CATALOG
from actors.domains.rules.combat import CombatOutcome


async def _try_out(author: Player, profile_id: str) -> Any:
    await author.subscribe(*TABLES)
    return await author.begin(profile=profile_id)


async def test_an_author_tries_an_unpublished_world_out() -> None:
    async with running_vale() as vale:
        author, other = await vale.enter(claims(1)), await vale.enter(claims(2))
        profile = await write(author)
        session = await _try_out(author, profile.profile_id)
        assert (session.published_version, session.world_name) == (0, "Amber Vale")
        assert session.document_hash == profile.draft_hash
        secret = only(author.story_rows(StorySecret))
        assert secret.world_document_ref == f"{profile.profile_id}:v0"
        marks = vale.rows(CATALOG.shard_key(profile.profile_id), CustomWorldPlayMark)
        assert marks == []
        assert await refusal(other.begin(profile=profile.profile_id)) == "world.not_found"


async def test_a_test_play_earns_things_but_neither_levels_nor_sparks() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await write(author)
        await _try_out(author, profile.profile_id)
        balance = await author.ask("get_wallet_balance", None)
        resolution = await _win_a_fight(author)
        assert resolution.snapshot.battle.outcome is CombatOutcome.VICTORY
        settlements = author.story_rows(RewardSettlement)
        assert len(settlements) >= 2, "the role's items, and the fight's"
        for row in settlements:
            assert row.status is SettlementStatus.SETTLED
            assert row.result.xp_granted == 0
            assert row.preview.hostile_defeats == []
            assert (row.preview.quest_xp, row.preview.flat_xp) == (0, 0)
        assert any(row.result.items_granted for row in settlements)
        assert author.own_rows(PlayerProgression) == []
        assert await author.ask("get_wallet_balance", None) == balance


async def test_a_test_play_can_be_saved_while_its_draft_stays() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await write(author)
        await _try_out(author, profile.profile_id)
        archive = await author.save()
        assert archive.published_version == 0
        await author.say("look around")
        await author.restore(archive.archive_id)
        assert author.session.published_version == 0
        await write(author, with_tip("Changed"), profile_id=profile.profile_id)
        assert await refusal(author.restore(archive.archive_id)) == "archive.corrupt_state"
        await author.ask("delete_custom_world_profile_and_return", profile.profile_id)
        assert await refusal(author.restore(archive.archive_id)) == "world.not_found"


async def test_a_draft_is_checked_before_it_is_played() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        blocked = await write(author, without_premise)
        begin = author.ask("begin_story_session_and_return", blocked.profile_id, "wanderer", None)
        with pytest.raises(RefusedError) as refused:
            await begin
        assert refused.value.code == "world.gate_blocked"
        assert [one["checkCode"] for one in refused.value.details["failed"]] == ["EW07"]
        teen = await write(author, for_teens)
        with pytest.raises(RefusedError, match="EW09"):
            await author.begin(profile=teen.profile_id)
        sound = await write(author)
        role = author.begin(role="dragon", profile=sound.profile_id)
        assert await refusal(role) == "story.role_not_found"


async def test_what_is_published_is_played_as_published() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile = await published(author)
        await write(author, with_tip("Second"), profile_id=profile.profile_id)
        session = await author.begin(profile=profile.profile_id)
        assert (session.published_version, session.document_hash) == (1, profile.draft_hash)
        await unpublish(author, profile.profile_id)
        draft = await author.begin(profile=profile.profile_id)
        assert draft.published_version == 0
        await publish(author, profile.profile_id)
        entry = (
            vale.host.core(CATALOG.shard_key(profile.profile_id))
            .database[CustomWorldGalleryEntry]
            .get(profile.profile_id)
        )
        assert entry.play_count == 1


async def _win_a_fight(author: Player) -> Any:
    await author.choose(StoryFunction.TRAVEL, "mill")
    await author.choose(StoryFunction.FIGHT, "slime_pack")
    battle = only(author.story_rows(BattleState))
    return await author.fight_out(await author.battle(battle.battle_state_id))
