"""OIDC discovery: an issuer's public keys over HTTP, with bounds on time, size and whereto.

Addresses are https; http on loopback only, and there only for an issuer that is on loopback itself.
Redirects are not followed: an issuer answers at its own address, anything else could lead anywhere.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import InvalidKeyError, PyJWK, PyJWKSet
from jwt.exceptions import PyJWKSetError

from server.errors import IssuerError
from server.limits import JWKS_BYTES_MAX, JWKS_SECONDS_MAX, RSA_BITS_MIN

if TYPE_CHECKING:
    import httpx2

__all__ = ["fetch_keys", "is_fetchable"]

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_fetchable(url: str) -> bool:
    """Whether we would ask there: https, or http on loopback."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return (parts.scheme == "https" and bool(parts.hostname)) or _is_local(url)


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


async def fetch_keys(issuer: str) -> list[PyJWK]:
    """Ask an issuer for the keys that it signs with.

    Raises:
        IssuerError: it does not answer in time, or not as an issuer does.
    """
    # Few servers have issuers to ask, and none before its first foreign token.
    import httpx2  # noqa: PLC0415 - a tenth of a start

    is_local = _is_local(issuer)
    context = False if is_local else await asyncio.to_thread(ssl.create_default_context)
    client = httpx2.AsyncClient(
        verify=context,
        trust_env=not is_local,
        follow_redirects=False,
        headers={"accept": "application/json", "accept-encoding": "identity"},
    )
    try:
        async with asyncio.timeout(JWKS_SECONDS_MAX), client:
            document = await _fetch(
                client, issuer.rstrip("/") + "/.well-known/openid-configuration"
            )
            address = _keys_address(issuer, document)
            keys = await _fetch(client, address)
    except TimeoutError:
        raise IssuerError(issuer, f"takes longer than {JWKS_SECONDS_MAX:.0f} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RecursionError) as error:
        raise IssuerError(issuer, str(error) or type(error).__name__) from None
    return await asyncio.to_thread(_read_keys, issuer, keys)


async def _fetch(client: httpx2.AsyncClient, url: str) -> dict[str, object]:
    """Get a JSON object; raises ValueError for any other answer."""
    async with client.stream("GET", url) as answer:
        if answer.status_code != HTTPStatus.OK:
            raise ValueError(f"{url} answers {answer.status_code}")
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > JWKS_BYTES_MAX:
                raise ValueError(f"{url} answers with more than {JWKS_BYTES_MAX} bytes")
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError(f"{url} does not answer with an object")  # noqa: TRY004 - bad data
    return value


def _keys_address(issuer: str, document: dict[str, object]) -> str:
    if document.get("issuer") != issuer:
        raise ValueError("the discovery document is of another issuer")
    address = document.get("jwks_uri")
    if not isinstance(address, str):
        raise ValueError("the discovery document names no keys")  # noqa: TRY004 - bad data
    if not is_fetchable(address) or (_is_local(address) and not _is_local(issuer)):
        raise ValueError(f"{address} is not https")
    return address


def _read_keys(issuer: str, document: dict[str, object]) -> list[PyJWK]:
    try:
        found = PyJWKSet.from_dict(document).keys
    except (PyJWKSetError, InvalidKeyError, ValueError, TypeError, AttributeError) as error:
        raise IssuerError(issuer, f"its keys cannot be read: {error}") from None
    return [key for key in found if key.public_key_use in (None, "sig") and _is_strong(key)]


def _is_strong(key: PyJWK) -> bool:
    return not isinstance(key.key, RSAPublicKey) or key.key.key_size >= RSA_BITS_MIN
