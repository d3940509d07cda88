"""Secrets of one data folder: the token signing key and the cluster secret.

Both are made on first use, readable by the owner alone, and complete or absent: a file is written
beside its place and linked there, so two processes that begin at once agree on one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from server.errors import KeyFileError

__all__ = [
    "CLUSTER_SECRET_FILE",
    "SIGNING_KEY_FILE",
    "SigningKey",
    "load_cluster_secret",
    "read_or_create",
]

SIGNING_KEY_FILE = "signing-key.pem"
CLUSTER_SECRET_FILE = "cluster-secret"  # noqa: S105 - a file name
_CLUSTER_SECRET_BYTES = 32


def read_or_create(path: Path, content: bytes) -> bytes:
    """Return what ``path`` holds, after putting ``content`` there if nothing was."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first: its content
                os.link(draft, path)
        finally:
            draft.unlink()
    return path.read_bytes()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """ES256 key of this server: signs the tokens it mints, verifies them, names itself by PEM."""

    private: EllipticCurvePrivateKey

    @classmethod
    def load(cls, data_dir: Path) -> SigningKey:
        """Read the key of a data folder, making it on first use.

        Raises:
            KeyFileError: the file does not hold a P-256 private key.
        """
        path = data_dir / SIGNING_KEY_FILE
        fresh = generate_private_key(SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        try:
            key = load_pem_private_key(read_or_create(path, fresh), password=None)
        except (ValueError, TypeError):
            raise KeyFileError(path, "not a private key in PEM") from None
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise KeyFileError(path, "not a P-256 key")
        return cls(key)

    @property
    def public_pem(self) -> bytes:
        """The public half, for whoever wants to verify our tokens."""
        return self.private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )


def load_cluster_secret(data_dir: Path) -> bytes:
    """Read the 32 secret bytes that seed the actors' randomness, drawing them on first use.

    Raises:
        KeyFileError: the file has another length.
    """
    path = data_dir / CLUSTER_SECRET_FILE
    secret = read_or_create(path, secrets.token_bytes(_CLUSTER_SECRET_BYTES))
    if len(secret) != _CLUSTER_SECRET_BYTES:
        raise KeyFileError(path, f"holds {len(secret)} bytes, not {_CLUSTER_SECRET_BYTES}")
    return secret
