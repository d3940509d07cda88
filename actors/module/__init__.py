"""Module declarations: the public authoring API, re-exported by ``actors``."""

from __future__ import annotations

from actors.module.context import DatabaseReader, ProcedureContext, ReducerContext, ViewContext
from actors.module.effects import EffectContext, effect
from actors.module.functions import (
    client_connected,
    client_disconnected,
    init,
    message,
    procedure,
    reducer,
    view,
)
from actors.module.image_model import ImageModel
from actors.module.module import Module
from actors.module.object_store import ObjectStore, StoredObject
from actors.module.rates import Rate
from actors.module.routes import Access, ObjectBody, Route, ServerEvent, Upload
from actors.module.tables import table
from actors.module.text_model import Prompt, TextModel

__all__ = [
    "Access",
    "DatabaseReader",
    "EffectContext",
    "ImageModel",
    "Module",
    "ObjectBody",
    "ObjectStore",
    "ProcedureContext",
    "Prompt",
    "Rate",
    "ReducerContext",
    "Route",
    "ServerEvent",
    "StoredObject",
    "TextModel",
    "Upload",
    "ViewContext",
    "client_connected",
    "client_disconnected",
    "effect",
    "init",
    "message",
    "procedure",
    "reducer",
    "table",
    "view",
]
