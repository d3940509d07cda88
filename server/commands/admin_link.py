"""Admin link: the command line's end of the admin channel."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from server.admin.channel import ADMIN_SUBPROTOCOL
from server.admin.composition import ADMIN_ADDRESS_FILE
from server.admin.tokens import ADMIN_TOKEN_FILE
from server.errors import CommandError, StartError
from server.http.listening import is_loopback
from server.limits import ADMIN_ANSWER_BYTES_MAX

__all__ = ["ADMIN_TOKEN_VARIABLE", "AdminAddress", "AdminLink", "find_address", "linked"]

ADMIN_TOKEN_VARIABLE = "GENARRATIVE_ADMIN_TOKEN"  # noqa: S105 - a name
"""Environment variable that may hold the operator's token."""


class AdminAddress(NamedTuple):
    """Where to connect to, and as whom."""

    url: str
    token: str


def find_address(data_dir: Path, url: str | None, token_file: Path | None) -> AdminAddress:
    """Find channel and token: as named, else those of the server that works in a data folder.

    The folder's own token, which may do everything, is given to nobody but this machine.

    Raises:
        StartError: no server works there, or there is no token.
    """
    if url is None:
        try:
            url = (data_dir / ADMIN_ADDRESS_FILE).read_text(encoding="ascii").strip()
        except OSError:
            raise StartError(
                f"no server lets operators in from {data_dir}; name another one with --data-dir,"
                " or its channel with --url"
            ) from None
    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    if scheme not in {"ws", "wss"} or host is None:
        raise StartError(f"{url} is no channel, as in ws://127.0.0.1:3001/admin")
    token = os.environ.get(ADMIN_TOKEN_VARIABLE, "")
    if token_file is None and not token:
        if not is_loopback(host):
            raise StartError(f"{host} needs --token-file, or {ADMIN_TOKEN_VARIABLE}")
        token_file = data_dir / ADMIN_TOKEN_FILE
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            raise StartError(f"there is no token in {token_file}") from None
    return AdminAddress(url, token.strip())


class AdminLink:
    """An open channel; one request at a time."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0

    async def call(self, method: str, params: Mapping[str, object]) -> dict[str, Any]:
        """Run a command.

        Raises:
            CommandError: the server refuses it.
            StartError: the channel broke.
        """
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        try:
            await self._connection.send(json.dumps(request))
            while True:
                message = json.loads(await self._connection.recv())
                if message.get("id") == self._number:
                    break
        except ConnectionClosed as error:
            raise StartError(f"the server ended the channel: {error}") from None
        if "error" in message:
            raise _refusal(message["error"])
        result: dict[str, Any] = message["result"]
        return result

    async def notifications(self, method: str) -> AsyncIterator[dict[str, Any]]:
        """What a command that goes on tells, until the server ends the channel."""
        try:
            async for data in self._connection:
                message = json.loads(data)
                if message.get("method") == method:
                    yield message["params"]
        except ConnectionClosed as error:
            raise StartError(f"the server ended the channel: {error}") from None


@asynccontextmanager
async def linked(address: AdminAddress) -> AsyncIterator[AdminLink]:
    """Open the channel and close it in the end.

    Raises:
        StartError: the server is not there, or does not let the token's bearer in.
    """
    try:
        connection = await connect(
            address.url,
            subprotocols=[ADMIN_SUBPROTOCOL],
            additional_headers={"Authorization": f"Bearer {address.token}"},
            max_size=ADMIN_ANSWER_BYTES_MAX,
            compression=None,
            proxy=None,
        )
    except InvalidStatus as error:
        text = (error.response.body or b"").decode(errors="replace").strip()
        status = error.response.status_code
        raise StartError(f"{address.url} answers {status}: {text or 'refused'}") from None
    except (OSError, WebSocketException, ValueError) as error:
        raise StartError(f"{address.url}: {error}") from None
    try:
        yield AdminLink(connection)
    finally:
        await connection.close()


def _refusal(error: Mapping[str, Any]) -> CommandError:
    data = error.get("data", {})
    text = str(error.get("message", ""))
    faults = [f"{fault['path']}: {fault['message']}" for fault in data.get("errors", ())]
    if data.get("close"):
        faults.append(f"did you mean {', '.join(data['close'])}?")
    return CommandError(str(data.get("code", error.get("code"))), "; ".join((text, *faults)))
