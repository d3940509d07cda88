"""Tokens: minting with the local key, verifying with it or with the key of a trusted issuer.

Source: wire spec 1.3, domain 1.8.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jwt
from jwt.types import Options

from actors.claims import Claims
from protocol.identity import identity_from_claims
from protocol.values import Identity
from server.errors import BannedError, CredentialsError, TokenError
from server.identity.issuers import TrustedIssuers
from server.identity.keys import SigningKey
from server.identity.payload import claims_from_payload
from server.limits import TOKEN_BYTES_MAX, WEBSOCKET_TOKEN_SECONDS

__all__ = ["AUDIENCE", "LOCAL_ISSUER", "Authenticator", "Bearer", "bearer_token"]

LOCAL_ISSUER = "localhost"
"""``iss`` of the tokens that this server mints."""

AUDIENCE = "spacetimedb"
"""``aud`` of minted tokens; the audience of tokens that come in is not checked."""

_ALGORITHM = "ES256"
_UNCHECKED: Options = {
    # Times and members are checked in one place, against a clock that is a parameter.
    "verify_aud": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_iss": False,
    "verify_jti": False,
    "verify_nbf": False,
    "verify_sub": False,
}


class Bearer(NamedTuple):
    """A caller with the token that proves it."""

    claims: Claims
    token: str


def bearer_token(header: str | None) -> str | None:
    """Take the token out of an ``Authorization`` header; None when there is no header.

    Raises:
        CredentialsError: the header is not ``Bearer`` and one token.
    """
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or " " in token:
        raise CredentialsError("Authorization is not a bearer token")
    return token


class Authenticator:
    """Mints and verifies tokens. Used on the loop's thread; only foreign keys are fetched off it.

    Args:
        key: the local key.
        issuers: issuers whose tokens and roles are accepted.
        clock: microseconds since the Unix epoch.
        is_banned: whom operators do not let in.
    """

    def __init__(
        self,
        key: SigningKey,
        issuers: TrustedIssuers,
        clock: Callable[[], int],
        is_banned: Callable[[Identity], bool] = lambda _: False,
    ) -> None:
        self._key = key
        self._issuers = issuers
        self._clock = clock
        self._is_banned = is_banned
        self.public_pem = key.public_pem

    def mint_anonymous(self) -> Bearer:
        """Make a new identity and its token, which never expires."""
        return self.mint(str(uuid.uuid4()))

    def mint(
        self,
        subject: str,
        *,
        roles: Sequence[str] = (),
        seconds: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> Bearer:
        """Make a token of this server for ``subject``.

        Args:
            subject: 1 to 128 bytes.
            roles: roles to carry; none means the default ones.
            seconds: life of the token, None for one without end.
            extra: further claims.

        Raises:
            TokenError: the claims would not be accepted when they come back.
        """
        payload = dict(extra or {})
        payload |= {"iss": LOCAL_ISSUER, "sub": subject, "aud": [AUDIENCE]}
        if roles:
            payload["roles"] = sorted(roles)
        return self._sign(payload, seconds)

    def renew_for_websocket(self, claims: Claims) -> Bearer:
        """Make the short-lived token that a client puts into a socket's address.

        It carries the issuer, subject and all further claims of the token that asked for it, and
        never outlives that one.
        """
        payload = json.loads(claims.raw_claims_json)
        seconds = WEBSOCKET_TOKEN_SECONDS
        if claims.expires_at is not None:
            seconds = min(seconds, (claims.expires_at - self._clock()) // 1_000_000)
        return self._sign(payload, seconds)

    async def authenticate(self, header: str | None, parameter: str | None = None) -> Bearer:
        """Say who a request is from; without a token, from a new anonymous identity.

        Args:
            header: the ``Authorization`` header, which wins over the parameter.
            parameter: the ``token`` query parameter; an empty one counts as none.

        Raises:
            CredentialsError: the header is malformed.
            BannedError: the token's bearer is not let in.
            TokenError: the token is not accepted.
        """
        token = bearer_token(header) or parameter
        if not token:
            return self.mint_anonymous()
        claims = await self.verify(token)
        if self._is_banned(claims.identity):
            raise BannedError("you are banned from this server")
        return Bearer(claims, token)

    async def verify(self, token: str) -> Claims:
        """Check a token's signature and claims.

        The local key is tried first, whatever the token's issuer says; only then a trusted
        issuer is asked for its keys, in a thread.

        Raises:
            TokenError: the token is not accepted; the text says why.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise TokenError("token is too long")
        try:
            payload = self._decode_local(token)
        except (jwt.InvalidTokenError, RecursionError):
            payload = await self._decode_foreign(token)
            local = False
        else:
            local = True
        issuer = payload.get("iss")
        trusted = self._issuers.is_trusted(issuer) or (local and issuer == LOCAL_ISSUER)
        return claims_from_payload(
            payload, now=self._clock(), trusted=trusted, must_expire=not local
        )

    def _sign(self, payload: dict[str, object], seconds: int | None) -> Bearer:
        now = self._clock()
        issuer, subject = str(payload["iss"]), str(payload["sub"])
        payload |= {
            "hex_identity": str(identity_from_claims(issuer, subject)),
            "iat": now // 1_000_000,
            "exp": None if seconds is None else now // 1_000_000 + seconds,
        }
        trusted = issuer == LOCAL_ISSUER or self._issuers.is_trusted(issuer)
        claims = claims_from_payload(payload, now=now, trusted=trusted, must_expire=False)
        return Bearer(claims, jwt.encode(payload, self._key.private, algorithm=_ALGORITHM))

    def _decode_local(self, token: str) -> dict[str, object]:
        payload: dict[str, object] = jwt.decode(
            token, self._key.private.public_key(), algorithms=[_ALGORITHM], options=_UNCHECKED
        )
        return payload

    async def _decode_foreign(self, token: str) -> dict[str, object]:
        """Verify with the keys of the issuer that the token names, if we trust that issuer."""
        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={**_UNCHECKED, "verify_signature": False})
        except (jwt.InvalidTokenError, RecursionError):
            raise TokenError("token is malformed") from None
        issuer = unverified.get("iss")
        if not isinstance(issuer, str) or not self._issuers.is_trusted(issuer):
            raise TokenError("signature is not valid")
        key = await self._issuers.key(issuer, header.get("kid"), str(header.get("alg")))
        try:
            payload: dict[str, object] = jwt.decode(
                token, key, algorithms=[key.algorithm_name], options=_UNCHECKED
            )
        except jwt.InvalidTokenError:
            raise TokenError("signature is not valid") from None
        return payload
