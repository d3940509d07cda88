"""Admin tokens: who is an operator, by a claim of tokens that this server or an issuer signed."""

from __future__ import annotations

import json
from pathlib import Path

from server.admin.context import Operator
from server.admin.roles import Role
from server.errors import KeyFileError, TokenError
from server.identity.issuers import TrustedIssuers
from server.identity.keys import read_or_create
from server.identity.tokens import LOCAL_ISSUER, Authenticator

__all__ = ["ADMIN_ROLE_CLAIM", "ADMIN_TOKEN_FILE", "AdminTokens", "mint_admin_token"]

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


class AdminTokens:
    """Says which operator a token is of.

    Only the data folder's own token may be without an end: it is revoked by deleting its file and
    starting the server again.
    """

    def __init__(self, authenticator: Authenticator, issuers: TrustedIssuers, owner: str) -> None:
        self._authenticator = authenticator
        self._issuers = issuers
        self._owner = owner

    @classmethod
    async def load(
        cls, data_dir: Path, authenticator: Authenticator, issuers: TrustedIssuers
    ) -> AdminTokens:
        """Read the token of a data folder, making it on first use.

        Raises:
            KeyFileError: the file holds no token of this folder's key.
        """
        path = data_dir / ADMIN_TOKEN_FILE
        fresh = authenticator.mint(_OWNER, extra={ADMIN_ROLE_CLAIM: Role.DANGER.claim}).token
        token = read_or_create(path, fresh.encode()).decode(errors="replace").strip()
        tokens = cls(authenticator, issuers, token)
        try:
            await tokens.operator(token)
        except TokenError as error:
            raise KeyFileError(path, f"{error}; delete it to get a new one") from None
        return tokens

    async def operator(self, token: str) -> Operator | None:
        """The operator whose token this is; None when its bearer is none.

        Raises:
            TokenError: the token is not accepted.
        """
        claims = await self._authenticator.verify(token)
        if claims.expires_at is None and token != self._owner:
            raise TokenError("an operator's token has an end")
        is_trusted = claims.issuer == LOCAL_ISSUER or self._issuers.is_trusted(claims.issuer)
        role = Role.of_claim(json.loads(claims.raw_claims_json).get(ADMIN_ROLE_CLAIM))
        if role is None or not is_trusted:
            return None
        return Operator(claims.subject, claims.issuer, role, claims.identity, claims.expires_at)
