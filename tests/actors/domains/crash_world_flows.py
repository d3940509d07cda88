"""Flows of worlds: published, withdrawn, deleted, liked and hidden."""

from __future__ import annotations

from collections.abc import Mapping

from authored_worlds import published, with_tip, write
from crash_course import Course, Step
from crash_story_flows import BEGUN
from user_bench import only
from vale_bench import Player, Vale, claims

from actors.domains.custom_world.gallery import Moderation
from actors.domains.custom_world.profile_gates import CustomWorldPublication
from actors.domains.limits import COUNTERS_TOLD_MICROS
from actors.module.types import replace

__all__ = ["WORLD_COURSES"]

_SECOND = 1_000_000


async def _publishing(vale: Vale) -> None:
    author = await vale.enter(claims(1))
    profile = await write(author)
    vale.mark()
    await author.call("publish_custom_world_profile", profile.profile_id)


async def _second_version(vale: Vale) -> None:
    author = await vale.enter(claims(1))
    profile = await published(author)
    await write(author, with_tip("Second"), profile_id=profile.profile_id)
    vale.mark()
    await author.call("publish_custom_world_profile", profile.profile_id)


async def _withdrawing(vale: Vale) -> None:
    author = await vale.enter(claims(1))
    profile = await published(author)
    vale.mark()
    await author.call("unpublish_custom_world_profile", profile.profile_id)


async def _coming_back(vale: Vale) -> None:
    author = await vale.enter(claims(1))
    profile = await published(author)
    await author.call("unpublish_custom_world_profile", profile.profile_id)
    vale.mark()
    await author.call("publish_custom_world_profile", profile.profile_id)


async def _deleting(vale: Vale) -> None:
    author = await vale.enter(claims(1))
    profile = await published(author)
    vale.mark()
    await author.call("delete_custom_world_profile", profile.profile_id)


async def _liked_world(vale: Vale) -> tuple[Player, Player, str]:
    author, fan = await vale.enter(claims(1)), await vale.enter(claims(2))
    return author, fan, (await published(author)).profile_id


async def _liking(vale: Vale) -> None:
    _, fan, profile_id = await _liked_world(vale)
    vale.mark()
    await fan.call("like_custom_world", profile_id)


async def _changing_a_mind(vale: Vale) -> None:
    """The author has just been told of the like, and is told of its end later."""
    _, fan, profile_id = await _liked_world(vale)
    await fan.call("like_custom_world", profile_id)
    vale.mark()
    await fan.call("unlike_custom_world", profile_id)


async def _playing_a_world(vale: Vale) -> None:
    _, fan, profile_id = await _liked_world(vale)
    vale.mark()
    await fan.call("begin_story_session", profile_id, "wanderer", None)


async def _trying_out(vale: Vale) -> None:
    author = await vale.enter(claims(1))
    profile = await write(author)
    vale.mark()
    await author.call("begin_story_session", profile.profile_id, "wanderer", None)


async def _hiding(vale: Vale) -> None:
    author, moderator = await vale.enter(claims(1)), await vale.enter(claims(9, "moderator"))
    profile_id = (await published(author)).profile_id
    vale.mark()
    await moderator.call("moderate_gallery_entry", profile_id, Moderation.HIDDEN, "rude")


async def _publishing_what_is_hidden(vale: Vale) -> None:
    """The catalog hides a world of which its author has not been told yet."""
    author, moderator = await vale.enter(claims(1)), await vale.enter(claims(9, "moderator"))
    profile_id = (await published(author)).profile_id
    await moderator.call("moderate_gallery_entry", profile_id, Moderation.HIDDEN, "rude")
    publications = vale.host.core(author.home).database[CustomWorldPublication]
    publications.update(replace(only(publications), is_moderated=False))
    # The change is written with the next record of its actor.
    await write(author, with_tip("Second"), profile_id=profile_id)
    vale.mark()
    await author.call("publish_custom_world_profile", profile_id)


WORLD_COURSES: Mapping[Step, Course] = {
    _publishing: Course(),
    _second_version: Course(),
    _withdrawing: Course(),
    _coming_back: Course(),
    _deleting: Course(),
    _liking: Course(people=2),
    _changing_a_mind: Course(people=2, waits=(COUNTERS_TOLD_MICROS // _SECOND,)),
    _playing_a_world: Course(BEGUN, people=2),
    _trying_out: Course(BEGUN),
    _hiding: Course(),
    _publishing_what_is_hidden: Course(),
}
