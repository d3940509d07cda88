"""Options: what several commands take from the command line, declared once."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

if TYPE_CHECKING:
    from server.commands.client_link import Target
    from server.settings import LoadedSettings

# ruff: noqa: PLC0415 - what reads settings is imported when a command runs

__all__ = [
    "SETTING_OPTIONS",
    "AsJson",
    "Asked",
    "Chosen",
    "Command",
    "Confirmed",
    "asks_server",
    "takes_settings",
]

Command = Callable[..., None]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Confirmed = Annotated[
    bool | None, typer.Option("--confirmed/--no-confirmed", help="Wait until it is durable.")
]

_Config = Annotated[
    Path | None, typer.Option("--config", help="Settings file; ./genarrative.toml when absent.")
]

SETTING_OPTIONS: Mapping[str, Any] = {
    "config": _Config,
    "host": Annotated[str | None, typer.Option(help="Address to listen on.")],
    "port": Annotated[int | None, typer.Option(help="Port; 0 takes any free one.")],
    "data_dir": Annotated[Path | None, typer.Option(help="Folder of journal, keys and lock.")],
    "store": Annotated[
        str | None, typer.Option(help="sqlite, sqlite:///PATH, redis://HOST:PORT/DB or memory:")
    ],
    "retention": Annotated[
        str | None,
        typer.Option(help="History kept, as in records=1000,bytes=1MiB,age=7d;story:full"),
    ],
    "module": Annotated[str | None, typer.Option(help="Python module to serve.")],
    "database": Annotated[str | None, typer.Option(help="Name of the database in addresses.")],
    "allow_public_bind": Annotated[
        bool | None, typer.Option("--allow-public-bind", help="Permit a non-loopback address.")
    ],
    "admin": Annotated[bool | None, typer.Option("--admin/--no-admin", help="Let operators in.")],
    "admin_host": Annotated[str | None, typer.Option(help="Address for operators.")],
    "admin_port": Annotated[
        int | None, typer.Option(help="Port for operators; the one after the server's when absent.")
    ],
    "admin_allow_public_bind": Annotated[
        bool | None,
        typer.Option(
            "--admin-allow-public-bind", help="Permit a non-loopback address for operators."
        ),
    ],
    "rate_limits": Annotated[
        bool | None, typer.Option("--rate-limits/--no-rate-limits", help="Limit calls per user.")
    ],
    "memory_budget": Annotated[
        str | None, typer.Option(help="What actors may take in memory, as in 512MiB.")
    ],
    "dev_fixtures": Annotated[
        bool | None,
        typer.Option("--dev-fixtures/--no-dev-fixtures", help="Allow the fixture world."),
    ],
    "log_level": Annotated[str | None, typer.Option(help="debug, info, warning or error.")],
    "log_format": Annotated[str | None, typer.Option(help="pretty or json.")],
}
"""The settings file and the settings that the command line can name, by their keys."""


class Chosen(NamedTuple):
    """The settings that the command line really named, and which file has the others."""

    flags: dict[str, object]
    config: Path | None

    @classmethod
    def of(cls, *, config: Path | None, **flags: object) -> Chosen:
        """Leave out what the command line does not name."""
        return cls({key: value for key, value in flags.items() if value is not None}, config)

    def load(self) -> LoadedSettings:
        """Read them all; raises SettingsError as ``load_settings`` does."""
        from server.settings import load_settings

        return load_settings(self.flags, self.config)


class Asked(NamedTuple):
    """Which database of which server is asked, and as whom."""

    server: Annotated[
        str | None, typer.Option(help="Server's URL; the local one of the settings when absent.")
    ]
    database: Annotated[
        str | None, typer.Option("--database", help="Name or identity; the settings' when absent.")
    ]
    token_file: Annotated[
        Path | None, typer.Option(help="Has the caller's token; else GENARRATIVE_TOKEN may.")
    ]
    config: _Config

    def target(self) -> Target:
        """Find it; raises StartError and SettingsError as ``find_target`` does."""
        from server.commands.client_link import find_target

        return find_target(*self)


def takes_settings(*keys: str) -> Callable[[Command], Command]:
    """Give a command options for these settings; it takes them as ``chosen``."""
    options = {key: SETTING_OPTIONS[key] for key in keys}
    return lambda command: _spread(command, "chosen", options, Chosen.of)


def asks_server(command: Command) -> Command:
    """Give a command the options that say whom to ask; it takes them as ``asked``."""
    options = typing.get_type_hints(Asked, include_extras=True)
    return _spread(command, "asked", options, Asked)


def _spread(
    command: Command, place: str, options: Mapping[str, Any], gather: Callable[..., object]
) -> Command:
    """The command with options in the place of one parameter, for the parser to read."""

    @functools.wraps(command)
    def run(**values: object) -> None:
        values[place] = gather(**{name: values.pop(name) for name in options})
        command(**values)

    hints = typing.get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name == place:
            parameters += (
                inspect.Parameter(name, parameter.kind, default=None, annotation=option)
                for name, option in options.items()
            )
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {entry.name: entry.annotation for entry in parameters}
    return run
