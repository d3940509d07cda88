"""Admin options: a command's parameters as words of the command line, and back."""

from __future__ import annotations

import inspect
import json
import sys
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from types import NoneType
from typing import Annotated, Any, Literal

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from rich.markup import escape

from server.admin.commands import Command
from server.admin.roles import Role

__all__ = ["OPTION_NAMES", "REASON", "common_options", "field_options", "given_params"]

REASON = "reason"

OPTION_NAMES = {
    "url": "--url",
    "token_file": "--token-file",
    "data_dir": "--data-dir",
    "as_json": "--json",
    "yes": "--yes",
    "watch": "--watch",
    "lines": "--lines",
}
"""Options of the command line itself; no field of a command is named so."""

_PREFIX = "cli_"
_METAVARS = {int: "INTEGER", float: "NUMBER", str: "TEXT"}


def common_options(command: Command) -> Iterator[inspect.Parameter]:
    """The options that this command has beside its own fields, as ``cli_`` and their names."""
    yield _option("url", str, "URL", "Admin channel, as in ws://127.0.0.1:3001/admin.")
    yield _option("token_file", str, "FILE", "Has the operator's token.")
    yield _option("data_dir", str, "FOLDER", "Of the server; has its address and token.")
    yield _option("as_json", bool, None, "Print JSON; what goes on, as one line each.")
    if command.event is not None:
        yield _option("lines", int, "COUNT", "End after so many entries.")
    elif not command.mutates:
        yield _option("watch", float, "SECONDS", "Ask again and again, with such a pause.")
    elif command.role is Role.DANGER:
        yield _option("yes", bool, None, "Do not ask for confirmation.")


def field_options(command: Command) -> Iterator[inspect.Parameter]:
    """One parameter for each field: the required ones by place, the others by name."""
    fields = command.params.model_fields
    for name, field in fields.items():
        if field.is_required() and name != REASON:
            place: Any = Annotated[str, _argument(name, field)]
            yield inspect.Parameter(name, _KEYWORD, annotation=place)
    for name, field in fields.items():
        flag = f"--{name.replace('_', '-')}"
        assert flag not in OPTION_NAMES.values(), f"{command.name}: {flag} is taken"
        if field.is_required() and name != REASON:
            continue
        kind = _kind(field)
        info: Any = typer.Option(
            f"{flag}/--no-{flag[2:]}" if kind is bool and field.default else flag,
            help=escape(_help(field)),
            metavar=None if kind is bool else _metavar(kind),
            show_default=False,
        )
        taken: Any = bool if kind is bool else str
        annotation: Any = Annotated[taken | None, info]
        yield inspect.Parameter(name, _KEYWORD, default=None, annotation=annotation)


def given_params(command: Command, values: Mapping[str, object]) -> dict[str, object]:
    """What was given on the command line, as the command's model takes it.

    ``-`` as a value of JSON reads standard input.

    Raises:
        ValueError: a value that should be JSON is none.
    """
    params = {}
    for name, field in command.params.model_fields.items():
        value = values.get(name)
        if value is not None:
            params[name] = _json(name, str(value)) if _is_json(field) else value
    return params


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _option(key: str, kind: type, metavar: str | None, text: str) -> inspect.Parameter:
    info: Any = typer.Option(OPTION_NAMES[key], help=text, metavar=metavar)
    if kind is bool:
        annotation: Any = Annotated[bool, info]
        return inspect.Parameter(_PREFIX + key, _KEYWORD, default=False, annotation=annotation)
    annotation = Annotated[kind | None, info]
    return inspect.Parameter(_PREFIX + key, _KEYWORD, default=None, annotation=annotation)


def _argument(name: str, field: FieldInfo) -> Any:
    kind = _kind(field)
    choices = _choices(kind)
    metavar = f"[{'|'.join(choices)}]" if choices else name.upper()
    return typer.Argument(help=escape(_help(field)), metavar=metavar, show_default=False)


def _help(field: FieldInfo) -> str:
    text = (field.description or "").replace("``", "`")
    default = field.get_default()
    if default is PydanticUndefined:
        return text
    if isinstance(default, Enum):
        default = default.value
    return text if default in (None, "", False, {}) else f"{text} [default: {default}]"


def _kind(field: FieldInfo) -> Any:
    """A field's type without the None that only means that it may be absent."""
    annotation = field.annotation
    options = [option for option in typing.get_args(annotation) if option is not NoneType]
    is_optional = NoneType in typing.get_args(annotation)
    return options[0] if is_optional and len(options) == 1 else annotation


def _choices(kind: Any) -> list[str]:
    if typing.get_origin(kind) is Literal:
        return [str(option) for option in typing.get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(option.value) for option in kind]
    return []


def _metavar(kind: Any) -> str:
    choices = _choices(kind)
    return f"[{'|'.join(choices)}]" if choices else _METAVARS.get(kind, "JSON")


def _is_json(field: FieldInfo) -> bool:
    kind = _kind(field)
    return kind not in {bool, int, float, str} and not _choices(kind)


def _json(name: str, text: str) -> object:
    try:
        return json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}") from None
