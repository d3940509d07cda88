"""A client of the game's HTTP addresses, and the server that its tests ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
from bot import Words, connected
from served import WAIT_SECONDS_MAX, Served, serving

from actors.module.module import Module

MODULE = "actors.domains.entry"
PROFILE = "cwp_fixture_vale"

_LOOK_SECONDS = 0.1


class Event(NamedTuple):
    """One server-sent event."""

    event: str
    data: Any
    id: str | None


class Refused(NamedTuple):
    """What an error answer says."""

    status: int
    code: str
    details: Any


class User:
    """Somebody with a token, or a guest without one.

    Attributes:
        token: what the user shows; None for a guest.
    """

    def __init__(self, client: httpx2.AsyncClient, token: str | None) -> None:
        self._client = client
        self.token = token

    @property
    def _headers(self) -> dict[str, str]:
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}

    async def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Send a request and answer whatever comes back."""
        headers = self._headers | request.pop("headers", {})
        return await self._client.request(method, path, headers=headers, **request)

    async def get(self, path: str, **query: Any) -> Any:
        """The body of a good answer to a GET."""
        return body_of(await self.send("GET", path, params=query), 200)

    async def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        """The body of a good answer to a POST, which must have this status."""
        return body_of(await self.send("POST", path, json=body or {}), status)

    async def put(self, path: str, body: Any) -> Any:
        """The body of a good answer to a PUT."""
        return body_of(await self.send("PUT", path, json=body), 200)

    async def delete(self, path: str, status: int = 204) -> Any:
        """A DELETE that is answered well."""
        return body_of(await self.send("DELETE", path), status)

    async def get_until(self, path: str, happened: Callable[[Any], bool]) -> Any:
        """Ask until an answer says that something has happened; that answer."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while True:
                answer = await self.get(path)
                if happened(answer):
                    return answer
                await asyncio.sleep(_LOOK_SECONDS)

    async def refused(self, method: str, path: str, **request: Any) -> Refused:
        """What a request is refused with; it must be refused."""
        return refusal_of(await self.send(method, path, **request))

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, last_event_id: str | None = None, **request: Any
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of a stream, as they come."""
        headers = self._headers | {"accept": "text/event-stream"}
        if last_event_id is not None:
            headers["last-event-id"] = last_event_id
        async with self._client.stream(method, path, headers=headers, **request) as response:
            if response.status_code != 200:
                await response.aread()
            assert response.status_code == 200, response.text
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers["cache-control"] == "no-store"
            yield events_of(response)


async def events_of(response: httpx2.Response) -> AsyncIterator[Event]:
    """The events of a stream's body; comments are skipped."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif not line and "event" in fields:
            yield Event(fields["event"], json.loads(fields["data"]), fields.get("id"))
            fields = {}


def body_of(response: httpx2.Response, status: int) -> Any:
    """The JSON of an answer with a status; None where there is no body."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["x-request-id"]
    if status == 204:
        assert response.content == b""
        return None
    assert response.headers["content-type"] == "application/json"
    return response.json()


def refusal_of(response: httpx2.Response) -> Refused:
    """What an error answer says."""
    assert response.status_code >= 400, (response.status_code, response.text)
    error = response.json()["error"]
    assert set(error) == {"code", "message", "details", "requestId"}
    assert error["requestId"] == response.headers["x-request-id"]
    return Refused(response.status_code, error["code"], error["details"])


@asynccontextmanager
async def visiting(server: Served) -> AsyncIterator[Visitors]:
    """Users of a server, for as long as their client lives."""
    url = f"http://127.0.0.1:{server.port}"
    async with httpx2.AsyncClient(
        base_url=url, trust_env=False, timeout=WAIT_SECONDS_MAX
    ) as client:
        yield Visitors(client)


class Visitors:
    """Whoever asks a server."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    @property
    def guest(self) -> User:
        """Nobody in particular."""
        return User(self._client, None)

    def holder(self, token: str) -> User:
        """Whoever a token is for."""
        return User(self._client, token)

    async def newcomer(self) -> User:
        """A user whom the server has never seen."""
        made = await self._client.post("/v1/identity")
        return User(self._client, made.json()["token"])


class Game(NamedTuple):
    """A server of the game with Test Vale published, and the tokens of those who run it."""

    server: Served
    service: str
    moderator: str


@contextmanager
def game_server(folder: Path, *flags: str) -> Iterator[Game]:
    """The game on a server of its own; killed in the end."""
    with serving(MODULE, folder / "data", "--dev-fixtures", *flags) as server:
        service = server.token("service", "loader")
        asyncio.run(_load_world(server, service))
        yield Game(server, service, server.token("moderator", "moderator"))


async def _load_world(server: Served, token: str) -> None:
    words = Words(Module.load(MODULE, fixtures=True))
    async with connected(words, server, token) as bot:
        name = "load_fixture_world_and_return"
        ok, *refusal = await bot.ask_in_time(name, words.inputs[name]("load"))
        assert ok, refusal
