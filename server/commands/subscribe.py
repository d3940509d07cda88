"""Command ``subscribe``: what queries answer, and what changes, as lines of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from protocol.bsatn import compile_codec
from protocol.client import Client
from protocol.errors import DecodeError
from protocol.messages.answers import (
    ServerMessage,
    SubscribeApplied,
    SubscriptionError,
    TransactionUpdate,
)
from protocol.sats_json import compile_json, dumps
from protocol.schema import ModuleSchema
from protocol.types import ProductType
from protocol.upgrade import Subprotocol
from server.commands.client_link import ClientLink, Target
from server.errors import RefusedError, StartError
from server.limits import CLIENT_ANSWER_BYTES_MAX

__all__ = ["Wish", "print_updates"]

_PROTOCOL = Subprotocol.V3_BSATN
_SUBPROTOCOL = websockets.Subprotocol(_PROTOCOL.value)


class Wish(NamedTuple):
    """What somebody subscribes to, and what of it is printed.

    Attributes:
        updates: how many to wait for; None for no end.
        seconds: after which time to stop; None for never.
        prints_initial: whether what the queries find first is a line too.
        is_confirmed: whether to wait until what is told is durable; None leaves it to the server.
    """

    queries: Sequence[str]
    updates: int | None = None
    seconds: float | None = None
    prints_initial: bool = False
    is_confirmed: bool | None = None


def print_updates(target: Target, wish: Wish) -> None:
    """Subscribe, and print each update: ``{table: {"deletes": [...], "inserts": [...]}}``.

    Rows are objects in the typed form. A server that ends the connection is no failure unless
    updates were to be waited for.

    Raises:
        RefusedError: the server refuses the queries, or the updates did not come.
        StartError: the server cannot be reached.
    """
    with ClientLink(target) as link:
        rows = _Rows(link.schema())
    with contextlib.suppress(KeyboardInterrupt):  # how one leaves what goes on
        asyncio.run(_follow(target, wish, rows))


class _Rows:
    """Spells rows of tables and views."""

    def __init__(self, schema: ModuleSchema) -> None:
        self._types: dict[str, ProductType] = {
            **{table.name: table.row_type for table in schema.tables},
            **{view.name: view.row_type for view in schema.views},
        }

    def spell(self, table: str, rows: Iterable[bytes]) -> list[object]:
        """Rows as JSON structures."""
        row_type = self._types.get(table)
        if row_type is None:
            raise StartError(f"the schema has no table {table}")
        codec, json_codec = compile_codec(row_type), compile_json(row_type)
        return [json_codec.to_typed(codec.decode(bytes(row), 0)[0]) for row in rows]


class _Updates:
    """What the subscription tells, as lines; counts the updates."""

    def __init__(self, rows: _Rows, *, prints_initial: bool) -> None:
        self.count = 0
        self._rows = rows
        self._prints_initial = prints_initial

    def take(self, message: ServerMessage) -> None:
        """Print a message, if it is one to print."""
        changes: dict[str, dict[str, list[object]]] = {}
        if isinstance(message, SubscriptionError):
            raise RefusedError(message.error)
        if isinstance(message, SubscribeApplied):
            if not self._prints_initial:
                return
            for table in message.tables:
                _change(changes, table.table)["inserts"] += self._spell(table.table, table.rows)
        elif isinstance(message, TransactionUpdate):
            for query_set in message.query_sets:
                for update in query_set.tables:
                    change = _change(changes, update.table)
                    for rows in update.rows:
                        change["deletes"] += self._spell(update.table, rows.deletes)
                        change["inserts"] += self._spell(update.table, rows.inserts)
            self.count += 1
        else:
            return
        sys.stdout.write(f"{dumps(changes).decode()}\n")
        sys.stdout.flush()

    def _spell(self, table: str, rows: Iterable[bytes]) -> list[object]:
        return self._rows.spell(table, rows)


def _change(changes: dict[str, dict[str, list[object]]], table: str) -> dict[str, list[object]]:
    return changes.setdefault(table, {"deletes": [], "inserts": []})


async def _follow(target: Target, wish: Wish, rows: _Rows) -> None:
    updates = _Updates(rows, prints_initial=wish.prints_initial)
    wanted = wish.updates
    try:
        async with asyncio.timeout(wish.seconds), _connected(target, wish) as socket:
            await _take(socket, wish, updates)
    except TimeoutError:
        _say(f"timed out after {wish.seconds:g}s")
        if wanted is not None:
            text = f"subscription timed out after {wish.seconds:g}s"
            raise _too_few(text, updates.count, wanted) from None
    except ConnectionClosed:
        _say("disconnected by server")
        if wanted is not None:
            raise _too_few("subscription closed", updates.count, wanted) from None
    except DecodeError as error:
        raise StartError(f"{target.server} sends what is no message: {error}") from None


async def _take(socket: ClientConnection, wish: Wish, updates: _Updates) -> None:
    """Subscribe and print until there were enough updates."""
    client = Client(_PROTOCOL)
    client.subscribe(wish.queries)
    for frame in client.frames():
        await socket.send(frame)
    is_live = False
    while not is_live or wish.updates is None or updates.count < wish.updates:
        for message in client.receive_frame(_binary(await socket.recv())):
            is_live = is_live or isinstance(message, SubscribeApplied)
            if wish.updates is None or updates.count < wish.updates:
                updates.take(message)


def _too_few(text: str, received: int, expected: int) -> RefusedError:
    return RefusedError(f"{text} after receiving {received}/{expected} updates")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _binary(frame: bytes | str) -> bytes:
    if isinstance(frame, str):
        raise DecodeError("a text frame")
    return frame


@asynccontextmanager
async def _connected(target: Target, wish: Wish) -> AsyncIterator[ClientConnection]:
    url = target.url("/subscribe?compression=None").replace("http", "ws", 1)
    if wish.is_confirmed is not None:
        url += f"&confirmed={str(wish.is_confirmed).lower()}"
    try:
        socket = await connect(
            url,
            subprotocols=[_SUBPROTOCOL],
            additional_headers=target.headers,
            compression=None,
            max_size=CLIENT_ANSWER_BYTES_MAX,
            proxy=None,
        )
    except InvalidStatus as error:
        text = (error.response.body or b"").decode(errors="replace").strip()
        status = error.response.status_code
        raise RefusedError(text or f"the server answers {status}") from None
    except (OSError, WebSocketException, ValueError) as error:
        raise StartError(f"{target.server}: {error}") from None
    try:
        yield socket
    finally:
        await socket.close()
