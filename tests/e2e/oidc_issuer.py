"""An OIDC issuer in a process of its own: discovery, keys that rotate, and tokens on demand.

Run as a program it prints its address. ``/control/...`` is what tests ask; the rest is what any
issuer has. Everything that is asked of the rest is counted.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

LIFE_SECONDS = 3_600


class Keys:
    """The keys that an issuer signs with; a rotation replaces both."""

    def __init__(self) -> None:
        self.generation = 0
        self.rotate()

    def rotate(self) -> None:
        self.generation += 1
        self.private: dict[str, Any] = {
            "RS256": rsa.generate_private_key(public_exponent=65_537, key_size=2_048),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
        }

    def key_id(self, algorithm: str) -> str:
        return f"{algorithm.lower()}-{self.generation}"

    def document(self) -> dict[str, Any]:
        algorithms = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm}
        keys = []
        for name, private in self.private.items():
            public = json.loads(algorithms[name].to_jwk(private.public_key()))
            keys.append(public | {"kid": self.key_id(name), "alg": name, "use": "sig"})
        return {"keys": keys}


def build(name: str) -> Starlette:
    """The issuer of an address."""
    keys = Keys()
    asked: list[str] = []
    manners = {"mode": "good"}

    async def discovery(request: Request) -> Response:
        asked.append(request.url.path)
        return JSONResponse({"issuer": name, "jwks_uri": f"{name}/jwks"})

    async def jwks(request: Request) -> Response:
        asked.append(request.url.path)
        if manners["mode"] == "redirect":
            return RedirectResponse(f"{name}/elsewhere")
        if manners["mode"] == "huge":
            return JSONResponse(keys.document() | {"filler": "x" * 1_000_000})
        if manners["mode"] == "slow":
            await asyncio.Event().wait()
        return JSONResponse(keys.document())

    async def elsewhere(request: Request) -> Response:
        asked.append(request.url.path)
        return JSONResponse(keys.document())

    async def token(request: Request) -> Response:
        wish = await request.json()
        now = int(time.time())
        payload = {"iss": name, "iat": now, "exp": now + LIFE_SECONDS} | wish["claims"]
        algorithm = wish["algorithm"]
        headers = {"kid": wish.get("kid") or keys.key_id(algorithm)}
        made = jwt.encode(payload, keys.private[algorithm], algorithm, headers)
        return JSONResponse({"token": made})

    async def control(request: Request) -> Response:
        wish = await request.json()
        if wish.get("rotate"):
            keys.rotate()
        manners["mode"] = wish.get("mode", manners["mode"])
        return JSONResponse({"asked": asked})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/jwks", jwks),
            Route("/elsewhere", elsewhere),
            Route("/control/token", token, methods=["POST"]),
            Route("/control", control, methods=["POST"]),
        ]
    )


class OidcIssuer:
    """The issuer as tests see it: a process that is asked over HTTP."""

    def __init__(self, name: str) -> None:
        self.name = name

    def token(self, subject: str, algorithm: str = "RS256", kid: str = "", **claims: object) -> str:
        """A token that the issuer signs now."""
        wish = {"claims": {"sub": subject} | claims, "algorithm": algorithm, "kid": kid}
        return str(self._post("/control/token", wish)["token"])

    def rotate(self) -> None:
        """Replace the keys."""
        self._post("/control", {"rotate": True})

    def behave(self, mode: str) -> None:
        """Answer so from now on: ``good``, ``redirect``, ``huge``, ``slow``."""
        self._post("/control", {"mode": mode})

    @property
    def asked(self) -> list[str]:
        """What servers asked so far."""
        return list(self._post("/control", {})["asked"])

    def _post(self, path: str, wish: object) -> Any:
        with httpx2.Client(trust_env=False) as client:
            return client.post(self.name + path, json=wish).json()


@contextmanager
def issuing() -> Iterator[OidcIssuer]:
    """A running issuer; ended with the block."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__))], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield OidcIssuer(process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    """Listen on a free port until the process is ended."""
    sock = socket.create_server(("127.0.0.1", 0))
    name = f"http://127.0.0.1:{sock.getsockname()[1]}"
    sys.stdout.write(f"{name}\n")
    sys.stdout.flush()
    server = uvicorn.Server(uvicorn.Config(build(name), log_level="error"))
    server.run(sockets=[sock])


if __name__ == "__main__":
    main()
