from __future__ import annotations

from typing import Any

import pytest
from authored_worlds import publish, published, unpublish, with_tip, write
from user_bench import claims, only
from vale_bench import PROFILE, RefusedError, refusal, running_vale

from actors import replace
from actors.domains.custom_world.gallery import Moderation
from actors.domains.custom_world.moderation import ModerationLog
from actors.domains.custom_world.profile_gates import CustomWorldPublication
from actors.domains.kinds import CATALOG

HIDE, SHOW = Moderation.HIDDEN, Moderation.VISIBLE


async def _moderate(moderator: Any, profile_id: str, moderation: Moderation) -> Any:
    return await moderator.ask(
        "moderate_gallery_entry_and_return", profile_id, moderation, " Against the rules "
    )


async def test_a_hidden_world_takes_no_new_stories_and_is_not_published_again() -> None:
    async with running_vale() as vale:
        author, player = await vale.enter(claims(1)), await vale.enter(claims(2))
        moderator = await vale.enter(claims(9, "moderator"))
        await moderator.subscribe("custom_world_gallery_entry")
        profile_id = (await published(author)).profile_id
        await player.begin(profile=profile_id)
        done = await _moderate(moderator, profile_id, HIDE)
        assert (done.moderation, done.gallery_entry.moderation) == (HIDE, HIDE)
        assert len(moderator.rows("custom_world_gallery_entry")) == 2
        await player.say("look around")
        for who in (player, author):
            with pytest.raises(RefusedError) as refused:
                await who.begin(profile=profile_id)
            assert refused.value.code == "world.gate_blocked"
            assert "EW02" in str(refused.value)
        await write(author, with_tip("Tamer"), profile_id=profile_id)
        with pytest.raises(RefusedError) as refused:
            await publish(author, profile_id)
        failed = [check["checkCode"] for check in refused.value.details["failed"]]
        assert (refused.value.code, failed) == ("world.gate_blocked", ["PG09"])
        await _moderate(moderator, profile_id, SHOW)
        await player.begin(profile=profile_id)
        assert (await publish(author, profile_id)).profile.published_version == 2
        log = vale.rows(CATALOG.shard_key(profile_id), ModerationLog)
        assert sorted(row.action for row in log) == [SHOW, HIDE]
        assert {row.reason for row in log} == {"Against the rules"}
        assert {row.actor_user_id for row in log} == {moderator.user_id}


async def test_a_withdrawn_world_stays_hidden_until_it_is_shown() -> None:
    async with running_vale() as vale:
        author, moderator = await vale.enter(claims(1)), await vale.enter(claims(9, "moderator"))
        profile_id = (await published(author)).profile_id
        await _moderate(moderator, profile_id, HIDE)
        await unpublish(author, profile_id)
        assert await refusal(publish(author, profile_id)) == "world.gate_blocked"
        done = await _moderate(moderator, profile_id, SHOW)
        assert done.gallery_entry is None
        assert (await publish(author, profile_id)).profile.published_version == 1


async def test_the_catalog_has_the_last_word() -> None:
    """The author's own actor has not been told yet."""
    async with running_vale() as vale:
        author, moderator = await vale.enter(claims(1)), await vale.enter(claims(9, "moderator"))
        profile_id = (await published(author)).profile_id
        await write(author, with_tip("Tamer"), profile_id=profile_id)
        await _moderate(moderator, profile_id, HIDE)
        publications = vale.host.core(author.home).database[CustomWorldPublication]
        publications.update(replace(only(publications), is_moderated=False))
        vale.host.core(author.home).database.commit()
        with pytest.raises(RefusedError) as refused:
            await publish(author, profile_id)
        assert refused.value.code == "world.gate_blocked"
        assert "PG09" in str(refused.value)


async def test_only_moderators_moderate_what_is_there() -> None:
    async with running_vale() as vale:
        player, moderator = await vale.enter(claims(1)), await vale.enter(claims(9, "moderator"))
        assert await refusal(_moderate(player, PROFILE, HIDE)) == "auth.forbidden"
        assert await refusal(_moderate(moderator, "cwp_nothing", HIDE)) == "world.not_found"
        call = "moderate_gallery_entry_and_return"
        bad = (("", "input.text_empty"), ("x" * 201, "input.text_too_long"))
        for reason, code in bad:
            assert await refusal(moderator.ask(call, PROFILE, HIDE, reason)) == code
