"""Authenticated routes: who is asking, told to the handler and echoed in the answer's headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from server.errors import BannedError, CredentialsError, TokenError
from server.identity.tokens import Authenticator, Bearer

__all__ = ["BearerHandler", "Handler", "authenticated"]

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
BearerHandler: TypeAlias = Callable[[Request, Bearer], Awaitable[Response]]


def authenticated(
    authenticator: Authenticator, handler: BearerHandler, *, anonymous: bool
) -> Handler:
    """Wrap a handler that wants to know its caller.

    A bad token is answered 401, a malformed header 400, a banned bearer 403. Answers of the
    handler carry ``spacetime-identity`` and ``spacetime-identity-token`` (wire spec 1.2).

    Args:
        authenticator: verifies and mints.
        handler: called with the caller.
        anonymous: whether a caller without a token gets a new identity; otherwise 401.
    """

    async def handle(request: Request) -> Response:
        header = request.headers.get("authorization")
        if header is None and not anonymous:
            return _unknown("a token is required")
        try:
            bearer = await authenticator.authenticate(header)
        except CredentialsError as error:
            return PlainTextResponse(str(error), 400)
        except BannedError as error:
            return PlainTextResponse(str(error), 403)
        except TokenError as error:
            return _unknown(str(error))
        response = await handler(request, bearer)
        response.headers["spacetime-identity"] = str(bearer.claims.identity)
        response.headers["spacetime-identity-token"] = bearer.token
        return response

    return handle


def _unknown(text: str) -> Response:
    return PlainTextResponse(text, 401, {"www-authenticate": "Bearer"})
