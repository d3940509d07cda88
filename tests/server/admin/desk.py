"""An operator's desk: a real server over a data folder, and connections to its admin channel."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from rig import V3
from websockets.asyncio.client import ClientConnection, connect

from server.admin.channel import ADMIN_SUBPROTOCOL
from server.admin.roles import Role
from server.admin.tokens import ADMIN_TOKEN_FILE, mint_admin_token
from server.app import Ready, Server
from server.clock import now_micros
from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator
from server.settings import Settings

WHY = "the test wants it"


class RefusedError(Exception):
    """The server answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error)
        self.number: int = error["code"]
        self.code: str = error["data"]["code"]
        self.data: dict[str, Any] = error["data"]
        self.message: str = error["message"]


class Line:
    """One connection of an operator; notifications that come between answers are kept."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.notifications: list[dict[str, Any]] = []
        self._count = 0

    async def ask(self, method: str, **params: Any) -> Any:
        """Run a command; answers its result, raises RefusedError."""
        self._count += 1
        request = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        await self.socket.send(json.dumps(request))
        while True:
            answer = await self.receive()
            if "id" not in answer:
                self.notifications.append(answer)
                continue
            assert answer["id"] == self._count
            if "error" in answer:
                raise RefusedError(answer["error"])
            return answer["result"]

    async def receive(self) -> Any:
        return json.loads(await self.socket.recv())

    async def notification(self) -> dict[str, Any]:
        """The next notification, kept or to come."""
        if self.notifications:
            return self.notifications.pop(0)
        return await self.receive()


class Desk:
    """A running server with its admin channel."""

    def __init__(self, server: Server, ready: Ready, settings: Settings) -> None:
        self.server = server
        self.ready = ready
        self.settings = settings
        self.folder = settings.data_dir

    @property
    def url(self) -> str:
        return (self.folder / "admin.address").read_text().strip()

    @property
    def owner_token(self) -> str:
        return (self.folder / ADMIN_TOKEN_FILE).read_text()

    @property
    def authenticator(self) -> Authenticator:
        issuers = TrustedIssuers((), lambda: 0.0)
        return Authenticator(SigningKeys.load(self.folder), issuers, clock=now_micros)

    def token(self, role: Role, name: str = "somebody", seconds: int = 60) -> str:
        return mint_admin_token(self.authenticator, role, name, seconds)

    def expired_token(self) -> str:
        issuers = TrustedIssuers((), lambda: 0.0)
        yesterday = now_micros() - 86_400_000_000
        past = Authenticator(SigningKeys.load(self.folder), issuers, clock=lambda: yesterday)
        return mint_admin_token(past, Role.DANGER, "late", 60)

    @asynccontextmanager
    async def line(self, token: str | None = None) -> AsyncIterator[Line]:
        """Connect as the bearer of a token, or as the owner of the data folder."""
        headers = {"Authorization": f"Bearer {token or self.owner_token}"}
        async with connect(
            self.url,
            subprotocols=[ADMIN_SUBPROTOCOL],
            additional_headers=headers,
            proxy=None,
        ) as socket:
            yield Line(socket)

    def player(self, token: str | None = None) -> connect:
        """Connect as a player does."""
        uri = f"ws://127.0.0.1:{self.ready.port}/v1/database/board/subscribe"
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return connect(
            uri,
            subprotocols=[V3],
            additional_headers=headers,
            proxy=None,
            compression=None,
        )


def desk_settings(folder: Path, **changes: object) -> Settings:
    values = {"port": 0, "data_dir": folder, "module": "board_module", "database": "board"}
    return Settings(**(values | changes))


@asynccontextmanager
async def open_desk(folder: Path, **changes: object) -> AsyncIterator[Desk]:
    """Run a server."""
    settings = desk_settings(folder, **changes)
    server = Server(settings)
    ready = await server.start()
    try:
        yield Desk(server, ready, settings)
    finally:
        assert await server.stop()
