from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from server.errors import SettingsError, TokenError
from server.identity.issuers import TrustedIssuers
from server.identity.tokens import Authenticator

NOW = 1_800_000_000_000_000
SECONDS = NOW // 1_000_000


class Issuer:
    """An OIDC issuer on loopback: discovery document and keys, and a count of who asked."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self.key_id = "first"
        self.requests: list[str] = []
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests.append(self.path)
                body = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str) -> object:
        if path.endswith("openid-configuration"):
            return {"issuer": self.name, "jwks_uri": f"{self.name}/keys"}
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [key | {"kid": self.key_id, "alg": "RS256", "use": "sig"}]}

    def token(self, **changes: object) -> str:
        payload = {"iss": self.name, "sub": "ada", "iat": SECONDS, "exp": SECONDS + 60}
        return jwt.encode(
            payload | changes, self.key, algorithm="RS256", headers={"kid": self.key_id}
        )


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def trusting(signing_key, *issuers: str, clock: Clock | None = None) -> Authenticator:
    return Authenticator(signing_key, TrustedIssuers(issuers, clock or Clock()), clock=lambda: NOW)


async def test_a_trusted_issuers_token_and_roles_are_accepted(issuer, signing_key):
    authenticator = trusting(signing_key, issuer.name)
    claims = await authenticator.verify(issuer.token(roles=["service"]))
    assert (claims.issuer, claims.subject) == (issuer.name, "ada")
    assert claims.roles == {"service"}
    renewed = authenticator.renew_for_websocket(claims)
    assert (await authenticator.verify(renewed.token)).roles == {"service"}


async def test_an_issuer_that_is_not_trusted_is_not_even_asked(issuer, signing_key):
    with pytest.raises(TokenError, match="signature is not valid"):
        await trusting(signing_key).verify(issuer.token())
    assert issuer.requests == []


async def test_keys_are_asked_for_once_until_they_are_old(issuer, signing_key):
    clock = Clock()
    authenticator = trusting(signing_key, issuer.name, clock=clock)
    for _ in range(3):
        await authenticator.verify(issuer.token())
    assert len(issuer.requests) == 2, "the discovery document and the keys"
    clock.now += 301
    await authenticator.verify(issuer.token())
    assert len(issuer.requests) == 4


async def test_a_new_key_is_found_but_unknown_keys_do_not_make_us_ask_each_time(
    issuer, signing_key
):
    clock = Clock()
    authenticator = trusting(signing_key, issuer.name, clock=clock)
    await authenticator.verify(issuer.token())
    issuer.key_id = "second"
    for _ in range(3):
        with pytest.raises(TokenError, match="does not have the key"):
            await authenticator.verify(issuer.token())
    assert len(issuer.requests) == 2
    clock.now += 11
    await authenticator.verify(issuer.token())
    assert len(issuer.requests) == 4


@pytest.mark.parametrize(
    ("changes", "message"), [({"exp": None}, "exp is missing"), ({"exp": SECONDS}, "expired")]
)
async def test_an_issuers_token_must_expire(issuer, signing_key, changes, message):
    with pytest.raises(TokenError, match=message):
        await trusting(signing_key, issuer.name).verify(issuer.token(**changes))


async def test_a_forged_token_of_a_trusted_issuer_is_refused(issuer, signing_key):
    head, _, signature = issuer.token().split(".")
    body = issuer.token(sub="eve").split(".")[1]
    with pytest.raises(TokenError, match="signature is not valid"):
        await trusting(signing_key, issuer.name).verify(f"{head}.{body}.{signature}")
    shared = jwt.encode(
        {"iss": issuer.name, "sub": "eve", "iat": SECONDS}, "k" * 32, algorithm="HS256"
    )
    with pytest.raises(TokenError, match="HS256 is not accepted"):
        await trusting(signing_key, issuer.name).verify(shared)


async def test_an_issuer_that_does_not_answer(signing_key, issuer):
    silent = "http://127.0.0.1:9/realm"
    with pytest.raises(TokenError, match="cannot be asked"):
        await trusting(signing_key, silent).verify(issuer.token(iss=silent))


async def test_a_discovery_document_of_another_issuer_is_not_believed(signing_key, issuer):
    other = issuer.name + "/other"
    with pytest.raises(TokenError, match="cannot be asked"):
        await trusting(signing_key, other).verify(issuer.token(iss=other))


@pytest.mark.parametrize("name", ["http://issuer.example", "ftp://127.0.0.1", "issuer"])
def test_issuers_are_https_addresses(name):
    with pytest.raises(SettingsError, match="https"):
        TrustedIssuers((name,), Clock())
