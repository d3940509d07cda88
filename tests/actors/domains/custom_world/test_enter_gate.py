from __future__ import annotations

from typing import Any

import pytest
from authored_worlds import for_teens, published, unpublish, without_premise, write
from user_bench import claims
from vale_bench import PROFILE, Player, RefusedError, refusal, running_vale

from actors.domains.custom_world.gallery import Moderation
from actors.domains.runtime.settings import ContentFilter


async def _failed(who: Player, profile_id: str, role: str | None = None) -> list[str]:
    checks = await who.ask("evaluate_enter_world_gate", profile_id, role)
    assert [check.check_code for check in checks] == [f"EW0{n}" for n in range(1, 10)]
    return [check.check_code for check in checks if not check.passed]


async def test_a_published_world_may_be_entered_by_everybody() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        assert await _failed(player, PROFILE) == []
        assert await _failed(player, PROFILE, "wanderer") == []
        assert await _failed(player, PROFILE, "dragon") == ["EW04"]
        for _ in range(5):
            await player.begin()
        assert await _failed(player, PROFILE) == ["EW08"]


async def test_what_the_gate_says_is_what_a_beginning_meets() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        moderator = await vale.enter(claims(9, "moderator"))
        profile_id = (await published(author, for_teens)).profile_id
        for who in (author, player):
            assert await _failed(who, profile_id) == ["EW09"]
            with pytest.raises(RefusedError, match=r"world\.gate_blocked: EW09"):
                await who.begin(profile=profile_id)
            patch: list[Any] = [None] * 8
            await who.call("upsert_runtime_setting", *patch, ContentFilter.STANDARD)
            assert await _failed(who, profile_id) == []
            await who.begin(profile=profile_id)
        hide = "moderate_gallery_entry_and_return"
        await moderator.ask(hide, profile_id, Moderation.HIDDEN, "rude")
        assert await _failed(player, profile_id) == ["EW01", "EW02"]
        await moderator.ask(hide, profile_id, Moderation.VISIBLE, "mended")
        await unpublish(author, profile_id)
        assert await _failed(player, profile_id) == ["EW01", "EW02"]
        assert await _failed(author, profile_id) == []


async def test_an_author_may_enter_a_sound_draft() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        blocked = await write(author, without_premise)
        assert await _failed(author, blocked.profile_id) == ["EW07"]
        assert (
            await refusal(player.ask("evaluate_enter_world_gate", blocked.profile_id, None))
        ) == "world.not_found"
        sound = await write(author)
        assert await _failed(author, sound.profile_id, "wanderer") == []
        assert await _failed(author, sound.profile_id, "dragon") == ["EW04"]
        for _ in range(5):
            await author.begin(profile=sound.profile_id)
        assert await _failed(author, sound.profile_id) == ["EW08"]
