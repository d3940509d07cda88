"""Logs: structured, to standard error, with the turn that they come from and without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

import structlog
from structlog.types import Processor

from server.limits import LOG_TEXT_CHARS_MAX

__all__ = [
    "Context",
    "configure_logs",
    "count_logs",
    "hide_secrets",
    "in_context",
    "json_lines",
    "official_lines",
]

Context: TypeAlias = Callable[[], dict[str, object]]
"""Says what runs at this moment, in the thread that asks."""

_SECRET = re.compile(
    r"eyJ[\w-]*\.[\w-]+\.[\w-]*"  # a token, wherever it stands
    r"|(?<=\bBearer )[\w.~+/=-]+"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"  # user and password of an address
    r"|(?<=[?&]token=)[^\s&\"']+",
    re.IGNORECASE,
)
_CHATTY = ("asyncio", "uvicorn", "websockets")
"""Libraries that log every connection, or whole requests with the tokens in them."""

_SECRET_KEYS = re.compile(
    r"(authorization|password|passwd|secret|token|api[_-]?key|cookie)$", re.IGNORECASE
)

_OF_RECORDS = vars(logging.makeLogRecord({})).keys() | {"message", "asctime"}
"""What every record has; anything else was said with ``extra``."""


def _add_extra(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event.update({key: value for key, value in vars(record).items() if key not in _OF_RECORDS})
    return event


_SHARED: list[Processor] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    _add_extra,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_OFFICIAL_LEVELS = {"debug": "Debug", "warning": "Warn", "error": "Error", "critical": "Error"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_contexts: list[Context] = []
_counters: list[Counter[str]] = []


def hide_secrets(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    """Replace tokens and passwords wherever they stand, and whole values under telling keys."""
    for key, value in event.items():
        event[key] = _hidden(key, value)
    return event


def in_context(context: Context) -> Callable[[], None]:
    """Add what a context says to each log, where the log does not say it itself.

    Returns:
        What ends that.
    """
    _contexts.append(context)
    return lambda: _contexts.remove(context)


def count_logs(counter: Counter[str]) -> Callable[[], None]:
    """Count written logs by level; answers what ends that."""
    _counters.append(counter)
    return lambda: _counters.remove(counter)


def json_lines() -> logging.Formatter:
    """What spells a record as a line of JSON."""
    return _formatter([structlog.processors.format_exc_info], structlog.processors.JSONRenderer())


def official_lines() -> logging.Formatter:
    """What spells a record as a line of JSON that the official tools read (wire spec 1.1).

    ``function`` is the reducer that runs, and what is logged beside the text stands behind it.
    """
    return _formatter([structlog.processors.format_exc_info], _official_record)


def configure_logs(level: str, form: Literal["pretty", "json"]) -> None:
    """Send our logs and those of the libraries to standard error in one form.

    Called once, before anything else starts. Libraries' informative chatter is left out.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,  # levels change while the process runs
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
        cache_logger_on_first_use=True,
    )
    handler = _CountingHandler(sys.stderr)
    handler.setFormatter(json_lines() if form == "json" else _pretty_lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for library in _CHATTY:
        logging.getLogger(library).setLevel(max(logging.WARNING, root.level))


class _CountingHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes lines, and counts them."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        for counter in _counters:
            counter[record.levelname.lower()] += 1


def _official_record(_logger: object, _method: str, event: MutableMapping[str, object]) -> str:
    level = _OFFICIAL_LEVELS.get(str(event.pop("level", "")), "Info")
    moment = datetime.fromisoformat(str(event.pop("timestamp")))
    record: dict[str, object] = {"level": level, "ts": (moment - _EPOCH) // _MICROSECOND}
    for name, key in (("target", "logger"), ("function", "call")):
        if key in event:
            record[name] = event.pop(key)
    text, trace = event.pop("event", ""), event.pop("exception", None)
    parts = [str(text), *(f"{key}={value}" for key, value in event.items())]
    message = " ".join(parts) + ("" if trace is None else f"\n{trace}")
    record["message"] = message[:LOG_TEXT_CHARS_MAX]
    return json.dumps(record, ensure_ascii=False, default=str)


def _pretty_lines() -> logging.Formatter:
    renderer = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return _formatter([], renderer)


def _formatter(before: list[Processor], renderer: Processor) -> logging.Formatter:
    def render(logger: object, method: str, event: MutableMapping[str, object]) -> str:
        # Secrets go last once more: a renderer may have spelled an exception.
        return _SECRET.sub("<hidden>", str(renderer(logger, method, event)))

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _add_context,
            *before,
            hide_secrets,
            render,
        ],
    )


def _add_context(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    for context in _contexts:
        for key, value in context().items():
            event.setdefault(key, value)
    return event


def _hidden(key: str, value: object) -> object:
    if _SECRET_KEYS.search(key):
        return "<hidden>"
    if isinstance(value, str):
        return _SECRET.sub("<hidden>", value)
    if isinstance(value, dict):
        return {str(name): _hidden(str(name), entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden("", entry) for entry in value]
    return value
