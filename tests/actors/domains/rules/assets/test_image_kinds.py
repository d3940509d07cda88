from __future__ import annotations

import pytest

from actors.domains.domain_types import AssetEntityKind, AssetSlot
from actors.domains.rules.assets.image_kinds import ImageKind, image_size, slot_of
from actors.domains.rules.errors import RuleError

NONE = "asset.invalid_slot"


def slot_or_code(kind: AssetEntityKind) -> AssetSlot | str:
    try:
        return slot_of(kind)
    except RuleError as refused:
        return refused.code


@pytest.mark.parametrize(
    ("kind", "entity_kind", "size"),
    [
        (ImageKind.COVER, AssetEntityKind.WORLD, (1200, 675)),
        (ImageKind.SCENE, AssetEntityKind.LANDMARK, (1280, 720)),
        (ImageKind.ROLE, AssetEntityKind.NPC, (512, 512)),
        (ImageKind.GAME, AssetEntityKind.PUZZLE_LEVEL, (512, 512)),
        (ImageKind.GAME, AssetEntityKind.BIG_FISH_STAGE, (1600, 900)),
        (ImageKind.COVER, AssetEntityKind.BIG_FISH_WORK, (1200, 675)),
    ],
)
def test_kinds_have_sizes(
    kind: ImageKind, entity_kind: AssetEntityKind, size: tuple[int, int]
) -> None:
    assert image_size(kind, entity_kind) == size


def test_entities_have_slots_or_no_image() -> None:
    assert {kind: slot for kind in AssetEntityKind if (slot := slot_or_code(kind)) != NONE} == {
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
