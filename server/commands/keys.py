"""Commands ``keys list``, ``rotate`` and ``retire``: what signs the tokens of a data folder.

They work beside a running server, which looks at the folder before each use of a key.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import jwt

from server.admin.tokens import ADMIN_TOKEN_FILE, mint_owner_token
from server.identity.issuers import TrustedIssuers
from server.identity.secret_files import create
from server.identity.signing_keys import SigningKey, SigningKeys
from server.identity.tokens import Authenticator

__all__ = ["list_keys", "retire_key", "rotate_keys"]


def list_keys(data_dir: Path, *, as_json: bool) -> None:
    """Print the keys of a data folder, newest first.

    Raises:
        KeyFileError: a key is damaged or not ours alone.
    """
    first, *others = SigningKeys.load(data_dir).all()
    rows = [_facts(first, "signs"), *(_facts(key, "verifies") for key in others)]
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return
    for row in rows:
        sys.stdout.write("  ".join(row.values()) + "\n")


def rotate_keys(data_dir: Path, *, as_json: bool) -> None:
    """Make a new key, which signs from now on; print it.

    Raises:
        KeyFileError: a key is damaged or not ours alone.
        StartError: there are as many keys as may be.
    """
    keys = SigningKeys.load(data_dir)
    facts = _facts(keys.rotate(), "signs")
    sys.stdout.write((json.dumps(facts) if as_json else "  ".join(facts.values())) + "\n")


def retire_key(data_dir: Path, key_id: str) -> None:
    """Delete a key; the operators' token of the folder is replaced if that key signed it.

    Raises:
        KeyFileError: a key is damaged or not ours alone.
        StartError: there is no such key, or it is the one that signs.
    """
    keys = SigningKeys.load(data_dir)
    retired = keys.retire(key_id)
    path = data_dir / ADMIN_TOKEN_FILE
    if path.exists() and _is_signed_by(retired, path.read_text(errors="replace").strip()):
        issuers = TrustedIssuers((), time.monotonic)
        authenticator = Authenticator(keys, issuers, clock=lambda: time.time_ns() // 1_000)
        path.unlink()
        create(path, mint_owner_token(authenticator).encode())
        sys.stdout.write(f"{path} is a new token\n")
    sys.stdout.write(f"{key_id} is retired\n")


def _is_signed_by(key: SigningKey, token: str) -> bool:
    try:
        jwt.decode(
            token,
            key.private.public_key(),
            algorithms=["ES256"],
            options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return False
    return True


def _facts(key: SigningKey, use: str) -> dict[str, str]:
    made_at = datetime.fromtimestamp(key.made_at, UTC).isoformat().replace("+00:00", "Z")
    return {"kid": key.key_id, "made_at": made_at, "use": use}
