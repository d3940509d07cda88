"""Commands on logs: which of them are written."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from server.admin.commands import Params, Result, command
from server.admin.context import AdminContext
from server.admin.roles import Role
from server.errors import CommandError
from server.log_levels import LoggerLevel, log_levels, reset_log_levels, set_log_level

__all__ = [
    "ListLevels",
    "LoggerEntry",
    "LoggerList",
    "ResetLevels",
    "SetLevel",
    "list_levels",
    "reset_levels",
    "set_level",
]


class LoggerEntry(Result):
    """A logger."""

    logger: str = Field(description="Its name; empty for the one above all others.")
    level: str = Field(description="The least severe log that it writes.")
    is_set: bool = Field(description="Whether that was set since the start.")


class LoggerList(Result):
    """Loggers, by name."""

    loggers: list[LoggerEntry] = Field(description="Those that were asked for, or have changed.")


class ListLevels(Params):
    """Which loggers to list."""

    prefix: str = Field("", description="Only those whose name begins so.")


class SetLevel(Params):
    """What a logger shall write."""

    level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        description="The least severe log."
    )
    logger: str = Field(
        "",
        pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$|^$",
        max_length=200,
        description="Its name, with those below it; empty for all without a level of their own.",
    )


class ResetLevels(Params):
    """Which logger to put back."""

    logger: str | None = Field(None, description="Its name; all that were set without one.")


@command("logs.list-levels", role=Role.READ)
async def list_levels(_ctx: AdminContext, params: ListLevels) -> LoggerList:
    """List the loggers of the program and what they write."""
    return _listed([entry for entry in log_levels() if entry.name.startswith(params.prefix)])


@command("logs.set-level", role=Role.OPERATE)
async def set_level(_ctx: AdminContext, params: SetLevel) -> LoggerList:
    """Have a logger write more or less, until it is reset or the server ends."""
    return _listed([set_log_level(params.logger, params.level)])


@command("logs.reset-levels", role=Role.OPERATE)
async def reset_levels(_ctx: AdminContext, params: ResetLevels) -> LoggerList:
    """Put loggers back to what the settings say."""
    changed = reset_log_levels(params.logger)
    if params.logger is not None and not changed:
        raise CommandError("logger.not_set", f"the level of {params.logger!r} was not set")
    return _listed(changed)


def _listed(levels: list[LoggerLevel]) -> LoggerList:
    return LoggerList(
        loggers=[
            LoggerEntry(logger=entry.name, level=entry.level, is_set=entry.is_set)
            for entry in levels
        ]
    )
