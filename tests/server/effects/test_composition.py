from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from model_server import model_server

from actors.module.text_model import Prompt, TextModel
from server.effects.composition import provide
from server.effects.provided_model import ProvidedModel
from server.errors import SettingsError
from server.settings import load_settings, shown_value

MODELS = "https://one.example/v1#a/b:free, http://127.0.0.1:9/v1#local"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_without_models_nothing_is_provided() -> None:
    async with AsyncExitStack() as parts:
        assert provide(load_settings({}).settings, parts) == {}


@pytest.mark.parametrize(
    ("keys", "first_key", "second_key"),
    [("sk-1", "sk-1", "none"), (", sk-2", "none", "sk-2"), ("sk-1,sk-2", "sk-1", "sk-2")],
)
async def test_each_model_is_asked_with_its_key(
    keys: str, first_key: str, second_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with model_server() as first, model_server() as second, AsyncExitStack() as parts:
        monkeypatch.setenv("GENARRATIVE_TEXT_MODELS", f"{first.url}#a/b:free,{second.url}#local")
        monkeypatch.setenv("GENARRATIVE_TEXT_MODEL_KEYS", keys)
        model = provide(load_settings({}).settings, parts)[TextModel]
        assert isinstance(model, ProvidedModel)
        first.say(404)
        second.say("{}")
        answer = await model.complete_structured(
            Prompt("", ""), user_id="u", tokens_max=1, json_schema="{}"
        )
    assert answer == "{}"
    assert [body["model"] for body in first.asked + second.asked] == ["a/b:free", "local"]
    assert (first.keys, second.keys) == ([first_key], [second_key])


def test_keys_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENARRATIVE_TEXT_MODELS", MODELS)
    monkeypatch.setenv("GENARRATIVE_TEXT_MODEL_KEYS", "sk-1, sk-2")
    settings = load_settings({}).settings
    assert [key.get_secret_value() for key in settings.text_model_keys] == ["sk-1", "sk-2"]
    assert "sk-" not in repr(settings)
    assert "sk-" not in shown_value(settings, "text_model_keys")
    assert shown_value(settings, "text_models") == MODELS


@pytest.mark.parametrize(
    "flags",
    [
        {"text_models": "https://one.example/v1"},
        {"text_models": "ftp://one.example/v1#m"},
        {"text_models": "https:///v1#m"},
        {"text_models": "https://user:sk-1@one.example/v1#m"},
        {"text_models": "https://one.example/v1?key=sk-1#m"},
        {"text_models": "https://one.example/v1#m", "text_model_keys": "sk-1,sk-1"},
        {"text_model_keys": "sk-1"},
        {"text_model_requests_max": 0},
    ],
)
def test_models_without_sense_are_refused(flags: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(flags)
    assert "sk-1" not in str(refused.value)
