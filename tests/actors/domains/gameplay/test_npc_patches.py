"""Domain 5.5: services change what a session knows of its npcs."""

from __future__ import annotations

import pytest
from edited_vale import Document, entity, publish_edited
from user_bench import SERVICE, only
from vale_bench import Player, RefusedError, playing

from actors.domains.gameplay.npc import NpcState, RelationStage
from actors.domains.gameplay.quest import QuestRecord, QuestStatus
from actors.domains.gameplay.story import StoryFunction

KEEP = (None, None, None, None, None)


async def _patch(player: Player, key: str, *fields: object, by: Player | None = None) -> NpcState:
    """Scene, affinity, recruitable, recruited, expected version."""
    service = by or await player.vale.enter(SERVICE)
    return await service.ask("upsert_npc_state_and_return", player.story_id, key, *fields)


def _npc(player: Player, key: str) -> NpcState:
    return only(row for row in player.story_rows(NpcState) if row.npc_key == key)


async def test_what_is_given_changes_and_the_rest_stays() -> None:
    async with playing() as player:
        before = _npc(player, "smith")
        assert await _patch(player, "smith", *KEEP) == before
        after = await _patch(player, "smith", "mill", 80, True, None, before.version)
        assert after == _npc(player, "smith")
        assert (after.scene_key, after.affinity, after.recruitable) == ("mill", 80, True)
        assert after.relation_stage is RelationStage.BONDED
        assert after.version == before.version + 1
        assert after.talk_count == before.talk_count
        # Prices follow the new affinity, as they do an earned one.
        assert after.trade_stock[0].unit_price < before.trade_stock[0].unit_price
        talks = [row.target_key for row in player.choices() if row.function is StoryFunction.TALK]
        assert talks == ["mayor"]


async def test_whoever_is_recruited_is_where_the_party_is() -> None:
    async with playing() as player:
        joined = await _patch(player, "scout", None, None, None, True, None)
        assert (joined.recruited, joined.scene_key) == (True, "square")
        await _patch(player, "smith", None, None, None, True, None)
        with pytest.raises(RefusedError, match=r"^npc\.party_full_state"):
            await _patch(player, "mayor", None, None, None, True, None)


@pytest.mark.parametrize(
    ("key", "fields", "code"),
    [
        ("ghost", KEEP, "npc.not_found"),
        ("smith", (None, 101, None, None, None), "npc.affinity_out_of_range"),
        ("smith", (None, -101, None, None, None), "npc.affinity_out_of_range"),
        ("smith", ("moon", None, None, None, None), "npc.scene_not_found"),
        ("smith", (None, None, None, None, 99), "npc.stale_version"),
    ],
)
async def test_bad_patches_change_nothing(key: str, fields: tuple[object, ...], code: str) -> None:
    async with playing() as player:
        before = player.story_rows(NpcState)
        with pytest.raises(RefusedError) as refused:
            await _patch(player, key, *fields)
        assert refused.value.code == code
        assert player.story_rows(NpcState) == before


async def test_players_patch_nobody() -> None:
    async with playing() as player:
        with pytest.raises(RefusedError, match=r"^auth\.forbidden"):
            await _patch(player, "smith", None, 100, None, None, None, by=player)


async def test_a_patched_affinity_counts_for_quests(monkeypatch: pytest.MonkeyPatch) -> None:
    def edit(document: Document) -> None:
        goal = {"objectiveId": "trust", "kind": "reach_affinity", "targetKey": "smith"}
        entity(document, "quests", "meet_scout")["objectives"] = [goal | {"required": 40}]

    publish_edited(monkeypatch, edit)
    async with playing() as player:
        quest = f"{player.story_id}.q.meet_scout"
        await player.call("accept_quest", player.story_id, quest)
        for affinity, status in ((39, QuestStatus.ACTIVE), (40, QuestStatus.COMPLETED)):
            await _patch(player, "smith", None, affinity, None, None, None)
            rows = player.story_rows(QuestRecord)
            assert only(row for row in rows if row.quest_key == "meet_scout").status is status
