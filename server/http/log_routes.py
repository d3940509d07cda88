"""Route of the logs: for the database's owner, one JSON object in each line (wire spec 1.1)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from actors.errors import ReducerError
from actors.host import Caller
from protocol.values import ConnectionId
from server.databases import Database
from server.http.queries import read_count, read_flag
from server.http.refusals import refused
from server.identity.tokens import Bearer
from server.log_ring import LogRing

__all__ = ["LogRoutes"]

_NDJSON: Final = "application/x-ndjson"
_HEADERS: Final = {"cache-control": "no-cache", "x-accel-buffering": "no"}


class LogRoutes:
    """Shows what a ring keeps, and what comes after it."""

    def __init__(self, ring: LogRing) -> None:
        self._ring = ring

    async def show(self, request: Request, bearer: Bearer, database: Database) -> Response:
        """``GET /v1/database/:db/logs?num_lines=N&follow=bool``; others than the owner get 403."""
        if not Caller(bearer.claims, ConnectionId(0)).is_privileged:
            text = (
                f"{bearer.claims.identity} is not authorized to perform action on database"
                f" {database.identity}: view module logs"
            )
            return PlainTextResponse(text, 403)
        try:
            count = read_count(request, "num_lines")
            follow = read_flag(request, "follow", default=False)
            if follow and self._ring.is_crowded:
                raise ReducerError("dependency.unavailable", "too many follow the logs already")
        except ReducerError as error:
            return refused(error)
        if request.method == "HEAD":
            return Response(media_type=_NDJSON, headers=_HEADERS)
        lines = self._ring.lines(count, follow=follow)
        return StreamingResponse(lines, media_type=_NDJSON, headers=_HEADERS)
