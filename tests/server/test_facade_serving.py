"""The facade of a whole server: from its settings to its stop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.app import Ready, Server
from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator
from server.settings import Settings


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "http"))


@asynccontextmanager
async def running(folder: Path, **changes: object) -> AsyncIterator[tuple[Server, Ready]]:
    values = {"port": 0, "data_dir": folder, "module": "shelf_module", "database": "shelf"}
    server = Server(Settings(**(values | changes)))
    ready = await server.start()
    try:
        yield server, ready
    finally:
        assert await server.stop()


def token_for(folder: Path, name: str = "reader") -> str:
    issuers = TrustedIssuers((), lambda: 0.0)
    return Authenticator(SigningKeys.load(folder), issuers, clock=lambda: 0).mint(name).token


async def open_request(
    ready: Ready, path: str, **headers: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(ready.host, ready.port)
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nhost: x\r\n{lines}\r\n".encode())
    return reader, writer


async def ask(ready: Ready, path: str, **headers: str) -> tuple[bytes, bytes]:
    """Head and body of an answer."""
    reader, writer = await open_request(ready, path, connection="close", **headers)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head, body


async def test_accounts_outlive_the_server_and_visits_end_with_it(tmp_path):
    authorization = f"Bearer {token_for(tmp_path)}"
    seen = []
    for _ in range(2):
        async with running(tmp_path) as (_, ready):
            _, body = await ask(ready, "/api/account", authorization=authorization)
            seen.append((json.loads(body)["arrivals"], json.loads(body)["departures"]))
    assert seen == [(1, 0), (2, 1)]


async def test_a_stream_ends_when_the_server_stops(tmp_path):
    authorization = f"Bearer {token_for(tmp_path)}"
    async with running(tmp_path) as (_, ready):
        reader, writer = await open_request(ready, "/api/watch/me", authorization=authorization)
        await reader.readuntil(b'{"seen":0}\n\n')
    assert await reader.read() == b"\r\n0\r\n\r\n", "whole, not cut off"
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("changes", "origin", "allowed"),
    [
        ({}, "http://localhost:5173", True),
        ({}, "https://play.example", False),
        ({"cors_origins": "https://play.example"}, "https://play.example", True),
        ({"cors_origins": "https://play.example"}, "http://localhost:5173", True),
        ({"host": "0.0.0.0", "allow_public_bind": True}, "http://localhost:5173", False),
    ],
)
async def test_which_pages_may_call(tmp_path, changes, origin, allowed):
    async with running(tmp_path, store="memory:", **changes) as (_, ready):
        head, _ = await ask(ready, "/api/whoami", origin=origin)
    assert (f"access-control-allow-origin: {origin}".encode() in head) is allowed


async def test_a_module_without_routes_has_the_document_alone(tmp_path):
    async with running(tmp_path, store="memory:", module="board_module") as (_, ready):
        head, body = await ask(ready, "/api/openapi.json")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert list(json.loads(body)["paths"]) == []
        head, body = await ask(ready, "/api/whoami")
        assert head.startswith(b"HTTP/1.1 404 ")
        assert json.loads(body)["error"]["code"] == "input.unknown_endpoint"
