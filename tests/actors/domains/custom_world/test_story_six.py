"""Story 6 of domain 13: a world is published, found, played, liked, changed, hidden and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from agent_bench import SEED, Studio, studio
from user_bench import claims, only
from vale_bench import MODULE, RefusedError, refusal

from actors.domains.custom_world.gallery import Moderation
from actors.domains.custom_world.gallery_calls import GallerySort
from actors.domains.domain_types import AgentStage, EntityKind, WorkKind
from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger

COVER = "/objects/genarrative-public/cover.svg"


async def _publish(bench: Studio) -> None:
    await bench.act("publish_world")
    card = bench.card(EntityKind.WORLD)
    if card.image_src is None:
        await bench.finish({"images": [{"cardId": card.card_id, "imageSrc": COVER}]})
    await bench.vale.settle()


async def test_story_six() -> None:
    async with studio(seed=SEED) as bench:
        vale, author = bench.vale, bench.player
        player, anybody = await vale.enter(claims(2)), await vale.enter(claims(3))
        await anybody.subscribe("custom_world_gallery_entry")
        await author.subscribe("my_custom_world_works", "custom_world_session")

        def entry() -> Any:
            rows = anybody.rows("custom_world_gallery_entry")
            return next((row for row in rows if row.owner_user_id == author.user_id), None)

        def work() -> Any:
            return only(author.rows("my_custom_world_works"))

        await bench.fail()
        await bench.draft()

        # 1: version 1, with a cover
        await _publish(bench)
        session = bench.session
        assert (session.stage, session.quality_score) == (AgentStage.PUBLISHED, 640)
        assert (entry().version, entry().cover_image_src) == (1, COVER)
        profile_id = entry().profile_id

        # 2: everybody finds it, and nothing is given away
        page = await anybody.ask(
            "list_custom_world_gallery", GallerySort.NEWEST, None, None, None, None, 1
        )
        assert only(page.items).profile_id == profile_id
        detail = ("get_custom_world_gallery_detail", author.user_id, profile_id)
        shown = await anybody.ask(*detail)
        assert "lootTable" not in shown.world_json
        assert "facts" not in shown.world_json

        # 3: plays and players
        role = bench.card(EntityKind.ROLE)
        for plays in (1, 2):
            await player.begin(role=role.entity_key, profile=profile_id)
            assert (entry().play_count, entry().unique_player_count) == (plays, 1)

        # 4: likes and their bonus
        for name in ("like", "like", "unlike", "like"):
            await player.call(f"{name}_custom_world", profile_id)
        assert entry().like_count == 1
        assert only(_bonuses(author)).amount_delta == 1
        own = author.ask("like_custom_world_and_return", profile_id)
        assert await refusal(own) == "gallery.own_work_forbidden"

        # 5 and 6: another version, and the same one again; stories stay in theirs
        await bench.act("update_draft_card", cardId=role.card_id, patch={"name": "Mara"})
        for _ in range(2):
            await _publish(bench)
            assert (entry().version, work().published_version) == (2, 2)
        assert (await player.say("look around")).published_version == 1

        # 7: taken back
        await bench.act("unpublish_world")
        await vale.settle()
        assert entry() is None
        assert await refusal(anybody.ask(*detail)) == "world.not_found"
        await player.say("look around")
        assert work().work_kind is WorkKind.UNPUBLISHED
        assert only(author.own_rows(ProfileDashboardState)).published_work_count == 0

        # 8: and published as it was
        await _publish(bench)
        assert (entry().like_count, entry().version) == (1, 2)

        # 9: hidden
        moderator = await vale.enter(claims(9, "moderator"))
        moderate = "moderate_gallery_entry_and_return"
        await moderator.ask(moderate, profile_id, Moderation.HIDDEN, "rude")
        assert entry() is None
        with pytest.raises(RefusedError, match=r"world\.gate_blocked: EW02"):
            await anybody.begin(profile=profile_id)

        # 10: somebody else's world is nobody's
        other = player.ask("publish_custom_world_profile_and_return", profile_id)
        assert await refusal(other) == "world.not_found"

        # 11: deleted
        for _ in range(2):
            await author.ask("delete_custom_world_profile_and_return", profile_id)
        await vale.settle()
        assert author.rows("my_custom_world_works") == []


def _bonuses(author: Any) -> list[ProfileWalletLedger]:
    rows = author.own_rows(ProfileWalletLedger)
    return [row for row in rows if row.reason is LedgerReason.CREATOR_LIKE_BONUS]


def test_likes_and_lists_have_rates_of_their_own() -> None:
    rates = {
        declared.name: (declared.rate.name, declared.rate.per_minute, declared.rate.burst)
        for declared in (*MODULE.reducers.values(), *MODULE.procedures.values())
        if declared.rate is not None and "agent" not in declared.name
    }
    likes = ("likes", 30, 10)
    assert rates["like_custom_world"] == rates["unlike_custom_world"] == likes
    assert rates["list_custom_world_gallery"] == ("gallery", 120, 40)
