from __future__ import annotations

import base64
import json
import uuid

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.identity import identity_from_claims
from server.errors import CredentialsError, TokenError
from server.identity.issuers import TrustedIssuers
from server.identity.payload import claims_from_payload
from server.identity.role_rules import DEFAULT_ROLES, RoleRule
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator, bearer_token

NOW = 1_800_000_000_000_000
SECONDS = NOW // 1_000_000
GOOD = {"iss": "localhost", "sub": "test-subject", "iat": SECONDS}


def signed(key, **changes) -> str:
    payload = {name: value for name, value in (GOOD | changes).items() if value != "absent"}
    return jwt.encode(payload, key.newest.private, algorithm="ES256")


def raw_token(header: object, payload: object, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


async def test_an_anonymous_token_has_the_members_that_the_wire_wants(authenticator, signing_key):
    bearer = authenticator.mint_anonymous()
    payload = jwt.decode(
        bearer.token,
        signing_key.newest.private.public_key(),
        algorithms=["ES256"],
        audience="spacetimedb",
        options={"verify_iat": False, "verify_exp": False},
    )
    assert payload == {
        "iss": "localhost",
        "sub": payload["sub"],
        "aud": ["spacetimedb"],
        "hex_identity": str(identity_from_claims("localhost", payload["sub"])),
        "iat": SECONDS,
        "exp": None,
    }
    assert uuid.UUID(payload["sub"]).version == 4
    claims = await authenticator.verify(bearer.token)
    assert claims == bearer.claims
    assert claims.roles == DEFAULT_ROLES
    assert claims.expires_at is None


async def test_every_anonymous_caller_is_somebody_else(authenticator):
    one, other = authenticator.mint_anonymous(), authenticator.mint_anonymous()
    assert one.claims.identity != other.claims.identity


async def test_claims_of_a_full_token(authenticator, signing_key):
    token = signed(
        signing_key,
        aud="one",
        exp=SECONDS + 5,
        roles=["service", "wizard", 7],
        name="  Ada\u0000 Lovelace ",
        locale="en-GB",
        hex_identity="c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38",
    )
    claims = await authenticator.verify(token)
    assert claims.audience == ("one",)
    assert claims.roles == {"service"}
    assert (claims.display_name, claims.locale) == ("Ada Lovelace", "en-GB")
    assert claims.issued_at == NOW
    assert claims.expires_at == NOW + 5_000_000
    assert json.loads(claims.raw_claims_json)["sub"] == "test-subject"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exp": SECONDS}, "expired"),
        ({"exp": "soon"}, "exp is not a time"),
        ({"exp": float("inf")}, "exp is not a time"),
        ({"iat": "absent"}, "iat is missing"),
        ({"iat": SECONDS + 3_600}, "not valid yet"),
        ({"nbf": SECONDS + 3_600}, "not valid yet"),
        ({"iss": "absent"}, "iss is missing"),
        ({"sub": ""}, "sub has 1 to 128 bytes"),
        ({"sub": "é" * 65}, "sub has 1 to 128 bytes"),
        ({"aud": [1]}, "aud is not"),
        ({"hex_identity": "00" * 32}, "hex_identity"),
        ({"hex_identity": 7}, "hex_identity"),
        ({"filler": "x" * 4_096}, "claims have more than"),
    ],
)
async def test_a_well_signed_token_is_refused_for_its_claims(
    authenticator, signing_key, changes, message
):
    with pytest.raises(TokenError, match=message):
        await authenticator.verify(signed(signing_key, **changes))


