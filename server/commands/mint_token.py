"""Command ``token``: a token for a service, an operator or a test, from the folder's own key."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from actors.claims import ROLES
from server.errors import StartError
from server.identity.issuers import TrustedIssuers
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator

__all__ = ["mint_token"]


def mint_token(data_dir: Path, roles: Sequence[str], subject: str, seconds: int) -> str:
    """Mint a token; whoever may read the data folder's key may be anybody.

    Works beside a running server and before the first start.

    Raises:
        StartError: a role that does not exist.
        TokenError: the subject is empty or too long.
    """
    unknown = sorted(set(roles) - ROLES)
    if unknown:
        raise StartError(
            f"no such role: {', '.join(unknown)}; roles are {', '.join(sorted(ROLES))}"
        )
    authenticator = Authenticator(
        SigningKeys.load(data_dir),
        TrustedIssuers((), time.monotonic),
        clock=lambda: time.time_ns() // 1_000,
    )
    return authenticator.mint(subject, roles=roles, seconds=seconds).token
