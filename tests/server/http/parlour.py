"""A whole server of the parlour module, and clients that ask it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from server.app import Ready, Server
from server.identity.tokens import Bearer
from server.settings import Settings
from server.transport.gateway import Gateway

CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "authorization,accept,content-type",
}
WAIT_SECONDS_MAX = 30


class WatchedServer(Server):
    """A server whose gateway a test can reach."""

    gateway: Gateway

    def _gateway(self, *parts: Any) -> Gateway:
        self.gateway = super()._gateway(*parts)
        return self.gateway


@dataclass
class Parlour:
    server: WatchedServer
    ready: Ready
    client: httpx2.AsyncClient
    is_stopped: bool = False

    def drain(self) -> None:
        """Take no newcomers any more."""
        self.server.gateway.is_draining = True

    @property
    def identity(self) -> str:
        database = self.server.gateway.databases.find("parlour")
        assert database is not None
        return str(database.identity)

    def bearer(self, subject: str = "guest", **options: Any) -> Bearer:
        return self.server.gateway.authenticator.mint(subject, **options)

    async def ask(
        self, method: str, path: str, token: str | None = None, **request: Any
    ) -> httpx2.Response:
        """Send a request to an address of the database."""
        headers = request.pop("headers", {})
        if token is not None:
            headers = {"authorization": f"Bearer {token}"} | headers
        url = f"/v1/database/parlour{path}"
        return await self.client.request(method, url, headers=headers, **request)

    async def call(
        self, name: str, arguments: Any = (), token: str | None = None
    ) -> httpx2.Response:
        """Call a function; texts are sent as they are."""
        content = {"content": arguments} if isinstance(arguments, bytes) else {"json": arguments}
        headers = {"content-type": "application/json"}
        return await self.ask("POST", f"/call/{name}", token, headers=headers, **content)

    async def rows(self, query: str, token: str | None = None) -> list[list[Any]]:
        answer = await self.ask("POST", "/sql", token, content=query)
        assert answer.status_code == 200, answer.text
        return answer.json()[0]["rows"]


@asynccontextmanager
async def open_parlour(folder: Path, **changes: object) -> AsyncIterator[Parlour]:
    """The server."""
    values = {
        "port": 0,
        "data_dir": folder,
        "module": "parlour_module",
        "database": "parlour",
        "admin": False,
    }
    server = WatchedServer(Settings(**(values | changes)))
    ready = await server.start()
    try:
        async with httpx2.AsyncClient(
            base_url=ready.address, trust_env=False, timeout=WAIT_SECONDS_MAX
        ) as client:
            parlour = Parlour(server, ready, client)
            yield parlour
    finally:
        assert parlour.is_stopped or await server.stop()