async def test_tokens_that_the_local_key_did_not_sign_are_refused(authenticator, tmp_path):
    stranger = SigningKeys.load(tmp_path / "other")
    body = signed(stranger).split(".")[1]
    own = authenticator.mint_anonymous().token.split(".")
    for token in (
        signed(stranger),
        signed(stranger, iss="https://issuer.example"),
        raw_token({"alg": "none"}, GOOD),
        raw_token({"alg": "None", "typ": "JWT"}, GOOD),
        jwt.encode(GOOD, stranger.newest.public_pem.hex(), algorithm="HS256"),
        f"{own[0]}.{body}.{own[2]}",
        f"{own[0]}.{own[1]}.",
        raw_token({"alg": "ES256", "crit": ["x"]}, GOOD, b"x" * 64),
    ):
        with pytest.raises(TokenError, match=r"signature is not valid|malformed"):
            await authenticator.verify(token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "....", "é.é.é", "[" * 7_000, "x" * 8_001])
async def test_what_is_no_token_is_refused(authenticator, token):
    with pytest.raises(TokenError):
        await authenticator.verify(token)


async def test_deeply_nested_headers_are_refused(authenticator):
    nested = base64.urlsafe_b64encode(b"[" * 5_000).decode().rstrip("=")
    with pytest.raises(TokenError, match="malformed"):
        await authenticator.verify(f"{nested}.e30.e30")


async def test_a_websocket_token_keeps_the_claims_and_lives_a_minute(authenticator, signing_key):
    asked = await authenticator.verify(signed(signing_key, colour="blue", roles=["moderator"]))
    renewed = authenticator.renew_for_websocket(asked)
    claims = await authenticator.verify(renewed.token)
    assert claims.identity == asked.identity
    assert claims.roles == {"moderator"}
    assert claims.expires_at == NOW + 60_000_000
    assert json.loads(claims.raw_claims_json)["colour"] == "blue"


async def test_a_websocket_token_does_not_outlive_the_token_that_asked(authenticator, signing_key):
    asked = await authenticator.verify(signed(signing_key, exp=SECONDS + 20))
    assert authenticator.renew_for_websocket(asked).claims.expires_at == NOW + 20_000_000


async def test_roles_of_an_untrusted_issuer_do_not_count(authenticator, signing_key):
    claims = await authenticator.verify(
        signed(signing_key, iss="https://issuer.example", roles=["admin"])
    )
    assert claims.roles == DEFAULT_ROLES


async def test_a_new_identity_comes_only_without_a_token(authenticator):
    bearer = authenticator.mint_anonymous()
    assert await authenticator.authenticate(f"Bearer {bearer.token}", "garbage") == bearer
    assert await authenticator.authenticate(None, bearer.token) == bearer
    assert (await authenticator.authenticate(None, "")).claims.identity != bearer.claims.identity
    with pytest.raises(TokenError):
        await authenticator.authenticate(None, "garbage")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b"])
def test_malformed_headers(header):
    with pytest.raises(CredentialsError):
        bearer_token(header)


def test_the_scheme_is_case_insensitive():
    assert bearer_token("bearer abc") == "abc"


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)
names = ("iss", "sub", "aud", "iat", "exp", "nbf", "roles", "name", "locale", "hex_identity")


@given(
    st.dictionaries(st.sampled_from(names), json_values),
    st.booleans(),
    st.booleans(),
)
def test_any_payload_gives_claims_or_a_token_error(changes, trusted, is_foreign):
    rule = RoleRule() if trusted else None
    try:
        claims = claims_from_payload(GOOD | changes, now=NOW, role_rule=rule, is_foreign=is_foreign)
    except TokenError:
        return
    assert claims.identity == identity_from_claims(claims.issuer, claims.subject)
    assert claims.roles


def test_issuers_without_keys_are_asked_for_nothing():
    issuers = TrustedIssuers(("https://issuer.example",), lambda: 0.0)
    assert issuers.is_trusted("https://issuer.example")
    assert not issuers.is_trusted("localhost")
    assert not issuers.is_trusted(["https://issuer.example"])
    assert isinstance(issuers, TrustedIssuers)


async def test_minting_refuses_what_would_not_come_back(authenticator):
    assert isinstance(authenticator, Authenticator)
    with pytest.raises(TokenError):
        authenticator.mint("x" * 129)
