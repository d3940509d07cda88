"""A local server that speaks OpenAI's chat completions and image generations, by script."""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Step = str | int | tuple[int, str] | bytes | asyncio.Event
"""A text is a piece of the answer; a number ends it with that status, and a pair of it and a text
says when to come again; bytes are an image; an event is waited for.

Texts in brackets are special: ``[raw ...]`` goes out as it is, ``[cut]`` ends the connection,
``[open]`` ends the answer without a reason, ``[empty]`` is a sign of life, ``[again]`` sends the
last piece a second time, ``[tool]`` calls a tool that nobody has offered, ``[usage 3 5]`` counts
tokens.
"""


class ModelServer:
    """Each request plays the next script.

    Attributes:
        asked: the bodies of the requests, in order.
        keys: the keys that they showed.
        gone: set when a client has left in the middle of an answer.
    """

    def __init__(self) -> None:
        self.scripts: list[list[Step]] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.gone = asyncio.Event()
        self.url = ""
        self._arrival = asyncio.Event()

    def say(self, *steps: Step) -> None:
        self.scripts.append(list(steps))

    async def until_asked(self, times: int) -> None:
        """Wait for so many requests, as long as it takes."""
        while len(self.asked) < times:
            self._arrival.clear()
            await self._arrival.wait()

    async def answer(self, request: Request) -> Response:
        """Play the next script as a stream of text."""
        script = await self._begin(request)
        refusal = _refusal(script)
        if refusal is not None:
            return refusal
        return StreamingResponse(self._stream(script), media_type="text/event-stream")

    async def answer_image(self, request: Request) -> Response:
        """Play the next script, which is one step, as an image."""
        script = await self._begin(request)
        refusal = _refusal(script)
        if refusal is not None:
            return refusal
        (step,) = script
        if isinstance(step, bytes):
            image = {"b64_json": b64encode(step).decode()}
            return JSONResponse({"created": 0, "data": [image]})
        return Response(step[5:-1], media_type="application/json")

    async def _begin(self, request: Request) -> list[Step]:
        self.asked.append(json.loads(await request.body()))
        self._arrival.set()
        self.keys.append(request.headers["authorization"].removeprefix("Bearer "))
        script = self.scripts.pop(0)
        if script and isinstance(script[0], asyncio.Event):
            await script.pop(0).wait()  # not even a first byte
        return script

    async def _stream(self, script: Iterable[Step]) -> AsyncIterator[str]:
        last = ""
        try:
            for step in script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif step == "[cut]":
                    raise ConnectionAbortedError
                elif step == "[open]":
                    return
                elif step == "[again]":
                    yield last
                elif step == "[tool]":
                    call = {"index": 0, "id": "c", "function": {"name": "steal", "arguments": "{}"}}
                    yield _event({"tool_calls": [call]}, None)
                elif isinstance(step, str) and step.startswith("[raw "):
                    yield step[5:-1]
                elif isinstance(step, str) and step.startswith("[usage "):
                    yield _usage(*map(int, step[7:-1].split()))
                else:
                    last = _event({"content": "" if step == "[empty]" else step}, None)
                    yield last
            yield _event({}, "stop")
            yield "data: [DONE]\n\n"
        except asyncio.CancelledError:
            self.gone.set()
            raise


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _refusal(script: list[Step]) -> Response | None:
    step = script[0] if script else None
    status, later = step if isinstance(step, tuple) else (step, None)
    if not isinstance(status, int):
        return None
    body = {"error": {"message": "the secret key sk-1 is wrong"}}
    headers = {} if later is None else {"Retry-After": later}
    return JSONResponse(body, status_code=status, headers=headers)


def _usage(prompt_tokens: int, answer_tokens: int) -> str:
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": answer_tokens}
    return f"data: {json.dumps({'id': 'x', 'choices': [], 'usage': usage})}\n\n"


def _event(delta: dict[str, object], reason: str | None) -> str:
    chunk = {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }
    return f"data: {json.dumps(chunk)}\n\n"


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    """A running server on a free port of the loopback."""
    model = ModelServer()
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", model.answer, methods=["POST"]),
            Route("/v1/images/generations", model.answer_image, methods=["POST"]),
        ]
    )
    config = uvicorn.Config(app, lifespan="off", log_config=None, log_level="critical")
    server = _Server(config)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        model.url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        await server.ready.wait()
        try:
            yield model
        finally:
            server.should_exit = True
            server.force_exit = True
            await serving


def free_address() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
