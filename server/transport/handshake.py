"""Websocket handshake: an upgrade request to a 101 or a refusal, bytes to bytes.

RFC 6455's own rules are the Sans-I/O server of ``websockets``; ours (database, token, subprotocol,
parameters) come on top. Source: wire spec 1.2.
"""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import unquote

from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from protocol.errors import DecodeError
from protocol.upgrade import (
    Subprotocol,
    UpgradeOptions,
    choose_subprotocol,
    parse_upgrade_query,
)
from protocol.values import ConnectionId
from server.errors import BannedError, CredentialsError, TokenError
from server.identity.tokens import Bearer
from server.transport.deflate import DEFLATE_OFFERS, Deflate, agreed_deflate
from server.transport.gateway import Gateway

__all__ = ["Accepted", "Refused", "shake_hands"]

_SUBSCRIBE = re.compile(r"/v1/database/([^/]+)/subscribe/?")


_NOT_HTTP = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
"""Answer to a request in which the websocket library finds no sense, and gives no answer."""


class Accepted(NamedTuple):
    """The upgrade goes through once ``response`` is written; ``bearer`` is who came.

    ``deflate`` is the compression that was agreed on; None without any.
    """

    response: bytes
    bearer: Bearer
    subprotocol: Subprotocol
    options: UpgradeOptions
    connection_id: ConnectionId
    deflate: Deflate | None


class Refused(NamedTuple):
    """The upgrade fails: write ``response`` and close."""

    response: bytes


class _RefusalError(Exception):
    """Ends the handshake with an HTTP answer."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def _drawn_connection_id() -> ConnectionId:
    return ConnectionId(secrets.randbits(128) or 1)


def _database_of(path: str, gateway: Gateway) -> None:
    """Check that the path is that of a database's socket."""
    match = _SUBSCRIBE.fullmatch(path)
    if match is None:
        raise _RefusalError(HTTPStatus.NOT_FOUND, "")
    name = unquote(match[1])
    if gateway.databases.find(name) is None:
        raise _RefusalError(HTTPStatus.NOT_FOUND, f"`{name}` not found")


def _single_header(request: Request, name: str) -> str | None:
    values: list[str] = request.headers.get_all(name)
    if len(values) > 1:
        raise _RefusalError(HTTPStatus.BAD_REQUEST, f"{name} is given twice")
    return values[0] if values else None


async def _check(request: Request, gateway: Gateway) -> tuple[Bearer, Subprotocol, UpgradeOptions]:
    """Apply our own rules to a well-formed upgrade, cheapest first."""
    path, _, query = request.path.partition("?")
    _database_of(path, gateway)
    if not gateway.accepting:
        raise _RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "server is stopping")
    if gateway.is_draining:
        raise _RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "server is draining")
    offered = request.headers.get_all("Sec-WebSocket-Protocol")
    subprotocol = choose_subprotocol(offered)
    try:
        options = parse_upgrade_query(query, subprotocol or Subprotocol.V2_BSATN)
        header = _single_header(request, "Authorization")
        bearer = await gateway.authenticator.authenticate(header, options.token)
    except (DecodeError, CredentialsError) as error:
        raise _RefusalError(HTTPStatus.BAD_REQUEST, str(error)) from None
    except BannedError as error:
        raise _RefusalError(HTTPStatus.FORBIDDEN, str(error)) from None
    except TokenError as error:
        raise _RefusalError(HTTPStatus.UNAUTHORIZED, str(error)) from None
    if subprotocol is None:
        raise _RefusalError(HTTPStatus.BAD_REQUEST, "no valid protocol selected")
    return bearer, subprotocol, options


def _spell(protocol: ServerProtocol, response: Response) -> bytes:
    protocol.send_response(response)
    return b"".join(protocol.data_to_send())


async def shake_hands(raw_request: bytes, gateway: Gateway) -> Accepted | Refused:
    """Answer an upgrade request.

    Args:
        raw_request: the whole request, headers included, as HTTP/1.1.
        gateway: of the listener that it came to.

    Returns:
        What to write, and on success who came with which options. Never raises for anything
        that a client can send.
    """
    protocol = ServerProtocol(extensions=DEFLATE_OFFERS if gateway.deflate else None)
    protocol.receive_data(raw_request)
    request = next(iter(protocol.events_received()), None)
    if not isinstance(request, Request):
        return Refused(b"".join(protocol.data_to_send()) or _NOT_HTTP)
    response = protocol.accept(request)
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        return Refused(_spell(protocol, response))
    try:
        bearer, subprotocol, options = await _check(request, gateway)
    except _RefusalError as refusal:
        return Refused(_spell(protocol, protocol.reject(refusal.status, refusal.text)))
    response.headers["Sec-WebSocket-Protocol"] = subprotocol.value
    response.headers["spacetime-identity"] = str(bearer.claims.identity)
    response.headers["spacetime-identity-token"] = bearer.token
    return Accepted(
        response=_spell(protocol, response),
        bearer=bearer,
        subprotocol=subprotocol,
        options=options,
        connection_id=options.connection_id or _drawn_connection_id(),
        deflate=agreed_deflate(protocol.extensions),
    )
