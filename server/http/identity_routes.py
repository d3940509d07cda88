"""Routes under ``/v1/identity``: tokens for those who come, and checks of them (wire spec 1)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from protocol.values import Identity
from server.databases import Databases
from server.errors import TokenError
from server.http.bearers import authenticated
from server.identity.tokens import Authenticator, Bearer

__all__ = ["identity_routes"]


def identity_routes(authenticator: Authenticator, databases: Databases) -> list[Route]:
    """Build the routes; they keep no state of their own."""

    async def create(_request: Request) -> Response:
        if not authenticator.lets_anonymous_in:
            return PlainTextResponse("this server gives nobody an identity", 403)
        bearer = authenticator.mint_anonymous()
        return JSONResponse({"identity": str(bearer.claims.identity), "token": bearer.token})

    async def websocket_token(_request: Request, bearer: Bearer) -> Response:
        try:
            renewed = authenticator.renew_for_websocket(bearer.claims)
        except TokenError as error:  # it has ended while it was looked at
            return PlainTextResponse(str(error), 401)
        return JSONResponse({"token": renewed.token})

    async def public_key(_request: Request) -> Response:
        return Response(authenticator.public_pem, media_type="application/pem-certificate-chain")

    async def verify(request: Request, bearer: Bearer) -> Response:
        try:
            identity = Identity.from_hex(request.path_params["identity"])
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        matches = identity == bearer.claims.identity
        return Response(status_code=204) if matches else Response(status_code=400)

    async def owned(request: Request) -> Response:
        try:
            identity = Identity.from_hex(request.path_params["identity"])
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        identities = [str(database.identity) for database in databases.owned_by(identity)]
        return JSONResponse({"identities": identities})

    return [
        Route("/v1/identity", create, methods=["POST"]),
        Route(
            "/v1/identity/websocket-token",
            authenticated(authenticator, websocket_token, anonymous=False),
            methods=["POST"],
        ),
        Route("/v1/identity/public-key", public_key, methods=["GET"]),
        Route(
            "/v1/identity/{identity}/verify",
            authenticated(authenticator, verify, anonymous=False),
            methods=["GET"],
        ),
        Route("/v1/identity/{identity}/databases", owned, methods=["GET"]),
    ]
