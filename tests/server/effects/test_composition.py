from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from model_server import model_server

from actors.errors import TextModelError
from actors.module.image_model import ImageModel
from actors.module.object_store import ObjectStore
from actors.module.text_model import Prompt, TextModel
from server.effects.composition import provide
from server.effects.counts import EffectCounts
from server.effects.folder_objects import FolderObjects
from server.effects.provided_images import ProvidedImages
from server.effects.provided_model import ProvidedModel
from server.effects.s3_objects import S3Objects
from server.errors import SettingsError
from server.settings import load_settings, shown_value

PROMPT = Prompt("", "")
MODELS = "https://one.example/v1#a/b:free, http://127.0.0.1:9/v1#local"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_without_models_there_is_a_place_for_files_alone(tmp_path: Path) -> None:
    settings = load_settings({"data_dir": tmp_path / "data"}).settings
    async with AsyncExitStack() as parts:
        provided = provide(settings, parts)
        assert provided.keys() == {ObjectStore}
        store = provided[ObjectStore]
        assert isinstance(store, FolderObjects)
        await store.put("bucket", "a/b.svg", b"<svg/>", "image/svg+xml")
    assert (tmp_path / "data/objects/bucket/a/b.svg").read_bytes() == b"<svg/>"


async def test_files_may_be_kept_by_a_service() -> None:
    flags = {"objects": "s3://stories/genarrative", "objects_endpoint": "http://127.0.0.1:1"}
    async with AsyncExitStack() as parts:
        provided = provide(load_settings(flags).settings, parts)
    assert isinstance(provided[ObjectStore], S3Objects)


async def test_image_models_are_asked_with_their_keys() -> None:
    async with model_server() as server, AsyncExitStack() as parts:
        flags = {"image_models": f"{server.url}#paint", "image_model_keys": "sk-1"}
        provided = provide(load_settings(flags).settings, parts)
        assert provided.keys() == {ObjectStore, ImageModel}
        painter = provided[ImageModel]
        assert isinstance(painter, ProvidedImages)
        server.say(b"x")
        await painter.generate_image("a sea", width=64, height=64, seed=None, user_id="u")
    assert (server.asked[0]["model"], server.keys) == ("paint", ["sk-1"])


async def test_a_users_day_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with model_server() as server:
        flags = {
            "text_models": f"{server.url}#tale",
            "image_models": f"{server.url}#paint",
            "image_model_price": 1.0,
            "model_cost_per_day": 1.0,
            "data_dir": tmp_path,
        }
        settings = load_settings(flags).settings
        counts = EffectCounts()
        async with AsyncExitStack() as parts:
            painter = provide(settings, parts, counts)[ImageModel]
            assert isinstance(painter, ProvidedImages)
            server.say(b"x")
            await painter.generate_image("a sea", width=64, height=64, seed=None, user_id="u")
        async with AsyncExitStack() as parts:
            model = provide(settings, parts, counts)[TextModel]
            assert isinstance(model, ProvidedModel)
            with pytest.raises(TextModelError) as refused:
                await model.complete_structured(PROMPT, user_id="u", tokens_max=1, json_schema="")
    assert refused.value.code == "limit.quota_exceeded"
    assert (counts.image.requests, counts.image.cost, counts.text.refusals) == (1, 1.0, 1)


async def test_a_recorded_model_plays_without_one(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    async with model_server() as server:
        flags: dict[str, object] = {
            "text_models": f"{server.url}#tale",
            "image_models": f"{server.url}#paint",
            "record_models": folder,
        }
        server.say("{}")
        server.say(b"x")
        recorded = await _ask_both(flags)
    assert recorded == ("{}", b"x")
    assert await _ask_both({"replay_models": folder, "replay_speed": 0}) == recorded


async def _ask_both(flags: dict[str, object]) -> tuple[str, bytes]:
    async with AsyncExitStack() as parts:
        provided = provide(load_settings(flags).settings, parts)
        model, painter = provided[TextModel], provided[ImageModel]
        assert isinstance(model, ProvidedModel)
        assert isinstance(painter, ProvidedImages)
        answer = await model.complete_structured(PROMPT, user_id="u", tokens_max=1, json_schema="")
        image = await painter.generate_image("a sea", width=64, height=64, seed=7, user_id="u")
    return answer, image


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
        answer = await model.complete_structured(PROMPT, user_id="u", tokens_max=1, json_schema="")
    assert answer == "{}"
    assert [body["model"] for body in first.asked + second.asked] == ["a/b:free", "local"]
    assert (first.keys, second.keys) == ([first_key], [second_key])


def test_keys_of_objects_are_never_shown() -> None:
    settings = load_settings({"objects_access_key": "id-1", "objects_secret_key": "sk-1"}).settings
    assert settings.objects_secret_key.get_secret_value() == "sk-1"
    shown = [shown_value(settings, key) for key in type(settings).model_fields]
    assert "sk-1" not in "".join([repr(settings), *shown])
    assert "id-1" not in "".join([repr(settings), *shown])


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
        {"image_models": "https://one.example/v1"},
        {"image_model_keys": "sk-1"},
        {"text_model_price": -1},
        {"model_tokens_per_day": -1},
        {"replay_speed": -1},
        {"record_models": "a", "replay_models": "b"},
        {"objects": "gs://bucket"},
        {"objects": "s3://"},
        {"objects": "s3://id:sk-1@bucket"},
        {"objects_endpoint": "127.0.0.1:9000"},
        {"objects_endpoint": "https://id:sk-1@host"},
        {"objects_access_key": "sk-1"},
        {"objects_secret_key": "sk-1"},
    ],
)
def test_models_without_sense_are_refused(flags: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(flags)
    assert "sk-1" not in str(refused.value)
