"""Files with secrets: made complete or not at all, for their owner alone, and refused otherwise.

A file is written beside its place and linked there, so two processes that begin at once agree on
one. A secret that others can read is none: it is not used before its owner says that it still is.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from server.errors import KeyFileError

__all__ = ["OTHERS", "create", "make_folder", "read_or_create", "read_secret"]

OTHERS = 0o077
"""Mode bits of group and world; a secret and its folder have none of them."""


def make_folder(path: Path) -> None:
    """Make a folder of secrets where there is none.

    Raises:
        KeyFileError: the folder is there, and others may look into it or write there.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & OTHERS:
        raise KeyFileError(path, f"others may look into it; chmod 700 {path}")


def create(path: Path, content: bytes) -> bool:
    """Put a durable file with ``content`` at ``path``; False, and no change, if one is there."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:  # another process was first
            return False
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return True


def read_secret(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        KeyFileError: others may read or write it.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & OTHERS:
            reason = "others may read it; if nobody has, chmod 600 it, else replace it"
            raise KeyFileError(path, reason)
        return file.read()


def read_or_create(path: Path, content: bytes) -> bytes:
    """Return what ``path`` holds, after putting ``content`` there if nothing was.

    Raises:
        KeyFileError: others may read or write the file.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        create(path, content)
    return read_secret(path)


def _sync_folder(path: Path) -> None:
    """Make what was linked there durable, on file systems that know how."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
