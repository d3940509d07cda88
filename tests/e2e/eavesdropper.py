"""An eavesdropper: one user who keeps every byte that comes, over sockets and over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from served import DATABASE, WAIT_SECONDS_MAX, Served
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from actors.keys import user_id_of
from actors.module.module import Module
from actors.module.schema import answer_types, module_procedures
from protocol.bsatn import compile_codec
from protocol.client import Client
from protocol.messages import (
    ProcedureResult,
    ReducerErr,
    ReducerInternalError,
    ReducerResult,
    ServerMessage,
)
from protocol.upgrade import Subprotocol
from protocol.values import Identity


class Eavesdropper:
    """One user on one connection, in any protocol.

    Attributes:
        heard: all that the server sent, as it came.
        http: the same user over HTTP; what is answered there is heard as well.
    """

    def __init__(self, module: Module, socket: ClientConnection, protocol: Subprotocol) -> None:
        self._socket = socket
        self._client = Client(protocol, schema=module.schema)
        functions = {**module.reducers, **module_procedures(module)}
        self._arguments = {
            name: compile_codec(declared.parameters).encode for name, declared in functions.items()
        }
        self._answer_codecs = {
            name: compile_codec(kind).decode_all for name, kind in answer_types(module).items()
        }
        self._answers: dict[int, ServerMessage] = {}
        self._progress = asyncio.Condition()
        self._is_over = False
        self.heard = bytearray()
        self.http: httpx2.AsyncClient

    @property
    def identity(self) -> Identity:
        """Who the server says we are."""
        assert self._client.hello is not None
        return self._client.hello.identity

    @property
    def user_id(self) -> str:
        """The same as the module writes it."""
        return user_id_of(self.identity)

    @property
    def token(self) -> str:
        """What the server calls us by."""
        assert self._client.hello is not None
        return self._client.hello.token

    def has_heard(self, word: str) -> bool:
        """Whether a word came, as text or as hex digits of either case."""
        heard, plain = bytes(self.heard), word.encode()
        return plain in heard or plain.hex().encode() in heard.lower()

    async def call(self, name: str, *arguments: object) -> None:
        """Call a reducer, which must succeed."""
        answer = await self._asked(self._client.call_reducer(name, self.spell(name, *arguments)))
        assert isinstance(answer, ReducerResult), answer
        assert not isinstance(answer.outcome, ReducerErr | ReducerInternalError), (name, answer)

    async def ask(self, name: str, *arguments: object) -> Any:
        """Call a procedure, which must succeed; what it answers."""
        answer = await self._asked(self._client.call_procedure(name, self.spell(name, *arguments)))
        assert isinstance(answer, ProcedureResult), answer
        assert answer.error is None, (name, answer.error)
        return self._answer_codecs[name](answer.value)

    async def try_call(self, name: str, data: bytes) -> None:
        """Call a reducer with any bytes, whatever comes of it."""
        await self._asked(self._client.call_reducer(name, data))

    async def try_procedure(self, name: str, data: bytes) -> None:
        """Call a procedure with any bytes, whatever comes of it."""
        await self._asked(self._client.call_procedure(name, data))

    async def try_subscribe(self, *queries: str) -> None:
        """Subscribe, whatever comes of it; the set stays."""
        await self._asked(self._client.subscribe(queries))

    async def try_query(self, text: str) -> None:
        """Read once, whatever comes of it."""
        await self._asked(self._client.query(text))

    async def sql(self, text: str) -> Any:
        """The rows of a statement over HTTP; None when it is refused."""
        path = f"/v1/database/{DATABASE}/sql"
        answer = await self.request("POST", path, content=text.encode())
        return answer.json()[0]["rows"] if answer.status_code == 200 else None

    async def request(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Ask over HTTP, as this user."""
        answer = await self.http.request(method, path, **request)
        self.heard += json.dumps(dict(answer.headers)).encode() + answer.content
        return answer

    def spell(self, name: str, *arguments: object) -> bytes:
        """The arguments of a function."""
        return self._arguments[name](arguments)

    async def greeted(self) -> None:
        """Wait for the server's first message."""
        await self._until(lambda: self._client.hello is not None)

    async def listen(self) -> None:
        """Keep what comes until the connection ends."""
        with contextlib.suppress(ConnectionClosed):
            async for frame in self._socket:
                data = frame.encode() if isinstance(frame, str) else frame
                self.heard += data
                for message in self._client.receive_frame(data):
                    request_id = getattr(message, "request_id", None)
                    if request_id is not None:
                        self._answers[request_id] = message
                async with self._progress:
                    self._progress.notify_all()
        self._is_over = True
        async with self._progress:
            self._progress.notify_all()

    async def _asked(self, request_id: int) -> ServerMessage:
        for frame in self._client.frames():
            await self._socket.send(frame.decode() if self._client.is_text else frame)
        await self._until(lambda: request_id in self._answers)
        return self._answers.pop(request_id)

    async def _until(self, holds: Any) -> None:
        async with asyncio.timeout(WAIT_SECONDS_MAX), self._progress:
            await self._progress.wait_for(lambda: holds() or self._is_over)
        assert holds(), (self._socket.close_code, self._socket.close_reason)


@contextlib.asynccontextmanager
async def eavesdropping(
    module: Module, server: Served, protocol: Subprotocol, token: str = ""
) -> AsyncIterator[Eavesdropper]:
    """A connected eavesdropper; somebody new without a token."""
    uri = f"{server.uri}/v1/database/{DATABASE}/subscribe?compression=None"
    if token:
        uri += f"&token={token}"
    subprotocols: Any = [protocol.value]
    socket = await connect(
        uri, subprotocols=subprotocols, compression=None, max_size=None, proxy=None
    )
    spy = Eavesdropper(module, socket, protocol)
    listening = asyncio.create_task(spy.listen())
    try:
        await spy.greeted()
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"authorization": f"Bearer {spy.token}"},
            trust_env=False,
            timeout=WAIT_SECONDS_MAX,
        ) as spy.http:
            yield spy
    finally:
        await socket.close()
        await listening
