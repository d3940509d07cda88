"""Values inside a world document's sections, as read and bounded (domain 4.3, 5.4, 6.2).

They are read in one of two ways. A document is read strictly: texts are cut at their limits, skills
and items are normalised, anything else out of bounds is refused. What an author wrote is read with
``Adjustments`` as the validation context: slugs are lowered and numbers that the domain normalises
are clamped as well, and every change of what was authored is noted.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
)

from actors.domains.domain_types import (
    AffinityDelta,
    HostileGroup,
    HostileRank,
    ItemGrant,
    LootEntry,
    RuntimeItemDefinition,
    SkillDef,
)
from actors.domains.rules.combat.skills import normalise_skill
from actors.domains.rules.items import normalise_item
from actors.domains.rules.limits import IMAGE_SOURCE_CHARS_MAX, ITEM_QUANTITY_MAX, START_LEVEL_MAX
from actors.domains.rules.struct_json import camel_case, enum_from_json, struct_from_json
from actors.domains.rules.text import canonical_text, cut_text
from actors.module.types import replace

__all__ = [
    "Adjustment",
    "Adjustments",
    "AffinityValue",
    "GrantValue",
    "GroupValue",
    "Image",
    "ImageSource",
    "ItemValue",
    "LootValue",
    "RankValue",
    "SkillValue",
    "Slug",
    "StartLevel",
    "Text24",
    "Text40",
    "Text60",
    "Text120",
    "Text160",
    "Text200",
    "Text300",
    "Text400",
    "Text600",
    "Text1200",
    "WeightValue",
    "WorldId",
]

_SLUG: Final = re.compile(r"[a-z0-9_]{1,48}")
_AFFINITY_MAX: Final = 10
_WEIGHT_MAX: Final = 1000
_TAGS_MAX: Final = 6

S = TypeVar("S", ItemGrant, LootEntry, HostileGroup, AffinityDelta)


class Adjustment(NamedTuple):
    """One change of what an author wrote: the finding's code, the field, and what was done."""

    code: str
    field: str
    message: str


class Adjustments:
    """Validation context that makes reading lenient and notes what it changed."""

    __slots__ = ("noted",)

    def __init__(self) -> None:
        self.noted: list[Adjustment] = []

    def note(self, code: str, info: ValidationInfo, message: str, within: str = "") -> None:
        """Note a change of the field that is being read.

        An item is a value and no field of anything: then the field is the one ``within`` it.
        """
        self.noted.append(Adjustment(code, camel_case(info.field_name or within), message))

    def normalised(self, info: ValidationInfo, what: str, within: str = "") -> None:
        """Note that numbers were brought within bounds."""
        self.note("INF_STAT_NORMALISED", info, f"{what} was brought within bounds", within)


def _adjustments(info: ValidationInfo) -> Adjustments | None:
    context = info.context
    return context if isinstance(context, Adjustments) else None


def _cut(value: str, info: ValidationInfo, *, limit: int, within: str = "") -> str:
    adjustments = _adjustments(info)
    if adjustments is None:
        return cut_text(value, limit)
    text = canonical_text(value)
    if len(text) <= limit:
        return text
    adjustments.note("INF_TEXT_CUT", info, f"the text was cut at {limit} characters", within)
    return cut_text(text, limit)


def _lowered(value: Any, info: ValidationInfo) -> Any:
    return value.lower() if isinstance(value, str) and _adjustments(info) is not None else value


def _clamped(value: Any, info: ValidationInfo, *, low: int, high: int) -> Any:
    adjustments = _adjustments(info)
    if adjustments is None or type(value) is not int or low <= value <= high:
        return value
    adjustments.normalised(info, "the number")
    return min(max(value, low), high)


def _slug(value: str, info: ValidationInfo) -> str:
    slug: str = _lowered(value, info)
    if not _SLUG.fullmatch(slug):
        raise ValueError("a key has 1 to 48 lower-case letters, digits and underscores")
    return slug


def _struct(value: Any, cls: type[S], key: str, info: ValidationInfo) -> S:
    """A struct whose field ``key``, spelled as in JSON, is a slug."""
    if isinstance(value, dict) and isinstance(value.get(key), str):
        value = {**value, key: _slug(value[key], info)}
    return struct_from_json(cls, value)


def _grant(value: Any, info: ValidationInfo) -> ItemGrant:
    grant = _struct(value, ItemGrant, "itemId", info)
    if not 1 <= grant.quantity <= ITEM_QUANTITY_MAX:
        raise ValueError(f"a grant has 1 to {ITEM_QUANTITY_MAX} of an item")
    return grant


