"""Rules of a token's payload: from verified JSON to ``Claims``, with time as a parameter.

Signatures are checked elsewhere; what arrives here was signed by a key that we accept. Source:
wire spec 1.3, domain 1.8.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping

from actors.claims import Claims
from protocol.identity import identity_from_claims
from server.errors import TokenError, TokenExpiredError
from server.identity.role_rules import DEFAULT_ROLES, RoleRule
from server.limits import (
    CLAIM_TEXT_BYTES_MAX,
    CLAIMS_JSON_BYTES_MAX,
    CLOCK_SKEW_SECONDS_DEFAULT,
    DISPLAY_NAME_CHARS_MAX,
)

__all__ = ["claims_from_payload"]

_MICROS = 1_000_000
_SECONDS_MAX = 2**42
"""Seconds that are still a Timestamp in microseconds; larger ones are nonsense, not dates."""


def _subject_text(payload: Mapping[str, object], name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str):
        raise TokenError(f"{name} is missing")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise TokenError(f"{name} is not text") from None
    if not 0 < size <= CLAIM_TEXT_BYTES_MAX:
        raise TokenError(f"{name} has 1 to {CLAIM_TEXT_BYTES_MAX} bytes")
    return value


def _seconds(payload: Mapping[str, object], name: str) -> int | None:
    """Read a NumericDate rounded down to seconds; None when absent or null."""
    value = payload.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"{name} is not a time")
    if not 0 <= value < _SECONDS_MAX:
        raise TokenError(f"{name} is not a time")
    return int(value)


def _audience(payload: Mapping[str, object]) -> tuple[str, ...]:
    value = payload.get("aud")
    if value is None:
        return ()
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list):
        raise TokenError("aud is not a text or a list of texts")
    audience = tuple(entry for entry in entries if isinstance(entry, str))
    if len(audience) != len(entries):
        raise TokenError("aud is not a text or a list of texts")
    return audience


def _display_name(payload: Mapping[str, object]) -> str | None:
    for name in ("display_name", "name", "preferred_username"):
        value = payload.get(name)
        if isinstance(value, str):
            text = unicodedata.normalize("NFC", value)
            text = "".join(char for char in text if unicodedata.category(char)[0] != "C").strip()
            if text:
                return text[:DISPLAY_NAME_CHARS_MAX].rstrip()
    return None


def _end(payload: Mapping[str, object], now: int, skew: int, *, is_foreign: bool) -> int | None:
    """Seconds at which the token ends for us; None for one of ours without an end."""
    expires_at = _seconds(payload, "exp")
    if expires_at is None:
        if is_foreign:
            raise TokenError("exp is missing")
        return None
    end = expires_at + skew if is_foreign else expires_at
    if end <= now:
        raise TokenExpiredError("token has expired")
    return end


def claims_from_payload(
    payload: Mapping[str, object],
    *,
    now: int,
    role_rule: RoleRule | None,
    is_foreign: bool,
    audiences: frozenset[str] = frozenset(),
    skew_seconds: int = CLOCK_SKEW_SECONDS_DEFAULT,
) -> Claims:
    """Check a token's payload and say who its bearer is.

    The claims' ``expires_at`` is when we cease to accept the token: its ``exp``, and the allowed
    skew later where an issuer's clock set it.

    Args:
        payload: the JSON object of a token whose signature holds.
        now: microseconds since the Unix epoch.
        role_rule: how roles are read; None when those of this issuer do not count.
        is_foreign: whether an issuer signed it and not this server; such a token must expire.
        audiences: of which it must name one; empty when any will do.
        skew_seconds: how far ``iat`` and ``nbf`` may lie in our future, and an issuer's ``exp`` in
            our past.

    Raises:
        TokenError: a member is missing, malformed or out of bounds, the token is not valid at
            ``now``, is for others, or it names another identity than its own.
    """
    issuer = _subject_text(payload, "iss")
    subject = _subject_text(payload, "sub")
    issued_at = _seconds(payload, "iat")
    if issued_at is None:
        raise TokenError("iat is missing")
    seconds = now // _MICROS
    not_before = _seconds(payload, "nbf") or 0
    if max(issued_at, not_before) > seconds + skew_seconds:
        raise TokenError("token is not valid yet")
    expires_at = _end(payload, seconds, skew_seconds, is_foreign=is_foreign)
    audience = _audience(payload)
    if audiences and audiences.isdisjoint(audience):
        raise TokenError("token is for another audience")
    identity = identity_from_claims(issuer, subject)
    claimed = payload.get("hex_identity")
    if claimed is not None and claimed != str(identity):
        raise TokenError("hex_identity is not the identity of iss and sub")
    try:
        raw = json.dumps(
            payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
        )
        raw_size = len(raw.encode())
    except (ValueError, RecursionError):
        raise TokenError("claims are not plain JSON") from None
    if raw_size > CLAIMS_JSON_BYTES_MAX:
        raise TokenError(f"claims have more than {CLAIMS_JSON_BYTES_MAX} bytes")
    locale = payload.get("locale")
    return Claims(
        issuer=issuer,
        subject=subject,
        audience=audience,
        identity=identity,
        roles=DEFAULT_ROLES if role_rule is None else role_rule.roles(payload),
        display_name=_display_name(payload),
        locale=locale if isinstance(locale, str) and 0 < len(locale) <= 35 else None,  # BCP 47
        issued_at=issued_at * _MICROS,
        expires_at=None if expires_at is None else expires_at * _MICROS,
        raw_claims_json=raw,
    )
