from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from user_bench import UserBench, claims, only
from vale_bench import running_vale

from actors.domains.runtime.settings import (
    ContentFilter,
    PlatformTheme,
    RuntimeSetting,
    RuntimeSettingSnapshot,
    TextSpeed,
    UpsertRuntimeSetting,
)
from actors.errors import ReducerError

DEFAULTS: dict[str, Any] = {
    "music_volume": 70,
    "sfx_volume": 80,
    "text_speed": TextSpeed.NORMAL,
    "platform_theme": PlatformTheme.SYSTEM,
    "locale": "zh-CN",
    "reduce_motion": False,
    "auto_save": True,
    "content_filter": ContentFilter.STRICT,
}
PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "music_volume": st.integers(0, 100),
        "sfx_volume": st.integers(0, 100),
        "text_speed": st.sampled_from(TextSpeed),
        "platform_theme": st.sampled_from(PlatformTheme),
        "locale": st.sampled_from(["en", "de-DE", "zh-Hans", "yue-HK"]),
        "reduce_motion": st.booleans(),
        "auto_save": st.booleans(),
        "content_filter": st.sampled_from(ContentFilter),
    },
)


def fields(patch: dict[str, Any]) -> list[Any]:
    """The input of a patch, without its request id."""
    return [patch.get(name) for name in UpsertRuntimeSetting._fields[:-1]]


def upsert(bench: UserBench, **patch: Any) -> RuntimeSettingSnapshot:
    return bench.call("upsert_runtime_setting", *fields(patch))


def columns(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DEFAULTS}


def test_without_a_row_there_are_defaults_and_nothing_is_written(bench: UserBench) -> None:
    setting = bench.read("get_runtime_setting_or_default", None)
    assert columns(setting) == DEFAULTS
    assert (setting.user_id, setting.created_at, setting.updated_at) == (bench.user_id, 0, 0)
    assert bench.written == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("music_volume", 0),
        ("sfx_volume", 100),
        ("text_speed", TextSpeed.INSTANT),
        ("platform_theme", PlatformTheme.DARK),
        ("locale", "en"),
        ("reduce_motion", True),
        ("auto_save", False),
        ("content_filter", ContentFilter.STANDARD),
    ],
)
def test_a_patch_changes_what_it_names(bench: UserBench, column: str, value: object) -> None:
    answer = upsert(bench, **{column: value})
    row = only(bench.rows(RuntimeSetting))
    assert tuple(answer) == tuple(row)
    assert columns(row) == DEFAULTS | {column: value}
    assert bench.read("get_runtime_setting_or_default", None) == answer


def test_a_first_patch_is_kept_even_where_it_says_the_default(bench: UserBench) -> None:
    upsert(bench, music_volume=70)
    assert columns(only(bench.rows(RuntimeSetting))) == DEFAULTS


def test_an_empty_patch_without_a_row_leaves_none(bench: UserBench) -> None:
    answer = upsert(bench)
    assert columns(answer) == DEFAULTS
    assert answer.updated_at == 0
    assert bench.rows(RuntimeSetting) == []


@given(st.lists(PATCHES, max_size=8))
def test_settings_are_the_last_word_on_each_column(patches: list[dict[str, Any]]) -> None:
    bench = UserBench()
    model, stored = DEFAULTS, None
    for patch in patches:
        answer = upsert(bench, **patch)
        changed = {**model, **patch} != model or (patch and stored is None)
        model = {**model, **patch}
        assert columns(answer) == model
        row = next(iter(bench.rows(RuntimeSetting)), None)
        if not changed:
            assert row == stored
        else:
            assert columns(row) == model
            assert row.created_at == (row if stored is None else stored).created_at
            assert row.updated_at > (0 if stored is None else stored.updated_at)
        stored = row


@pytest.mark.parametrize("column", ["music_volume", "sfx_volume"])
def test_a_volume_of_101_is_refused(bench: UserBench, column: str) -> None:
    with pytest.raises(ReducerError) as refused:
        upsert(bench, **{column: 101}, locale="en")
    assert refused.value.code == "runtime.volume_out_of_range"
    assert bench.rows(RuntimeSetting) == []


@pytest.mark.parametrize(
    "locale",
    ["", "e", "EN", "engl", "en-", "en-U", "en_US", "en-123456789", "zh-CN\n", "zh-Hans-CN"],
)
def test_a_locale_of_another_form_is_refused(bench: UserBench, locale: str) -> None:
    with pytest.raises(ReducerError, match=r"^runtime\.invalid_locale"):
        upsert(bench, locale=locale)
    assert bench.rows(RuntimeSetting) == []


async def test_a_patch_without_a_change_commits_without_delta() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        await player.subscribe("runtime_setting")
        await player.call("upsert_runtime_setting", *fields({"music_volume": 10}))
        await player.call("upsert_runtime_setting", *fields({"sfx_volume": 20}))
        assert player.deltas == [("runtime_setting", 1, 0), ("runtime_setting", 1, 1)]
        same = fields({"music_volume": 10, "sfx_volume": 20, "locale": "zh-CN"})
        await player.call("upsert_runtime_setting", *same)
        answer = await player.ask("upsert_runtime_setting_and_return", *same)
        await player.call("upsert_runtime_setting", *fields({}))
        assert len(player.deltas) == 2
        assert tuple(answer) == tuple(only(player.rows("runtime_setting")))
