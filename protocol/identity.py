"""Who a token speaks for: the identity computed from its issuer and subject (wire spec 2)."""

from __future__ import annotations

from blake3 import blake3

from protocol.errors import EncodeError
from protocol.values import Identity

__all__ = ["identity_from_claims"]

_PREFIX = b"\xc2\x00"
_HASH_BYTES = 26
_CHECK_BYTES = 4


def identity_from_claims(iss: str, sub: str) -> Identity:
    """The identity that ``iss`` knows as ``sub``: C2 00, 4 check bytes, 26 hash bytes.

    The lengths that a token's claims may have are checked where tokens are, not here.

    Raises:
        EncodeError: a claim holds a lone surrogate, which has no UTF-8.
    """
    try:
        claims = f"{iss}|{sub}".encode()
    except UnicodeEncodeError:
        raise EncodeError("the claims are no valid Unicode") from None
    digest = blake3(claims).digest(length=_HASH_BYTES)
    check = blake3(_PREFIX + digest).digest(length=_CHECK_BYTES)
    return Identity(int.from_bytes(_PREFIX + check + digest, "big"))
