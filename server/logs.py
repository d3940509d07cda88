"""Logs: structured, to standard error, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Literal

import structlog
from structlog.types import Processor

__all__ = ["configure_logs", "hide_secrets"]

_TOKEN = re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]*")
_CHATTY = ("asyncio", "uvicorn", "websockets")
"""Libraries that log every connection, or whole requests with the tokens in them."""

_SECRET_KEYS = frozenset({"authorization", "password", "secret", "token"})


def _hidden(value: object) -> object:
    return _TOKEN.sub("<token>", value) if isinstance(value, str) else value


def hide_secrets(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Replace tokens wherever they stand, and whole values under telling keys."""
    for key, value in event.items():
        event[key] = "<hidden>" if key.lower() in _SECRET_KEYS else _hidden(value)
    return event


def configure_logs(level: str, form: Literal["pretty", "json"]) -> None:
    """Send our logs and those of the libraries to standard error in one form.

    Called once, before anything else starts. Libraries' informative chatter is left out.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor
    if form == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                hide_secrets,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for library in _CHATTY:
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))
