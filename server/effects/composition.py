"""Composition of effects: what the settings let the server provide to modules, by port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from itertools import zip_longest
from urllib.parse import urldefrag, urlsplit

from pydantic import SecretStr

from actors.module.image_model import ImageModel
from actors.module.object_store import ObjectStore
from actors.module.text_model import TextModel
from server.effects.budgets import Budgets
from server.effects.counts import EffectCounts
from server.effects.folder_objects import FolderObjects
from server.effects.provided_images import ProvidedImages
from server.effects.provided_model import ProvidedModel
from server.effects.provider import ImageProvider, ModelAddress, Provider
from server.effects.recordings import (
    RecordedImages,
    RecordedModel,
    RecordingImages,
    RecordingModel,
)
from server.effects.slots import Slots
from server.effects.turns import Turns
from server.limits import MODEL_CONNECT_SECONDS_MAX
from server.settings import Settings

__all__ = ["provide"]


def provide(
    settings: Settings, parts: AsyncExitStack, counts: EffectCounts | None = None
) -> dict[type, object]:
    """Make what is configured, for the running loop, and have it closed with the other parts.

    Args:
        settings: say what.
        parts: what is to be closed is pushed here.
        counts: where requests to models are counted.
    """
    counts = counts or EffectCounts()
    provided: dict[type, object] = {ObjectStore: _objects(settings)}
    texts, images = _text_providers(settings), _image_providers(settings)
    if texts or images:
        budgets = _budgets(settings, parts)
        running_max = settings.text_model_requests_max
    if texts:
        turns = Turns(Slots(running_max), budgets, counts.text)
        model = ProvidedModel(texts, turns, counts.text, settings.text_model_price)
        parts.push_async_callback(model.aclose)
        provided[TextModel] = model
    if images:
        turns = Turns(Slots(running_max), budgets, counts.image)
        painter = ProvidedImages(images, turns, settings.image_model_price)
        parts.push_async_callback(painter.aclose)
        provided[ImageModel] = painter
    return provided


def _text_providers(settings: Settings) -> list[Provider]:
    if settings.replay_models is not None:
        return [RecordedModel(settings.replay_models, settings.replay_speed)]
    if not settings.text_models:
        return []
    # The client library is large: a server without models starts without it.
    from server.effects.openai_provider import OpenAiProvider  # noqa: PLC0415

    addresses = _addresses(settings.text_models, settings.text_model_keys)
    providers: list[Provider] = [
        OpenAiProvider(address, key, MODEL_CONNECT_SECONDS_MAX) for address, key in addresses
    ]
    folder = settings.record_models
    if folder is not None:
        return [RecordingModel(provider, folder) for provider in providers]
    return providers


def _image_providers(settings: Settings) -> list[ImageProvider]:
    if settings.replay_models is not None:
        return [RecordedImages(settings.replay_models)]
    if not settings.image_models:
        return []
    from server.effects.openai_images import OpenAiImages  # noqa: PLC0415 - as above

    addresses = _addresses(settings.image_models, settings.image_model_keys)
    providers: list[ImageProvider] = [
        OpenAiImages(address, key, MODEL_CONNECT_SECONDS_MAX) for address, key in addresses
    ]
    folder = settings.record_models
    if folder is not None:
        return [RecordingImages(provider, folder) for provider in providers]
    return providers


def _addresses(models: Sequence[str], keys: Sequence[SecretStr]) -> list[tuple[ModelAddress, str]]:
    secrets = [key.get_secret_value() for key in keys]
    return [
        (ModelAddress(*urldefrag(model)), key)
        for model, key in zip_longest(models, secrets, fillvalue="")
    ]


def _budgets(settings: Settings, parts: AsyncExitStack) -> Budgets:
    budgets = Budgets(
        settings.data_dir / "model-budgets.json",
        time.time,
        tokens_max=settings.model_tokens_per_day,
        cost_max=settings.model_cost_per_day,
    )
    saving = asyncio.get_running_loop().create_task(budgets.keep_saved())

    async def stop() -> None:
        saving.cancel()
        with suppress(asyncio.CancelledError):
            await saving
        await budgets.save()

    parts.push_async_callback(stop)
    return budgets


def _objects(settings: Settings) -> ObjectStore:
    if not settings.objects:
        return FolderObjects(settings.data_dir / "objects")
    from server.effects.s3_objects import S3Objects, S3Place  # noqa: PLC0415 - as above

    address = urlsplit(settings.objects)
    assert address.hostname is not None
    return S3Objects(
        S3Place(
            bucket=address.hostname,
            prefix=address.path.strip("/"),
            region=settings.objects_region,
            endpoint=settings.objects_endpoint,
            access_key=settings.objects_access_key.get_secret_value(),
            secret_key=settings.objects_secret_key.get_secret_value(),
        )
    )
