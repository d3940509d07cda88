"""Parameters that each command can be told, so that it runs, whatever comes of it."""

from __future__ import annotations

from typing import Any

from desk import WHY

from server.admin.commands import Command

_BY_NAME: dict[str, dict[str, Any]] = {
    "connections.kick": {"user": f"u_{'0' * 32}"},
    "server.drain": {"seconds": 0},
}
"""What cannot be guessed from a field's name and type."""

_BY_FIELD: dict[str, Any] = {
    "connection": "0" * 32,
    "user": f"u_{'0' * 32}",
    "user_id": f"u_{'0' * 32}",
}

_BY_TYPE: dict[str, Any] = {
    "string": "something",
    "integer": 1,
    "number": 1,
    "boolean": False,
    "object": {},
    "array": [],
}


def sample(command: Command) -> dict[str, Any]:
    """Parameters that the command's model accepts."""
    schema = command.params.model_json_schema()
    given = dict(_BY_NAME.get(command.name, {}))
    for name in schema.get("required", ()):
        field = schema["properties"][name]
        if name == "reason":
            given[name] = WHY
        elif name not in given:
            choices = field.get("enum") or [_BY_FIELD.get(name, _BY_TYPE[field["type"]])]
            given[name] = choices[0]
    command.params.model_validate(given)
    return given
