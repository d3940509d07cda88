"""Admin tokens: who is an operator, by a claim of tokens that this server or an issuer signed."""

from __future__ import annotations

import json
from pathlib import Path

from server.admin.context import Operator
from server.admin.roles import Role
from server.errors import KeyFileError, TokenError
from server.identity.issuers import TrustedIssuers
from server.identity.secret_files import read_or_create, read_secret
from server.identity.tokens import LOCAL_ISSUER, Authenticator

__all__ = [
    "ADMIN_ROLE_CLAIM",
    "ADMIN_TOKEN_FILE",
    "AdminTokens",
    "mint_admin_token",
    "mint_owner_token",
]

ADMIN_TOKEN_FILE = "admin.token"  # noqa: S105 - a file name
"""In the data folder, for its owner alone; made at the first start."""

ADMIN_ROLE_CLAIM = "admin_role"
_OWNER = "owner"
"""Subject of the data folder's own token."""


def mint_admin_token(authenticator: Authenticator, role: Role, name: str, seconds: int) -> str:
    """Make a token for an operator, good for so long.

    Raises:
        TokenError: the name is empty or too long.
    """
    extra = {ADMIN_ROLE_CLAIM: role.claim}
    return authenticator.mint(name, seconds=seconds, extra=extra).token


def mint_owner_token(authenticator: Authenticator) -> str:
    """Make a token for the data folder's own file, without an end."""
    return authenticator.mint(_OWNER, extra={ADMIN_ROLE_CLAIM: Role.DANGER.claim}).token


class AdminTokens:
    """Says which operator a token is of.

    Only the data folder's own token may be without an end: it is the one that stands in its file
    at the moment, so that replacing the file revokes it.

    Args:
        authenticator: verifies tokens.
        issuers: whose claims are believed.
        path: file of the data folder's own token.
    """

    def __init__(self, authenticator: Authenticator, issuers: TrustedIssuers, path: Path) -> None:
        self._authenticator = authenticator
        self._issuers = issuers
        self._path = path

    @classmethod
    async def load(
        cls, data_dir: Path, authenticator: Authenticator, issuers: TrustedIssuers
    ) -> AdminTokens:
        """Read the token of a data folder, making it on first use.

        Raises:
            KeyFileError: the file holds no token of this folder's key.
        """
        path = data_dir / ADMIN_TOKEN_FILE
        content = read_or_create(path, mint_owner_token(authenticator).encode())
        tokens = cls(authenticator, issuers, path)
        try:
            await tokens.operator(_text(content))
        except TokenError as error:
            raise KeyFileError(path, f"{error}; delete it to get a new one") from None
        return tokens

    async def operator(self, token: str) -> Operator | None:
        """The operator whose token this is; None when its bearer is none.

        Raises:
            TokenError: the token is not accepted.
        """
        claims = await self._authenticator.verify(token)
        if claims.expires_at is None and not self._is_owners(token):
            raise TokenError("an operator's token has an end")
        is_trusted = claims.issuer == LOCAL_ISSUER or self._issuers.is_trusted(claims.issuer)
        role = Role.of_claim(json.loads(claims.raw_claims_json).get(ADMIN_ROLE_CLAIM))
        if role is None or not is_trusted:
            return None
        return Operator(claims.subject, claims.issuer, role, claims.identity, claims.expires_at)

    def _is_owners(self, token: str) -> bool:
        try:
            return token == _text(read_secret(self._path))
        except (OSError, KeyFileError):
            return False


def _text(content: bytes) -> str:
    return content.decode(errors="replace").strip()
