from __future__ import annotations

from authored_worlds import published, unpublish
from user_bench import claims, only
from vale_bench import refusal, running_vale

from actors.domains.custom_world.likes import CustomWorldGalleryLike
from actors.domains.kinds import CATALOG
from actors.domains.runtime.wallet import LedgerReason, ProfileWalletLedger


async def test_a_like_counts_once_and_is_paid_once() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        await player.subscribe("custom_world_gallery_like")
        profile_id = (await published(author)).profile_id

        async def answer(name: str) -> tuple[int, bool]:
            return tuple(await player.ask(f"{name}_and_return", profile_id))

        assert await answer("unlike_custom_world") == (0, False)
        for _ in range(2):
            assert await answer("like_custom_world") == (1, True)
        assert only(player.rows("custom_world_gallery_like")).active
        for _ in range(2):
            assert await answer("unlike_custom_world") == (0, False)
        assert not only(player.rows("custom_world_gallery_like")).active
        assert await answer("like_custom_world") == (1, True)
        bonuses = [
            row.amount_delta
            for row in author.own_rows(ProfileWalletLedger)
            if row.reason is LedgerReason.CREATOR_LIKE_BONUS
        ]
        assert bonuses == [1]


async def test_likes_are_seen_by_who_likes_alone() -> None:
    async with running_vale() as vale:
        author = await vale.enter(claims(1))
        profile_id = (await published(author)).profile_id
        await author.subscribe("custom_world_gallery_like")
        for number in (2, 3):
            player = await vale.enter(claims(number))
            await player.subscribe("custom_world_gallery_like")
            await player.call("like_custom_world", profile_id)
            assert only(player.rows("custom_world_gallery_like")).user_id == player.user_id
        assert author.rows("custom_world_gallery_like") == []
        assert len(vale.rows(CATALOG.shard_key(profile_id), CustomWorldGalleryLike)) == 2


async def test_nobody_likes_an_own_world_or_one_that_is_not_there() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        profile_id = (await published(author)).profile_id
        like = "like_custom_world_and_return"
        assert await refusal(author.ask(like, profile_id)) == "gallery.own_work_forbidden"
        assert await refusal(player.ask(like, "cwp_nothing")) == "world.not_found"
        assert await refusal(player.ask(like, "cwp/1")) == "input.invalid_id"
        await unpublish(author, profile_id)
        for name in (like, "unlike_custom_world_and_return"):
            assert await refusal(player.ask(name, profile_id)) == "world.not_found"
