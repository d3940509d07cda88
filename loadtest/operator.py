"""Operator: somebody on a server's admin channel, who runs commands and follows tails.

JSON-RPC over a websocket of its own; docs/admin.md has the commands.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from loadtest.errors import ConnectionEndedError, RefusedError
from loadtest.limits import ANSWER_SECONDS_MAX, MESSAGE_BYTES_MAX

__all__ = ["Notice", "Operator"]

_SUBPROTOCOL = Subprotocol("admin.v1.jsonrpc")

Notice: TypeAlias = Mapping[str, Any]
"""What a tail tells at once."""


class Operator:
    """A connected operator. Made by :meth:`enter`. Loop thread.

    Attributes:
        on_notice: told of each notification: the command's name and what it says.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.on_notice: Callable[[str, Notice], None] | None = None
        self._connection = connection
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._reading = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def enter(cls, url: str, token: str) -> Operator:
        """Connect.

        Raises:
            ConnectionEndedError: the server is not there, or does not let the token's bearer in.
        """
        try:
            connection = await connect(
                url,
                subprotocols=[_SUBPROTOCOL],
                additional_headers={"Authorization": f"Bearer {token}"},
                max_size=MESSAGE_BYTES_MAX,
                compression=None,
                proxy=None,
            )
        except (OSError, WebSocketException) as error:
            raise ConnectionEndedError(f"the operators' channel: {error}") from None
        return cls(connection)

    async def ask(self, method: str, **params: object) -> Any:
        """Run a command.

        Raises:
            RefusedError: the server refuses it.
            ConnectionEndedError: the channel is over.
        """
        self._number += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._number] = answer
        request = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        try:
            await self._connection.send(json.dumps(request))
        except WebSocketException as error:
            raise ConnectionEndedError(f"the operators' channel: {error}") from None
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await answer

    async def leave(self) -> None:
        """End the channel."""
        await self._connection.close()
        await self._reading

    async def _read(self) -> None:
        try:
            async for data in self._connection:
                self._take(json.loads(data))
        except WebSocketException:
            pass
        for answer in self._answers.values():
            answer.set_exception(ConnectionEndedError("the operators' channel is over"))

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            if self.on_notice is not None:
                self.on_notice(message["method"], message["params"])
            return
        answer = self._answers.pop(message["id"])
        if answer.done():
            return
        if "error" in message:
            error = message["error"]
            answer.set_exception(RefusedError(error["data"]["code"], error["message"]))
        else:
            answer.set_result(message["result"])
