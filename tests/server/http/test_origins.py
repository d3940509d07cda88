"""Pages of other sites: which of them may call (domain 11.1)."""

from __future__ import annotations

import pytest
from shelf import Shelf, running_shelf


async def test_pages_of_this_machine_may_call(shelf: Shelf):
    for origin in ("http://localhost:5173", "http://127.0.0.1", "http://[::1]:80"):
        answer = await shelf.ask("GET", "/api/whoami", origin=origin)
        assert answer.headers["access-control-allow-origin"] == origin
        assert "x-request-id" in answer.headers["access-control-expose-headers"]
        assert answer.headers["vary"] == "Origin"
    for origin in ("https://evil.example", "http://localhost.evil.example", "null", "http://["):
        answer = await shelf.ask("GET", "/api/whoami", origin=origin)
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"


async def test_a_preflight(shelf: Shelf):
    answer = await shelf.ask("OPTIONS", "/api/books", origin="http://localhost:1")
    assert answer.status == 204
    assert "DELETE" in answer.headers["access-control-allow-methods"]
    assert "idempotency-key" in answer.headers["access-control-allow-headers"]
    answer = await shelf.ask("OPTIONS", "/api/books", origin="https://evil.example")
    assert answer.status == 204
    assert "access-control-allow-methods" not in answer.headers
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"


async def test_refusals_can_be_read_by_pages_too(shelf: Shelf):
    answer = await shelf.ask("GET", "/api/account", origin="http://localhost:1")
    assert answer.status == 401
    assert answer.headers["access-control-allow-origin"] == "http://localhost:1"


@pytest.mark.parametrize(
    ("configured", "origin", "allowed"),
    [
        ("https://play.example", "https://play.example", True),
        ("https://play.example", "https://play.example:444", False),
        ("https://play.example", "http://localhost", False),
        ("*", "https://anywhere.example", True),
    ],
)
async def test_configured_sites_may_call(tmp_path, configured, origin, allowed):
    async with running_shelf(tmp_path, origins=(configured,)) as shelf:
        answer = await shelf.ask("GET", "/api/whoami", origin=origin)
    assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
