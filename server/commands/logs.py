"""Command ``logs``: the last logs of a server, and those that come."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from server.commands.admin_values import harmless, moment
from server.commands.client_link import ClientLink, Target

__all__ = ["LEVELS", "print_logs"]

LEVELS = ("trace", "debug", "info", "warn", "error", "panic")
"""Levels of the official tool, least severe first."""

_FOLLOWED_LINES = 10
"""Lines of before that somebody who follows wants to see, as with the official tool."""


def print_logs(
    target: Target, *, count: int | None, follow: bool, level: str, as_json: bool
) -> None:
    """Print logs of at least a level, oldest first.

    Raises:
        RefusedError: the caller does not own the database.
        StartError: the server cannot be reached.
    """
    if follow and count is None:
        count = _FOLLOWED_LINES
    query = {"follow": "true" if follow else "false"}
    if count is not None:
        query["num_lines"] = str(count)
    with (
        contextlib.suppress(KeyboardInterrupt),  # how one leaves what goes on
        ClientLink(target) as link,
        link.lines("/logs", query, is_endless=follow) as lines,
    ):
        for line in lines:
            record = json.loads(line)
            if LEVELS.index(record["level"].lower()) >= LEVELS.index(level):
                sys.stdout.write(f"{line if as_json else _text(record)}\n")
                sys.stdout.flush()


def _text(record: dict[str, Any]) -> str:
    where = [record[key] for key in ("function", "target") if key in record]
    place = f"{' '.join(where)}: " if where else ""
    message = harmless(record["message"], "exception")
    return f"{moment(record['ts'])} {record['level'].upper():>5}: {place}{message}"