def _loot(value: Any, info: ValidationInfo) -> LootEntry:
    entry = _struct(value, LootEntry, "itemId", info)
    if not 1 <= entry.min <= entry.max <= ITEM_QUANTITY_MAX or entry.chance_permille > 1000:
        raise ValueError(
            f"a loot entry needs 1 <= min <= max <= {ITEM_QUANTITY_MAX} and a chance up to 1000"
        )
    return entry


def _group(value: Any, info: ValidationInfo) -> HostileGroup:
    group = _struct(value, HostileGroup, "hostileKey", info)
    if not 1 <= group.count <= 3:
        raise ValueError("a group has 1 to 3 hostiles")
    return group


def _affinity(value: Any, info: ValidationInfo) -> AffinityDelta:
    delta = _struct(value, AffinityDelta, "npcKey", info)
    change = _clamped(delta.delta, info, low=-_AFFINITY_MAX, high=_AFFINITY_MAX)
    if not -_AFFINITY_MAX <= change <= _AFFINITY_MAX:
        raise ValueError(f"a quest changes affinity by at most {_AFFINITY_MAX}")
    return replace(delta, delta=change, reason=_cut(delta.reason, info, limit=60))


def _skill(value: Any, info: ValidationInfo) -> SkillDef:
    authored = struct_from_json(SkillDef, value)
    skill = normalise_skill(authored)
    _note_changes(value, authored, skill, info, f"skill {authored.skill_id}")
    return replace(
        skill, skill_id=_slug(skill.skill_id, info), name=_cut(skill.name, info, limit=24)
    )


def _item(value: Any, info: ValidationInfo) -> RuntimeItemDefinition:
    authored = struct_from_json(RuntimeItemDefinition, value)
    if len(authored.tags) > _TAGS_MAX:
        raise ValueError(f"an item has at most {_TAGS_MAX} tags")
    item = normalise_item(authored)
    _note_changes(value, authored, item, info, f"item {authored.item_id}")
    return replace(
        item,
        item_id=_slug(item.item_id, info),
        name=_cut(item.name, info, limit=24, within="name"),
        description=_cut(item.description, info, limit=160, within="description"),
        tags=[_slug(tag, info) for tag in item.tags],
    )


def _note_changes(
    value: Any,
    authored: SkillDef | RuntimeItemDefinition,
    normal: SkillDef | RuntimeItemDefinition,
    info: ValidationInfo,
    what: str,
) -> None:
    """Note a change of a field that the author set; what was left out is filled in silently."""
    adjustments = _adjustments(info)
    if adjustments is None or authored == normal:
        return
    changed = [
        field
        for field in authored._fields  # type: ignore[union-attr]  # structs are named tuples
        if getattr(authored, field) != getattr(normal, field)
        and (not isinstance(value, dict) or camel_case(field) in value)
    ]
    if changed:
        adjustments.normalised(info, what, changed[0])


Slug = Annotated[str, BeforeValidator(_lowered), Field(pattern=r"^[a-z0-9_]{1,48}$")]
WorldId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.\-]{1,160}$")]
Text24 = Annotated[str, AfterValidator(partial(_cut, limit=24))]
Text40 = Annotated[str, AfterValidator(partial(_cut, limit=40))]
Text60 = Annotated[str, AfterValidator(partial(_cut, limit=60))]
Text120 = Annotated[str, AfterValidator(partial(_cut, limit=120))]
Text160 = Annotated[str, AfterValidator(partial(_cut, limit=160))]
Text200 = Annotated[str, AfterValidator(partial(_cut, limit=200))]
Text300 = Annotated[str, AfterValidator(partial(_cut, limit=300))]
Text400 = Annotated[str, AfterValidator(partial(_cut, limit=400))]
Text600 = Annotated[str, AfterValidator(partial(_cut, limit=600))]
Text1200 = Annotated[str, AfterValidator(partial(_cut, limit=1200))]
ImageSource = Annotated[str, Field(max_length=IMAGE_SOURCE_CHARS_MAX)]
Image = ImageSource | None
StartLevel = Annotated[
    int,
    BeforeValidator(partial(_clamped, low=1, high=START_LEVEL_MAX)),
    Field(ge=1, le=START_LEVEL_MAX),
]
WeightValue = Annotated[
    int,
    BeforeValidator(partial(_clamped, low=1, high=_WEIGHT_MAX)),
    Field(ge=1, le=_WEIGHT_MAX),
]
RankValue = Annotated[HostileRank, PlainValidator(partial(enum_from_json, HostileRank))]
SkillValue = Annotated[SkillDef, PlainValidator(_skill)]
ItemValue = Annotated[RuntimeItemDefinition, PlainValidator(_item)]
GrantValue = Annotated[ItemGrant, PlainValidator(_grant)]
LootValue = Annotated[LootEntry, PlainValidator(_loot)]
GroupValue = Annotated[HostileGroup, PlainValidator(_group)]
AffinityValue = Annotated[AffinityDelta, PlainValidator(_affinity)]
