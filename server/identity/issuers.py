"""Trusted issuers: their signing keys, fetched when they are needed and kept for a while.

Only issuers from the settings are ever asked, so a token cannot make the server call addresses of
its bearer's choice. A storm of tokens with unknown keys makes one request, and the next one not
before ``JWKS_REFRESH_SECONDS_MIN``; a silent issuer's known keys are good for a day. Source: domain
1.8.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog
from jwt import PyJWK

from server.errors import IssuerError, SettingsError, TokenError
from server.identity.discovery import fetch_keys, is_fetchable
from server.limits import JWKS_REFRESH_SECONDS_MIN, JWKS_STALE_SECONDS_MAX, JWKS_TTL_SECONDS

__all__ = ["ALGORITHMS", "TrustedIssuers"]

ALGORITHMS = frozenset(
    {"ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}
)
"""Signatures accepted from issuers: public-key ones only, never ``none`` and never a shared key."""

log = structlog.get_logger(__name__)


class _Issuer:
    """Keys of one issuer; one request at a time, whoever waits shares its answer."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._keys: list[PyJWK] = []
        self._asked_at = self._answered_at = float("-inf")
        self._is_silent = False
        self._request: asyncio.Task[None] | None = None

    async def key(self, key_id: object, algorithm: str) -> PyJWK:
        """Find a key, asking the issuer when it is unknown or what we know is old.

        Nobody waits for an issuer that did not answer the last time, if there is a key to use.
        """
        found = self._find(key_id, algorithm)
        if found is None or self._age() > JWKS_TTL_SECONDS:
            request = self._ask()
            if request is not None and (found is None or not self._is_silent):
                await asyncio.wait((request,))  # it goes on if we are cancelled
                found = self._find(key_id, algorithm)
        if found is not None:
            return found
        if self._is_silent:
            raise TokenError("the token's issuer cannot be asked for its keys")
        raise TokenError("the token's issuer does not have the key that it names")

    def _age(self) -> float:
        return self._clock() - self._answered_at

    def _find(self, key_id: object, algorithm: str) -> PyJWK | None:
        """The key, if it is known and may still be used."""
        if self._age() > JWKS_STALE_SECONDS_MAX:
            return None
        fits = [key for key in self._keys if key.algorithm_name == algorithm]
        if key_id is None:
            return fits[0] if len(fits) == 1 else None
        return next((key for key in fits if key.key_id == key_id), None)

    def _ask(self) -> asyncio.Task[None] | None:
        """The request that is under way, or a new one; None when the last is not long ago."""
        if self._request is None and self._clock() - self._asked_at > JWKS_REFRESH_SECONDS_MIN:
            self._asked_at = self._clock()
            self._request = asyncio.get_running_loop().create_task(self._fetch())
        return self._request

    async def _fetch(self) -> None:
        try:
            self._keys = await fetch_keys(self._name)
        except IssuerError as error:
            self._is_silent = True
            log.warning("an issuer cannot be asked for its keys", error=str(error))
        else:
            self._is_silent = False
            self._answered_at = self._clock()
        finally:
            self._request = None


class TrustedIssuers:
    """The issuers of the settings and their keys.

    Args:
        issuers: ``iss`` values whose roles count: https addresses (http on loopback, for tests).
        clock: seconds that never go back.
        accepted: such values of issuers whose tokens are accepted, but not their roles.

    Raises:
        SettingsError: an issuer is not such an address.
    """

    def __init__(
        self,
        issuers: Iterable[str],
        clock: Callable[[], float],
        accepted: Iterable[str] = (),
    ) -> None:
        self._trusted = frozenset(issuers)
        self._issuers = {name: _Issuer(name, clock) for name in {*self._trusted, *accepted}}
        for name in sorted(self._issuers):
            if not is_fetchable(name):
                raise SettingsError(f"issuers: {name} is not an https address")

    def is_trusted(self, issuer: object) -> bool:
        """Whether tokens and roles of this ``iss`` are accepted."""
        return isinstance(issuer, str) and issuer in self._trusted

    def is_accepted(self, issuer: str) -> bool:
        """Whether tokens of this ``iss`` are accepted, if not its roles."""
        return issuer in self._issuers

    async def key(self, issuer: str, key_id: object, algorithm: str) -> PyJWK:
        """Find the key that a token of an accepted issuer names.

        Raises:
            TokenError: the algorithm is not accepted, the key is unknown, or the issuer does not
                answer; failures are remembered for a while so that bad tokens cost little.
        """
        if algorithm not in ALGORITHMS:
            raise TokenError(f"algorithm {algorithm[:16]} is not accepted")
        return await self._issuers[issuer].key(key_id, algorithm)
