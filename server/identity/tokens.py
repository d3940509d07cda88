"""Tokens: minting with a local key, verifying with any of them or with an issuer's.

Source: wire spec 1.3, domain 1.8.
"""

from __future__ import annotations

import contextlib
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
from server.identity.payload import claims_from_payload
from server.identity.policy import TokenPolicy
from server.identity.role_rules import RoleRule
from server.identity.signing_keys import SigningKeys
from server.limits import TOKEN_BYTES_MAX

__all__ = ["AUDIENCE", "LOCAL_ISSUER", "Authenticator", "Bearer", "bearer_token"]

LOCAL_ISSUER = "localhost"
"""``iss`` of the tokens that this server mints."""

AUDIENCE = "spacetimedb"
"""``aud`` of minted tokens, which are accepted whatever audiences the policy names."""

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
    """Mints and verifies tokens. Used on the loop's thread.

    Args:
        keys: the local keys.
        issuers: issuers whose tokens are accepted, and their keys.
        clock: microseconds since the Unix epoch.
        is_banned: whom operators do not let in.
        policy: what is asked of tokens; roles of the trusted among the issuers count by default.
    """

    def __init__(
        self,
        keys: SigningKeys,
        issuers: TrustedIssuers,
        clock: Callable[[], int],
        is_banned: Callable[[Identity], bool] = lambda _: False,
        policy: TokenPolicy | None = None,
    ) -> None:
        self._keys = keys
        self._issuers = issuers
        self._clock = clock
        self._is_banned = is_banned
        self._policy = policy or TokenPolicy()

    @property
    def public_pem(self) -> bytes:
        """The public half of the key that signs now."""
        return self._keys.newest.public_pem

    @property
    def lets_anonymous_in(self) -> bool:
        """Whether whoever has no token gets a new identity."""
        return self._policy.lets_anonymous_in

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

        Raises:
            TokenExpiredError: the token that asked has ended meanwhile.
        """
        payload = json.loads(claims.raw_claims_json)
        seconds = self._policy.websocket_seconds
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
            TokenError: the token is not accepted, or there is none and one is asked for.
        """
        token = bearer_token(header) or parameter
        if not token:
            if not self.lets_anonymous_in:
                raise TokenError("a token is required")
            return self.mint_anonymous()
        claims = await self.verify(token)
        if self._is_banned(claims.identity):
            raise BannedError("you are banned from this server")
        return Bearer(claims, token)

    async def verify(self, token: str) -> Claims:
        """Check a token's signature and claims.

        The local keys are tried first, whatever the token's issuer says; only then an accepted
        issuer is asked for its keys.

        Raises:
            TokenError: the token is not accepted; the text says why.
        """
        if len(token) > TOKEN_BYTES_MAX:
            raise TokenError("token is too long")
        header, unverified = _read_unverified(token)
        payload = self._decode_local(token, header.get("kid"))
        is_foreign = payload is None
        if payload is None:
            payload = await self._decode_foreign(token, header, unverified.get("iss"))
        return self._claims(payload, is_foreign=is_foreign)

    def _claims(self, payload: Mapping[str, object], *, is_foreign: bool) -> Claims:
        issuer, policy = payload.get("iss"), self._policy
        return claims_from_payload(
            payload,
            now=self._clock(),
            role_rule=self._role_rule(issuer),
            is_foreign=is_foreign,
            audiences=frozenset() if issuer == LOCAL_ISSUER else policy.audiences,
            skew_seconds=policy.skew_seconds,
        )

    def _role_rule(self, issuer: object) -> RoleRule | None:
        if issuer == LOCAL_ISSUER:
            return RoleRule()
        if not isinstance(issuer, str) or not self._issuers.is_trusted(issuer):
            return None
        return self._policy.role_rules.get(issuer, RoleRule())

    def _sign(self, payload: dict[str, object], seconds: int | None) -> Bearer:
        now = self._clock()
        issuer, subject = str(payload["iss"]), str(payload["sub"])
        payload |= {
            "hex_identity": str(identity_from_claims(issuer, subject)),
            "iat": now // 1_000_000,
            "exp": None if seconds is None else now // 1_000_000 + seconds,
        }
        claims = self._claims(payload, is_foreign=False)
        key = self._keys.newest
        headers = {"kid": key.key_id}
        return Bearer(claims, jwt.encode(payload, key.private, _ALGORITHM, headers))

    def _decode_local(self, token: str, key_id: object) -> dict[str, object] | None:
        """The payload, if a local key signed it: the one that is named, else any of them."""
        keys = self._keys.all()
        for key in [key for key in keys if key.key_id == key_id] or keys:
            with contextlib.suppress(jwt.InvalidTokenError, RecursionError):
                payload: dict[str, object] = jwt.decode(
                    token, key.private.public_key(), algorithms=[_ALGORITHM], options=_UNCHECKED
                )
                return payload
        return None

    async def _decode_foreign(
        self, token: str, header: Mapping[str, object], issuer: object
    ) -> dict[str, object]:
        """Verify with the keys of the issuer that the token names, if we accept that issuer."""
        if not isinstance(issuer, str) or not self._issuers.is_accepted(issuer):
            raise TokenError("signature is not valid")
        key = await self._issuers.key(issuer, header.get("kid"), str(header.get("alg")))
        try:
            payload: dict[str, object] = jwt.decode(
                token, key, algorithms=[key.algorithm_name], options=_UNCHECKED
            )
        except jwt.InvalidTokenError:
            raise TokenError("signature is not valid") from None
        return payload


def _read_unverified(token: str) -> tuple[dict[str, object], dict[str, object]]:
    try:
        header: dict[str, object] = jwt.get_unverified_header(token)
        payload: dict[str, object] = jwt.decode(
            token, options={**_UNCHECKED, "verify_signature": False}
        )
    except (jwt.InvalidTokenError, RecursionError):
        raise TokenError("token is malformed") from None
    return header, payload
