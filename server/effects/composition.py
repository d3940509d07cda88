"""Composition of effects: what the settings let the server provide to modules, by port."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import zip_longest
from urllib.parse import urldefrag

from actors.module.text_model import TextModel
from server.effects.provider import ModelAddress
from server.limits import MODEL_CONNECT_SECONDS_MAX
from server.settings import Settings

__all__ = ["provide"]


def provide(settings: Settings, parts: AsyncExitStack) -> dict[type, object]:
    """Make what is configured, and have it closed with the other parts."""
    if not settings.text_models:
        return {}
    # The client library is large: a server without models starts without it.
    from server.effects.openai_provider import OpenAiProvider  # noqa: PLC0415
    from server.effects.provided_model import ProvidedModel  # noqa: PLC0415

    keys = [key.get_secret_value() for key in settings.text_model_keys]
    providers = [
        OpenAiProvider(ModelAddress(*urldefrag(address)), key, MODEL_CONNECT_SECONDS_MAX)
        for address, key in zip_longest(settings.text_models, keys, fillvalue="")
    ]
    model = ProvidedModel(providers, settings.text_model_requests_max)
    parts.push_async_callback(model.aclose)
    return {TextModel: model}
