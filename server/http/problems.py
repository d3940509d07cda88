"""Problems: refusals as HTTP answers (domain 1.7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from actors.errors import ReducerError
from actors.module.naming import camel
from server.http.json_writing import json_bytes, write_anything

__all__ = ["INTERNAL_ERROR", "problem_response", "retry_seconds", "status_of"]

INTERNAL_ERROR: Final = ReducerError("internal.error", "something broke; it has been logged")
"""What a client learns of our defects."""

_CODE: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+\Z")
_REFUSED: Final = "call.refused"
_RETRY_SECONDS: Final = 1

_STATUSES: Final = tuple(
    (status, re.compile("|".join(rf"(?:{pattern})\Z" for pattern in patterns)))
    for status, patterns in (
        (401, (r"auth\.unauthenticated", r"auth\.token_expired")),
        (404, (r"input\.unknown_(endpoint|function)", r".*[._]not_found")),
        (405, (r"input\.method_not_allowed",)),
        (408, (r"input\.too_slow",)),
        (413, (r".*too_large",)),
        (415, (r".*\.unsupported_media",)),
        (429, (r"limit\..*",)),
        (503, (r"state\.actor_unavailable", r"dependency\.unavailable")),
        (504, (r"dependency\.timeout",)),
        (500, (r"internal\.error",)),
        (403, (r".*_forbidden", r"auth\.forbidden", r".*\.not_owner", r".*\.not_participant")),
        (422, (r".*\.gate_blocked", r".*\.requirements_not_met")),
        (409, (r".*_state", r".*[._]conflict", r".*\.stale_version", r".*\.already_.*")),
        (
            400,
            (r"input\..*", r".*\.invalid_.*", r".*_(out_of_range|too_long|malformed|unknown)"),
        ),
    )
)
"""The first match decides; a code without one is a rule that was broken: 409."""


def status_of(code: str) -> int:
    """The HTTP status of an error code."""
    for status, pattern in _STATUSES:
        if pattern.match(code):
            return status
    return 409


def retry_seconds(error: ReducerError) -> int | None:
    """After how long it makes sense to try again; None when it never does."""
    if status_of(error.code) not in {429, 503}:
        return None
    seconds = error.details.get("retry_after_seconds")
    return seconds if isinstance(seconds, int) else _RETRY_SECONDS


def problem_response(
    error: ReducerError, request_id: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a refused request: ``{"error": {code, message, details, requestId}}``.

    The error of a module that says whole sentences instead of codes keeps them as its message.
    """
    has_code = _CODE.match(error.code) is not None
    code = error.code if has_code else _REFUSED
    status = status_of(code)
    body = {
        "code": code,
        "message": error.message if has_code else str(error),
        "details": {camel(key): write_anything(value) for key, value in error.details.items()},
        "requestId": request_id,
    }
    own = dict(headers or {})
    if status == 401:
        own["www-authenticate"] = "Bearer"
    seconds = retry_seconds(error)
    if seconds is not None:
        own["retry-after"] = str(seconds)
    return Response(json_bytes({"error": body}), status, own, "application/json")
