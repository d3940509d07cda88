"""Settings: how a user wants the game to look, sound and speak (domain 2.1)."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Any, Final, cast

from actors.domains.kinds import USER
from actors.domains.limits import VOLUME_MAX
from actors.errors import ReducerError
from actors.module.context import DatabaseReader, ReducerContext, ViewContext
from actors.module.functions import procedure, reducer
from actors.module.tables import table
from actors.module.types import Timestamp, replace, struct, u32

__all__ = [
    "ContentFilter",
    "PlatformTheme",
    "RuntimeSetting",
    "RuntimeSettingSnapshot",
    "TextSpeed",
    "check_locale",
    "get_runtime_setting_or_default",
    "is_strict",
    "upsert_runtime_setting",
]

_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


class TextSpeed(IntEnum):
    """How fast narration appears."""

    SLOW = 0
    NORMAL = 1
    FAST = 2
    INSTANT = 3


class PlatformTheme(IntEnum):
    """How a client paints itself."""

    LIGHT = 0
    DARK = 1
    SYSTEM = 2


class ContentFilter(IntEnum):
    """What narration may show."""

    STRICT = 0
    STANDARD = 1


@table(public=True, primary_key="user_id", actor=USER)
class RuntimeSetting:
    """The settings that a user has changed at least once. Volumes are percent."""

    user_id: str
    music_volume: u32
    sfx_volume: u32
    text_speed: TextSpeed
    platform_theme: PlatformTheme
    locale: str
    reduce_motion: bool
    auto_save: bool
    content_filter: ContentFilter
    created_at: Timestamp
    updated_at: Timestamp


@struct
class RuntimeSettingSnapshot:
    """The columns of ``runtime_setting``, stored or default; the times of defaults are 0."""

    user_id: str
    music_volume: u32
    sfx_volume: u32
    text_speed: TextSpeed
    platform_theme: PlatformTheme
    locale: str
    reduce_motion: bool
    auto_save: bool
    content_filter: ContentFilter
    created_at: Timestamp
    updated_at: Timestamp


@struct
class GetRuntimeSetting:
    """Input of ``get_runtime_setting_or_default``; another user needs the service role."""

    user_id: str | None


@struct
class UpsertRuntimeSetting:
    """Input of ``upsert_runtime_setting``: a patch, where columns that are left out stay."""

    user_id: str | None
    music_volume: u32 | None
    sfx_volume: u32 | None
    text_speed: TextSpeed | None
    platform_theme: PlatformTheme | None
    locale: str | None
    reduce_motion: bool | None
    auto_save: bool | None
    content_filter: ContentFilter | None
    request_id: str


@procedure(actor=USER)
def get_runtime_setting_or_default(
    ctx: ViewContext, input: GetRuntimeSetting
) -> RuntimeSettingSnapshot:
    """The user's settings, or the defaults; nothing is written."""
    del input  # It only names the actor.
    known = ctx.db[RuntimeSetting].find(ctx.key)
    return _snapshot(known or _default(ctx.key, Timestamp(0)))


@reducer(actor=USER)
def upsert_runtime_setting(
    ctx: ReducerContext, input: UpsertRuntimeSetting
) -> RuntimeSettingSnapshot:
    """Change some settings; a patch that changes nothing writes nothing.

    Raises ``runtime.volume_out_of_range`` and ``runtime.invalid_locale``.
    """
    for volume in (input.music_volume, input.sfx_volume):
        if volume is not None and volume > VOLUME_MAX:
            raise ReducerError(
                "runtime.volume_out_of_range", f"a volume is 0 to {VOLUME_MAX}", limit=VOLUME_MAX
            )
    if input.locale is not None:
        check_locale(input.locale)
    patch = {
        "music_volume": input.music_volume,
        "sfx_volume": input.sfx_volume,
        "text_speed": input.text_speed,
        "platform_theme": input.platform_theme,
        "locale": input.locale,
        "reduce_motion": input.reduce_motion,
        "auto_save": input.auto_save,
        "content_filter": input.content_filter,
    }
    changes: dict[str, Any] = {name: value for name, value in patch.items() if value is not None}
    settings = ctx.db[RuntimeSetting]
    known = settings.find(ctx.key)
    if not changes:
        return _snapshot(known or _default(ctx.key, Timestamp(0)))
    before = known or _default(ctx.key, ctx.timestamp)
    after = replace(before, **changes)
    if after != known:
        after = settings.upsert(replace(after, updated_at=ctx.timestamp))
    return _snapshot(after)


def check_locale(value: str) -> str:
    """The locale itself, a language with or without a region; raises ``runtime.invalid_locale``."""
    if not _LOCALE.fullmatch(value):
        raise ReducerError("runtime.invalid_locale", "the locale has a wrong form")
    return value


def is_strict(db: DatabaseReader) -> bool:
    """Whether the content filter of this actor's user hides what is not for everyone."""
    known = next(iter(db[RuntimeSetting]), None)
    return known is None or known.content_filter is ContentFilter.STRICT


def _default(user_id: str, now: Timestamp) -> RuntimeSetting:
    return RuntimeSetting(
        user_id=user_id,
        music_volume=70,
        sfx_volume=80,
        text_speed=TextSpeed.NORMAL,
        platform_theme=PlatformTheme.SYSTEM,
        locale="zh-CN",
        reduce_motion=False,
        auto_save=True,
        content_filter=ContentFilter.STRICT,
        created_at=now,
        updated_at=now,
    )


def _snapshot(row: RuntimeSetting) -> RuntimeSettingSnapshot:
    return RuntimeSettingSnapshot(*cast("tuple[Any, ...]", row))
