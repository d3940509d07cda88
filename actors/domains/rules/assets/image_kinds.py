"""Image kinds: what each is for, how large it is, and where it hangs (domain 8.4, 8.6)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from actors.domains.domain_types import AssetEntityKind, AssetSlot
from actors.domains.rules.errors import RuleError

__all__ = ["ImageKind", "image_size", "slot_of"]


class ImageKind(IntEnum):
    """What an image shows."""

    COVER = 0
    SCENE = 1
    ROLE = 2
    GAME = 3


_SIZES: Final = {
    ImageKind.COVER: (1200, 675),
    ImageKind.SCENE: (1280, 720),
    ImageKind.ROLE: (512, 512),
    ImageKind.GAME: (512, 512),
}
_BACKGROUND_SIZE: Final = (1600, 900)

_SLOTS: Final = {
    AssetEntityKind.WORLD: AssetSlot.COVER,
    AssetEntityKind.ROLE: AssetSlot.PORTRAIT,
    AssetEntityKind.NPC: AssetSlot.PORTRAIT,
    AssetEntityKind.LANDMARK: AssetSlot.SCENE,
    AssetEntityKind.ITEM: AssetSlot.ICON,
    AssetEntityKind.BIG_FISH_LEVEL: AssetSlot.LEVEL_IMAGE,
    AssetEntityKind.BIG_FISH_STAGE: AssetSlot.BACKGROUND,
    AssetEntityKind.BIG_FISH_WORK: AssetSlot.COVER,
    AssetEntityKind.PUZZLE_LEVEL: AssetSlot.PUZZLE_IMAGE,
    AssetEntityKind.PUZZLE_WORK: AssetSlot.COVER,
}


def image_size(kind: ImageKind, entity_kind: AssetEntityKind) -> tuple[int, int]:
    """Width and height of a kind of image; those of games know a background as well."""
    if kind is ImageKind.GAME and entity_kind is AssetEntityKind.BIG_FISH_STAGE:
        return _BACKGROUND_SIZE
    return _SIZES[kind]


def slot_of(entity_kind: AssetEntityKind) -> AssetSlot:
    """Where the image of an entity hangs.

    Raises:
        RuleError: ``asset.invalid_slot``: such entities have no images.
    """
    slot = _SLOTS.get(entity_kind)
    if slot is None:
        raise RuleError("asset.invalid_slot", f"a {entity_kind.name.lower()} has no image")
    return slot
