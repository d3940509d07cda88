"""Authored worlds: Test Vale as somebody else's draft, and what is done to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from vale_bench import Player

from actors.domains.fixtures import vale_document

Edit = Callable[[dict[str, Any]], None]


def world(edit: Edit | None = None, *, name: str = "Amber Vale") -> str:
    """The text of a world that can be published, edited."""
    document = json.loads(vale_document())
    document["world"]["name"] = name
    if edit is not None:
        edit(document)
    return json.dumps(document)


def without_premise(document: dict[str, Any]) -> None:
    """Two blockers' worth of nothing."""
    document["world"]["premise"] = "short"


def for_teens(document: dict[str, Any]) -> None:
    document["meta"]["contentRating"] = "teen"


def with_tip(text: str) -> Edit:
    """Another text, so that the document has another hash."""

    def edit(document: dict[str, Any]) -> None:
        document["world"]["subtitle"] = text

    return edit


async def write(
    author: Player,
    edit: Edit | None = None,
    *,
    name: str = "Amber Vale",
    profile_id: str | None = None,
    revision: int | None = None,
) -> Any:
    """Write a world into the author's library; answers the profile."""
    text = world(edit, name=name)
    return await author.ask("upsert_custom_world_profile_and_return", profile_id, text, revision)


async def publish(author: Player, profile_id: str) -> Any:
    """Answers the profile with its gallery entry."""
    return await author.ask("publish_custom_world_profile_and_return", profile_id)


async def unpublish(author: Player, profile_id: str) -> Any:
    return await author.ask("unpublish_custom_world_profile_and_return", profile_id)


async def published(author: Player, edit: Edit | None = None, *, name: str = "Amber Vale") -> Any:
    """A world written and published; answers its profile."""
    profile = await write(author, edit, name=name)
    return (await publish(author, profile.profile_id)).profile
