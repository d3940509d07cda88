from __future__ import annotations

import structlog
from structlog.testing import capture_logs
from telemetry_client import exchange, get

from server.app import Server
from server.http import traffic
from server.settings import Settings
from server.transport import connection


async def logged(settings: Settings, monkeypatch) -> list[dict]:
    """What a server logs of one request and one socket."""
    monkeypatch.setattr(traffic, "log", structlog.get_logger("server.access"))
    monkeypatch.setattr(connection, "access", structlog.get_logger("server.access"))
    with capture_logs() as entries:
        server = Server(settings)
        ready = await server.start()
        await get(ready, "/v1/ping?token=opaque")
        await exchange(ready, calls=1)
        await server.stop()
    return [entry for entry in entries if entry["event"].startswith(("request", "socket"))]


async def test_requests_and_sockets_are_logged_when_that_is_wanted(board, monkeypatch):
    settings = board.model_copy(update={"access_log": True})
    request, opened, closed = await logged(settings, monkeypatch)
    assert (request["method"], request["path"], request["status"]) == ("GET", "/v1/ping", "200")
    assert request["seconds"] >= 0
    assert request["bytes"] == 0
    assert "opaque" not in str(request), "queries may hold tokens and are not logged"
    assert (opened["event"], closed["event"]) == ("socket opened", "socket closed")
    assert opened["connection"] == closed["connection"] != ""
    assert len(opened["identity"]) == 64


async def test_they_are_not_logged_otherwise(board, monkeypatch):
    assert await logged(board, monkeypatch) == []
