"""CLI page: the documentation of the command line, made from the commands themselves."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator
from typing import Any, Literal

import typer

from server.commands.client_link import TOKEN_VARIABLE

__all__ = ["cli_page"]

_HEAD = """\
# Command line

This page is made from the code; `genarrative docs cli` prints it. Operators' commands are in
[admin.md](admin.md), load tests' in [loadtest.md](loadtest.md).

| exit code | meaning |
|---|---|
| 0 | done, or stopped by a signal |
| 1 | a server refuses what it is asked, `doctor` finds an error, or somebody said no |
| 2 | settings, arguments, data folder or port do not allow it, or no server is there |
| 3 | the store holds data of another schema |

## Asking a server

`describe`, `call`, `sql`, `subscribe` and `logs` ask a server over HTTP, wherever it is; they know
nothing of it but what `/v1` tells ([http.md](http.md)). Without `--server` and `--database` they
ask what the settings would serve on this machine.

Without a token the server takes the caller for somebody new. Tokens are never words of the command
line, which others can read: they stand in the environment variable `TOKEN_VARIABLE`, or in a file
that nobody else may read, named by `--token-file`:

    (umask 077; genarrative token --role service > service.token)
    genarrative logs --follow --token-file service.token

Arguments of `call` are JSON, in the order of the function's parameters. The schema says what they
are, so texts need no quotes, identities, connection ids and UUIDs are written as they are printed,
variants without a payload by their names, and an option may be given as its value:

    genarrative call send_message 'Good evening'
    genarrative call add_two 40 2

`subscribe` prints one object for each update, rows by the names of their columns:

    genarrative subscribe 'SELECT * FROM message' --num-updates 1
    {"message":{"deletes":[],"inserts":[{"sender":{"__identity__":"0xc200..."},"text":"hi"}]}}

The same words do the same in the official tool, where they exist there.

## Files for clients

`generate` writes TypeScript bindings for the official SDK 2.x into a folder, or with
`--lang json-schema` one file of definitions (JSON Schema, draft 2020-12): `tables.NAME` and
`views.NAME` for rows, `reducers.NAME` and `procedures.NAME` for arguments,
`procedures.NAME.returns` for answers, and the named types. `schema export` writes what
`spacetime generate --module-def FILE` takes, for the official generators of other languages.
"""

_VARIABLE = "TOKEN_VARIABLE"

_HANDED_ON = frozenset({"admin", "loadtest"})
"""Commands that have a page of their own."""


def cli_page(app: typer.Typer) -> str:
    """The page as Markdown; commands in the order of the program, groups behind them."""
    return _HEAD.replace(_VARIABLE, TOKEN_VARIABLE) + "".join(_commands(app, "genarrative"))


def _commands(app: typer.Typer, path: str) -> Iterator[str]:
    for command in app.registered_commands:
        function = command.callback
        assert function is not None, "commands are functions"
        name = command.name or function.__name__.replace("_", "-")
        if name not in _HANDED_ON:
            yield from _command(function, f"{path} {name}")
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from _commands(group.typer_instance, f"{path} {group.name}")


def _command(function: Callable[..., Any], name: str) -> Iterator[str]:
    yield f"\n## {name}\n\n{inspect.getdoc(function)}\n"
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.values()
    if parameters:
        yield "\n| | |\n|---|---|\n"
    for parameter in parameters:
        kind, info = typing.get_args(hints[parameter.name])[:2]
        text = (info.help or "").replace("|", "\\|")
        choices = _choices(kind)
        if choices:
            text += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
        if parameter.default is inspect.Parameter.empty:
            text += " Required."
        elif parameter.default:
            text += f" Default: `{parameter.default}`."
        names = ", ".join(f"`{one}`" for one in _names(parameter.name, kind, info))
        yield f"| {names} | {text} |\n"


def _names(name: str, kind: object, info: Any) -> tuple[str, ...]:
    """What is written on the command line; arguments stand in their place."""
    if isinstance(info, typer.models.ArgumentInfo):
        return (name.upper() + ("..." if list in _parts(kind) else ""),)
    given = (info.default, *(info.param_decls or ()))  # the first one stands where defaults do
    declared = tuple(one for one in given if isinstance(one, str))
    return declared or (f"--{name.replace('_', '-')}",)


def _choices(kind: object) -> tuple[object, ...]:
    options = (kind, *typing.get_args(kind))
    literals = [one for one in options if typing.get_origin(one) is Literal]
    return typing.get_args(literals[0]) if literals else ()


def _parts(kind: object) -> set[object]:
    return {typing.get_origin(one) for one in (kind, *typing.get_args(kind))}
