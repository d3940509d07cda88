"""Refusals under ``/v1``: plain text where the contract has it, else a problem (RFC 9457).

Official clients show the text of a 4xx or 530 as it is, and look at how it begins (wire spec 1.4).
What only this server refuses, a call over its rate for one, is said as
``application/problem+json``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.responses import PlainTextResponse, Response

from actors.errors import ReducerError
from server.http.json_writing import json_bytes
from server.http.problems import retry_seconds, status_of

__all__ = ["REDUCER_FAILED", "problem_details", "refused"]

REDUCER_FAILED: Final = 530
"""The status of a call that the function itself refused."""

_PLAIN: Final = frozenset({400, 401, 403, 404, 415})


def refused(error: ReducerError) -> Response:
    """The answer to a request that was refused before a function ran, or could not end."""
    status = status_of(error.code)
    if status in _PLAIN:
        return PlainTextResponse(error.message or error.code, status)
    return problem_details(status, error)


def problem_details(status: int, error: ReducerError) -> Response:
    """Say as a problem what went wrong; ``code`` is an extension member."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "code": error.code,
    }
    headers = {}
    seconds = retry_seconds(error)
    if seconds is not None:
        headers["retry-after"] = str(seconds)
    return Response(json_bytes(body), status, headers, "application/problem+json")
