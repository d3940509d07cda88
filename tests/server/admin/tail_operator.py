"""An operator of a running server who asks for tails and reads what they tell, or does not."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from server.admin.channel import ADMIN_SUBPROTOCOL
from server.admin.composition import ADMIN_ADDRESS_FILE
from server.admin.tokens import ADMIN_TOKEN_FILE
from server.settings import Settings


class RefusedError(Exception):
    """The server answered with an error; ``code`` is its stable code."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["data"]["code"]


class Operator:
    """Reads answers and notices as long as it is let."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.notices: defaultdict[str, asyncio.Queue[dict[str, Any]]] = defaultdict(asyncio.Queue)
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def ask(self, method: str, **params: object) -> Any:
        number = len(self._answers) + 1
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        await self.connection.send(json.dumps(request))
        return await answer

    async def entries(self, method: str, count: int) -> list[dict[str, Any]]:
        """The next entries of a tail; what comes with them is there too."""
        found: list[dict[str, Any]] = []
        while len(found) < count:
            found += (await self.notices[method].get())["entries"]
        return found

    async def read(self) -> None:
        async for data in self.connection:
            message = json.loads(data)
            if "method" in message:
                self.notices[message["method"]].put_nowait(message["params"])
            elif "error" in message:
                self._answers[message["id"]].set_exception(RefusedError(message["error"]))
            else:
                self._answers[message["id"]].set_result(message["result"])


@asynccontextmanager
async def operating(settings: Settings, *, reads: bool = True) -> AsyncIterator[Operator]:
    """The owner of a running server's data folder, on its admin channel."""
    url = (settings.data_dir / ADMIN_ADDRESS_FILE).read_text().strip()
    token = (settings.data_dir / ADMIN_TOKEN_FILE).read_text().strip()
    sock = socket.socket()
    if not reads:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # soon full
    address = urlsplit(url)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (address.hostname, address.port))
    async with connect(
        url,
        sock=sock,
        subprotocols=[ADMIN_SUBPROTOCOL],
        additional_headers={"authorization": f"Bearer {token}"},
        compression=None,
    ) as connection:
        operator = Operator(connection)
        reading = asyncio.create_task(operator.read()) if reads else None
        try:
            yield operator
        finally:
            if reading is not None:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
