"""The street with its operators, and residents who call its reducers themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import street_module
from desk import Desk, Line, RefusedError, open_desk
from rig import answers
from websockets.asyncio.client import ClientConnection

from actors.keys import user_id_of
from actors.module import Module
from protocol.bsatn import compile_codec
from protocol.messages import CallReducer, InitialConnection, ReducerResult, Subscribe
from protocol.messages.v2_client import encode_client_message

STREET = Module("street", [street_module])


class Resident:
    """Somebody with a house, connected as any player."""

    def __init__(self, socket: ClientConnection, connection: InitialConnection) -> None:
        self.identity = str(connection.identity)
        self.connection_id = str(connection.connection_id)
        self.user_id = user_id_of(connection.identity)
        self.house = f"house/{self.user_id}"
        self._socket = socket
        self._requests = 0

    async def call(self, reducer: str, *arguments: object) -> Any:
        """Call a reducer; answers its outcome."""
        args = compile_codec(STREET.reducers[reducer].parameters).encode(arguments)
        result = await self._ask(CallReducer(self._next(), reducer, args))
        assert isinstance(result, ReducerResult)
        return result.outcome

    async def subscribe(self, query: str) -> None:
        await self._ask(Subscribe(self._next(), 1, (query,)))

    def _next(self) -> int:
        self._requests += 1
        return self._requests

    async def _ask(self, message: CallReducer | Subscribe) -> Any:
        await self._socket.send(encode_client_message(message))
        while True:
            for answer in answers(await self._socket.recv()):
                if getattr(answer, "request_id", None) == message.request_id:
                    return answer


@asynccontextmanager
async def resident(desk: Desk) -> AsyncIterator[Resident]:
    """A new resident, for as long as the connection is open."""
    async with desk.player() as socket:
        (connection,) = answers(await socket.recv())
        assert isinstance(connection, InitialConnection)
        yield Resident(socket, connection)


@asynccontextmanager
async def open_street(folder: Path) -> AsyncIterator[Desk]:
    """Run the street's server."""
    async with open_desk(folder, module="street_module") as desk:
        yield desk


async def refusal(line: Line, method: str, **params: Any) -> str:
    """The code with which a command is refused."""
    with pytest.raises(RefusedError) as caught:
        await line.ask(method, **params)
    return caught.value.code


async def last_audit(line: Line) -> dict[str, Any]:
    """The newest record of the audit."""
    (record,) = (await line.ask("audit.list", limit=1))["records"]
    return record
