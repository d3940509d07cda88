"""OpenRPC: the commands as a document that programs read; what ``rpc.discover`` answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server import __version__
from server.admin.commands import Command

__all__ = ["DISCOVER", "openrpc_document"]

DISCOVER: Final = "rpc.discover"
_REFERENCE: Final = "#/components/schemas/{model}"


def openrpc_document(commands: Iterable[Command]) -> dict[str, object]:
    """Describe all commands: parameters by name, results, least roles and notifications."""
    commands = list(commands)
    models: list[type[BaseModel]] = []
    for command in commands:
        models += [command.params, command.result, *([command.event] if command.event else ())]
    schemas, definitions = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(models)], ref_template=_REFERENCE
    )
    references: dict[object, object] = {model: schema for (model, _), schema in schemas.items()}
    return {
        "openrpc": "1.3.2",
        "info": {"title": "genarrative-server admin channel", "version": __version__},
        "methods": [_method(command, references) for command in commands],
        "components": {"schemas": definitions.get("$defs", {})},
    }


def _method(command: Command, references: dict[object, object]) -> dict[str, object]:
    fields = command.params.model_json_schema(ref_template=_REFERENCE)
    required = set(fields.get("required", ()))
    method: dict[str, object] = {
        "name": command.name,
        "summary": command.summary,
        "description": command.text,
        "paramStructure": "by-name",
        "params": [
            {"name": name, "required": name in required, "schema": schema}
            for name, schema in fields.get("properties", {}).items()
        ],
        "result": {"name": "result", "schema": references[command.result]},
        "x-role": command.role.claim,
    }
    if command.event is not None:
        method["x-event"] = references[command.event]
    return method
