"""Queries: parameters in an address under ``/v1``, read as strictly as the official host does."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request

from actors.errors import ReducerError

__all__ = ["read_count", "read_flag"]

_COUNT: Final = re.compile(r"[0-9]{1,10}\Z")
_COUNT_MAX: Final = (1 << 32) - 1


def read_flag(request: Request, name: str, *, default: bool) -> bool:
    """A parameter that is ``true`` or ``false``; raises ReducerError ``input.invalid_type``."""
    text = _only(request, name)
    if text is None:
        return default
    if text not in ("true", "false"):
        raise _malformed(f"{name} is true or false")
    return text == "true"


def read_count(request: Request, name: str) -> int | None:
    """A parameter that is a u32; raises ReducerError ``input.invalid_type``."""
    text = _only(request, name)
    if text is None:
        return None
    if not _COUNT.match(text) or int(text) > _COUNT_MAX:
        raise _malformed(f"{name} is a number below 2^32")
    return int(text)


def _only(request: Request, name: str) -> str | None:
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise _malformed(f"{name} is given twice")
    return given[0] if given else None


def _malformed(text: str) -> ReducerError:
    return ReducerError("input.invalid_type", f"Failed to deserialize query string: {text}")
