"""Enums of stored assets and what they are bound to (domain 8.6)."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["AssetEntityKind", "AssetSlot", "AssetSource"]


class AssetSlot(IntEnum):
    """What an asset is to its entity."""

    COVER = 0
    PORTRAIT = 1
    SCENE = 2
    ICON = 3
    LEVEL_IMAGE = 4
    LEVEL_MOTION = 5
    BACKGROUND = 6
    PUZZLE_IMAGE = 7


class AssetSource(IntEnum):
    """Where an asset's bytes come from."""

    UPLOAD = 0
    GENERATED = 1
    FALLBACK = 2
    IMPORT = 3


class AssetEntityKind(IntEnum):
    """What an asset can be bound to; the first members are those of ``EntityKind``."""

    WORLD = 0
    FACTION = 1
    ROLE = 2
    NPC = 3
    HOSTILE = 4
    ITEM = 5
    LANDMARK = 6
    CHAPTER = 7
    QUEST = 8
    TREASURE = 9
    THREAD = 10
    BIG_FISH_LEVEL = 11
    BIG_FISH_STAGE = 12
    BIG_FISH_WORK = 13
    PUZZLE_LEVEL = 14
    PUZZLE_WORK = 15
