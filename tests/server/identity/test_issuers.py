from __future__ import annotations

import asyncio
import http.server
import json
import threading
import warnings
from collections.abc import Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from actors.claims import Claims
from server.errors import SettingsError, TokenError
from server.identity.issuers import TrustedIssuers
from server.identity.policy import TokenPolicy
from server.identity.role_rules import DEFAULT_ROLES, RoleRule
from server.identity.tokens import Authenticator
from server.limits import JWKS_STALE_SECONDS_MAX, JWKS_TTL_SECONDS

NOW = 1_800_000_000_000_000
SECONDS = NOW // 1_000_000
SKEW = 60


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
                self.send_response(503 if issuer.is_silent else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.jwks_uri = f"{self.name}/keys"
        self.keys: object = None
        self.is_silent = False

    def answer(self, path: str) -> object:
        if path.endswith("openid-configuration"):
            return {"issuer": self.name, "jwks_uri": self.jwks_uri}
        if self.keys is not None:
            return self.keys
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


def trusting(
    signing_key, *issuers: str, clock: Clock | None = None, policy: TokenPolicy | None = None
) -> Authenticator:
    trusted = TrustedIssuers(issuers, clock or Clock())
    return Authenticator(signing_key, trusted, clock=lambda: NOW, policy=policy)


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
    ("changes", "message"),
    [({"exp": None}, "exp is missing"), ({"exp": SECONDS - SKEW}, "expired")],
)
async def test_an_issuers_token_must_expire(issuer, signing_key, changes, message):
    with pytest.raises(TokenError, match=message):
        await trusting(signing_key, issuer.name).verify(issuer.token(**changes))


async def test_issuers_clocks_may_differ_from_ours(issuer, signing_key):
    authenticator = trusting(signing_key, issuer.name)
    late = await authenticator.verify(issuer.token(exp=SECONDS - SKEW + 1))
    assert late.expires_at == NOW + 1_000_000, "as long as we accept the token"
    assert authenticator.renew_for_websocket(late).claims.expires_at == NOW + 1_000_000
    await authenticator.verify(issuer.token(iat=SECONDS + SKEW, nbf=SECONDS + SKEW))
    for name in ("iat", "nbf"):
        with pytest.raises(TokenError, match="not valid yet"):
            await authenticator.verify(issuer.token(**{name: SECONDS + SKEW + 1}))
    strict = trusting(signing_key, issuer.name, policy=TokenPolicy(skew_seconds=0))
    with pytest.raises(TokenError, match="expired"):
        await strict.verify(issuer.token(exp=SECONDS))


async def test_an_issuers_token_is_for_an_audience_of_ours(issuer, signing_key):
    policy = TokenPolicy(audiences=frozenset({"vale"}))
    authenticator = trusting(signing_key, issuer.name, policy=policy)
    for audience in ("vale", ["shop", "vale"]):
        claims = await authenticator.verify(issuer.token(aud=audience))
        await authenticator.verify(authenticator.renew_for_websocket(claims).token)
    for audience in ("shop", [], None):
        with pytest.raises(TokenError, match="another audience"):
            await authenticator.verify(issuer.token(aud=audience))
    await authenticator.verify(authenticator.mint_anonymous().token)


async def test_roles_count_by_the_rule_of_the_issuer_that_is_trusted(issuer, signing_key):
    rules = {issuer.name: RoleRule("groups", {"gm": "moderator"})}
    policy = TokenPolicy(role_rules=rules)
    token = issuer.token(groups=["gm", "admin"], roles=["admin"])
    authenticator = trusting(signing_key, issuer.name, policy=policy)
    claims = await authenticator.verify(token)
    assert claims.roles == {"moderator"}
    renewed = authenticator.renew_for_websocket(claims)
    assert (await authenticator.verify(renewed.token)).roles == {"moderator"}
    accepting = TrustedIssuers((), Clock(), accepted=(issuer.name,))
    known = Authenticator(signing_key, accepting, clock=lambda: NOW, policy=policy)
    assert (await known.verify(token)).roles == DEFAULT_ROLES


async def test_a_storm_of_unknown_keys_asks_once(issuer, signing_key):
    authenticator = trusting(signing_key, issuer.name)
    good, issuer.key_id = issuer.token(), "other"
    storm = [authenticator.verify(issuer.token()) for _ in range(40)]
    issuer.key_id = "first"
    answers = await asyncio.gather(*storm, authenticator.verify(good), return_exceptions=True)
    assert [type(answer) for answer in answers] == [TokenError] * 40 + [Claims]
    assert len(issuer.requests) == 2


async def test_known_keys_are_good_for_a_day_while_their_issuer_is_silent(issuer, signing_key):
    clock = Clock()
    authenticator = trusting(signing_key, issuer.name, clock=clock)
    await authenticator.verify(issuer.token())
    issuer.is_silent = True
    clock.now += JWKS_TTL_SECONDS + 1
    for _ in range(3):
        await authenticator.verify(issuer.token())
    assert len(issuer.requests) == 3, "the silence is remembered for a while"
    clock.now += JWKS_STALE_SECONDS_MAX
    with pytest.raises(TokenError, match="cannot be asked"):
        await authenticator.verify(issuer.token())


async def test_weak_keys_are_left_out(issuer, signing_key):
    issuer.key = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        token = issuer.token()
    with pytest.raises(TokenError, match="does not have the key"):
        await trusting(signing_key, issuer.name).verify(token)


@pytest.mark.parametrize(
    "keys", [{}, {"keys": 7}, {"keys": [7]}, {"keys": []}, {"keys": [{"kty": "RSA"}]}, [], "x"]
)
async def test_an_answer_that_holds_no_keys(issuer, signing_key, keys):
    issuer.keys = keys
    with pytest.raises(TokenError, match="cannot be asked"):
        await trusting(signing_key, issuer.name).verify(issuer.token())


async def test_keys_elsewhere_must_be_on_https(issuer, signing_key):
    issuer.jwks_uri = "http://keys.example/jwks"
    with pytest.raises(TokenError, match="cannot be asked"):
        await trusting(signing_key, issuer.name).verify(issuer.token())
    assert len(issuer.requests) == 1


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


@pytest.mark.parametrize(
    "name", ["http://issuer.example", "ftp://127.0.0.1", "issuer", "https://", "http://[x"]
)
def test_issuers_are_https_addresses(name):
    with pytest.raises(SettingsError, match="https"):
        TrustedIssuers((name,), Clock())
