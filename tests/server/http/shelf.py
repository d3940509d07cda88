"""A running server of the shelf module: its actors in memory, its objects in a dict."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shelf_in_memory import ShelfInMemory

from actors import Module, ObjectStore
from actors.host import Host, HttpCalls
from persistence.memory import MemoryStore
from server.app import rate_admission
from server.canary import CanaryState
from server.clock import now_micros
from server.databases import Database, Databases, database_identity
from server.http.cors import Origins
from server.http.facade import Facade
from server.http.health import HealthProbe
from server.http.listening import Listener, bind_port
from server.http.site import build_site
from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator
from server.metrics import Metrics
from server.settings import Settings
from server.telemetry.families import Sources
from server.transport.connection import bound_socket
from server.transport.gateway import Gateway
from server.transport.wheel import TimerWheel


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


@dataclass
class Shelf:
    host: Host
    gateway: Gateway
    facade: Facade
    listener: Listener
    objects: ShelfInMemory
    store: MemoryStore

    @property
    def port(self) -> int:
        return self.listener.address[1]

    def token(self, name: str = "reader", **options: Any) -> str:
        return self.gateway.authenticator.mint(name, **options).token

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: bytes | None = None,
        value: object = None,
        **headers: str,
    ) -> Reply:
        """Send a request on a connection of its own and read the whole answer."""
        reader, writer = await self.send(
            method, path, token=token, body=body, value=value, connection="close", **headers
        )
        data = await reader.read()
        writer.close()
        await writer.wait_closed()
        return reply_of(data)

    async def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: bytes | None = None,
        value: object = None,
        **headers: str,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        lines = {"host": "test"} | {name.replace("_", "-"): text for name, text in headers.items()}
        if token is not None:
            lines["authorization"] = f"Bearer {token}"
        if value is not None:
            body = json.dumps(value).encode()
            lines.setdefault("content-type", "application/json")
        if body is not None:
            lines.setdefault("content-length", str(len(body)))
        head = "".join(f"{name}: {text}\r\n" for name, text in lines.items() if text)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + (body or b""))
        return reader, writer


def reply_of(data: bytes) -> Reply:
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(chunks_of(body))
    return Reply(int(status.split()[1]), headers, body)


def chunks_of(data: bytes) -> list[bytes]:
    chunks = []
    while data:
        size, _, rest = data.partition(b"\r\n")
        chunks.append(rest[: int(size, 16)])
        data = rest[int(size, 16) + 2 :]
    return chunks


@asynccontextmanager
async def running_shelf(
    folder: Path,
    *,
    rates: bool = False,
    objects: bool = True,
    origins: tuple[str, ...] = (),
    clock: Callable[[], int] = now_micros,
) -> AsyncIterator[Shelf]:
    store = MemoryStore()
    await store.open()
    kept = ShelfInMemory()
    host = Host(
        Module.load("shelf_module"),
        store,
        secret=bytes(32),
        clock=clock,
        providers={ObjectStore: kept} if objects else {},
    )
    loop = asyncio.get_running_loop()
    metrics = Metrics()
    settings = Settings(rate_limits=rates, rate_per_second=1, rate_burst=3)
    gateway = Gateway(
        sessions=host,
        authenticator=Authenticator(
            SigningKeys.load(folder), TrustedIssuers((), loop.time), clock=clock
        ),
        databases=Databases(Database("shelf", database_identity("shelf", bytes(32)))),
        wheel=TimerWheel(loop.time()),
        metrics=metrics,
        admission=rate_admission(settings, metrics),
        message_bytes_max=1_048_576,
    )
    facade = Facade(
        host.module.routes.values(),
        HttpCalls(host),
        gateway,
        Origins(origins, loopback=not origins),
        kept if objects else None,
    )
    site = build_site(
        authenticator=gateway.authenticator,
        databases=gateway.databases,
        schema=host.module.schema,
        probe=HealthProbe(store, loop.time, lambda: host.seconds_since_refusal),
        canary=lambda: CanaryState(None, 0, 0.01),
        tally=metrics.http,
        metrics=Sources(metrics),
        facade=facade,
    )
    await host.start()
    sock = bind_port("127.0.0.1", 0, allow_public=False)
    listener = Listener(sock, site, bound_socket(gateway))
    await listener.start()
    try:
        yield Shelf(host, gateway, facade, listener, kept, store)
    finally:
        facade.close()
        listener.stop_accepting()
        await listener.stop()
        facade.visits.end_all()
        while gateway.tasks:
            await asyncio.wait(gateway.tasks)
        await host.stop()
        await store.close()
