"""Log levels: how severe a log must be to be written, by logger, changed while the process runs."""

from __future__ import annotations

import logging
from typing import NamedTuple

__all__ = ["LEVELS", "LoggerLevel", "log_levels", "reset_log_levels", "set_log_level"]

LEVELS = ("debug", "info", "warning", "error", "critical")
"""From the least severe on."""

_PACKAGES = ("actors", "persistence", "protocol", "server")
_before: dict[str, int] = {}
"""Levels that loggers had of their own before they were changed here; 0 for none."""


class LoggerLevel(NamedTuple):
    """A logger; ``name`` is empty for the one above all others.

    Attributes:
        level: the least severe log that it writes.
        is_set: whether that was changed since the start; otherwise it follows the logger above.
    """

    name: str
    level: str
    is_set: bool


def log_levels() -> list[LoggerLevel]:
    """Loggers of the program and all that were changed, by name."""
    known = {name for name in logging.root.manager.loggerDict if name.startswith(_PACKAGES)}
    return [_level_of(name) for name in sorted({"", *known, *_before})]


def set_log_level(name: str, level: str) -> LoggerLevel:
    """Have a logger, and those below it without a level of their own, write from a level on."""
    logger = logging.getLogger(name or None)
    _before.setdefault(name, logger.level)
    logger.setLevel(level.upper())
    return _level_of(name)


def reset_log_levels(name: str | None = None) -> list[LoggerLevel]:
    """Undo what was set for a logger, or for all; answers those that have changed."""
    names = list(_before) if name is None else [name] if name in _before else []
    for changed in names:
        logging.getLogger(changed or None).setLevel(_before.pop(changed))
    return [_level_of(changed) for changed in names]


def _level_of(name: str) -> LoggerLevel:
    level = logging.getLogger(name or None).getEffectiveLevel()
    return LoggerLevel(name, logging.getLevelName(level).lower(), name in _before)
