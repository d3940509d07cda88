"""Trusted issuers: their signing keys, fetched off the loop and kept for a while.

Keys come from the issuer's OIDC discovery document. Only issuers from the settings are ever asked,
so a token cannot make the server call addresses of its bearer's choice. Source: domain 1.8.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from jwt import InvalidKeyError, PyJWK, PyJWKSet
from jwt.exceptions import PyJWKSetError

from server.errors import SettingsError, TokenError
from server.limits import (
    JWKS_BYTES_MAX,
    JWKS_REFRESH_SECONDS_MIN,
    JWKS_SECONDS_MAX,
    JWKS_TTL_SECONDS,
)

__all__ = ["ALGORITHMS", "TrustedIssuers"]

ALGORITHMS = frozenset(
    {"ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}
)
"""Signatures accepted from issuers: public-key ones only, never ``none`` and never a shared key."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _RefuseRedirect(HTTPRedirectHandler):
    """An issuer answers at its own address; anything else could lead anywhere."""

    def redirect_request(self, *_args: object) -> Request | None:
        return None


def _is_allowed(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _fetch_json(url: str) -> dict[str, object]:
    """Get a JSON object; runs in a thread. Raises OSError or ValueError."""
    if not _is_allowed(url):
        raise ValueError(f"{url} is not https")
    opener = build_opener(_RefuseRedirect())
    with opener.open(url, timeout=JWKS_SECONDS_MAX) as response:
        body = response.read(JWKS_BYTES_MAX + 1)
    if len(body) > JWKS_BYTES_MAX:
        raise ValueError(f"{url} answers with more than {JWKS_BYTES_MAX} bytes")
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError(f"{url} does not answer with an object")  # noqa: TRY004 - bad data
    return value


def _fetch_keys(issuer: str) -> PyJWKSet:
    """Ask an issuer for its keys; runs in a thread. Raises OSError or ValueError."""
    document = _fetch_json(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ValueError("the discovery document is of another issuer")
    address = document.get("jwks_uri")
    if not isinstance(address, str):
        raise ValueError("the discovery document names no keys")  # noqa: TRY004 - bad data
    try:
        return PyJWKSet.from_dict(_fetch_json(address))
    except (PyJWKSetError, InvalidKeyError) as error:
        raise ValueError(str(error)) from None


class _Issuer:
    """Keys of one issuer; one request at a time, whoever waits shares its answer."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._keys: list[PyJWK] = []
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    def _find(self, key_id: object, algorithm: str) -> PyJWK | None:
        fits = [
            key
            for key in self._keys
            if key.algorithm_name == algorithm and key.public_key_use in (None, "sig")
        ]
        if key_id is None:
            return fits[0] if len(fits) == 1 else None
        return next((key for key in fits if key.key_id == key_id), None)

    async def key(self, key_id: object, algorithm: str) -> PyJWK:
        """Find a key, fetching when none is known or the known ones are old."""
        async with self._lock:
            age = self._clock() - self._fetched_at
            found = self._find(key_id, algorithm)
            if age > (JWKS_TTL_SECONDS if found else JWKS_REFRESH_SECONDS_MIN):
                self._fetched_at = self._clock()
                try:
                    self._keys = (await asyncio.to_thread(_fetch_keys, self._name)).keys
                except (OSError, URLError, ValueError) as error:
                    if found is None:
                        raise TokenError(
                            "the token's issuer cannot be asked for its keys"
                        ) from error
                else:
                    found = self._find(key_id, algorithm)
        if found is None:
            raise TokenError("the token's issuer does not have the key that it names")
        return found


class TrustedIssuers:
    """The issuers of the settings and their keys.

    Args:
        issuers: their ``iss`` values, which are https addresses (http on loopback for tests).
        clock: seconds that never go back.

    Raises:
        SettingsError: an issuer is not such an address.
    """

    def __init__(self, issuers: Iterable[str], clock: Callable[[], float]) -> None:
        self._issuers = {name: _Issuer(name, clock) for name in issuers}
        for name in self._issuers:
            if not _is_allowed(name):
                raise SettingsError(f"trusted_issuers: {name} is not an https address")

    def is_trusted(self, issuer: object) -> bool:
        """Whether tokens and roles of this ``iss`` are accepted."""
        return isinstance(issuer, str) and issuer in self._issuers

    async def key(self, issuer: str, key_id: object, algorithm: str) -> PyJWK:
        """Find the key that a token of a trusted issuer names.

        Raises:
            TokenError: the algorithm is not accepted, the key is unknown, or the issuer does not
                answer; failures are remembered for a while so that bad tokens cost little.
        """
        if algorithm not in ALGORITHMS:
            raise TokenError(f"algorithm {algorithm[:16]} is not accepted")
        return await self._issuers[issuer].key(key_id, algorithm)
