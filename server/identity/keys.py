"""The cluster secret of one data folder: made on first use, readable by its owner alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from server.errors import KeyFileError
from server.identity.secret_files import read_or_create

__all__ = ["CLUSTER_SECRET_FILE", "load_cluster_secret"]

CLUSTER_SECRET_FILE = "cluster-secret"  # noqa: S105 - a file name
_CLUSTER_SECRET_BYTES = 32


def load_cluster_secret(data_dir: Path) -> bytes:
    """Read the 32 secret bytes that seed the actors' randomness, drawing them on first use.

    Raises:
        KeyFileError: the file has another length, or others may read it.
    """
    path = data_dir / CLUSTER_SECRET_FILE
    secret = read_or_create(path, secrets.token_bytes(_CLUSTER_SECRET_BYTES))
    if len(secret) != _CLUSTER_SECRET_BYTES:
        raise KeyFileError(path, f"holds {len(secret)} bytes, not {_CLUSTER_SECRET_BYTES}")
    return secret
