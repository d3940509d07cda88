"""Flows of stored files: entered, and bound to what they show."""

from __future__ import annotations

from collections.abc import Mapping

from asset_bench import HERO, begin_session, bind, file_fields, stored
from crash_course import Course, Step
from user_bench import SERVICE
from vale_bench import Vale, claims

from actors.domains.domain_types import AssetEntityKind, AssetSlot

__all__ = ["ASSET_COURSES"]


async def _storing(vale: Vale) -> None:
    author, service = await vale.enter(claims(1)), await vale.enter(SERVICE)
    vale.mark()
    await service.call("confirm_asset_object", *file_fields(author.user_id))


async def _binding_again(vale: Vale) -> None:
    """The slot is taken, and the session has been told so."""
    author, service = await vale.enter(claims(1)), await vale.enter(SERVICE)
    await begin_session(author)
    first, second = [await stored(service, author.user_id, name) for name in "ab"]
    await bind(author, first)
    await vale.settle()
    vale.mark()
    hero = (AssetEntityKind.ROLE, HERO, AssetSlot.PORTRAIT, None)
    await service.call("bind_asset_object_to_entity", second.asset_object_id, *hero)


async def _unbinding(vale: Vale) -> None:
    author, service = await vale.enter(claims(1)), await vale.enter(SERVICE)
    await begin_session(author)
    binding = await bind(author, await stored(service, author.user_id))
    await vale.settle()
    vale.mark()
    await author.call("unbind_asset_object_from_entity", binding.binding_id)


ASSET_COURSES: Mapping[Step, Course] = {
    _storing: Course(),
    _binding_again: Course(),
    _unbinding: Course(),
}
