"""Data folder: made on demand, and worked in by one process at a time (domain 1.13)."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from persistence.errors import FolderLockedError

__all__ = ["DataFolder"]

_LOCK_NAME = "lock"


class DataFolder:
    """A folder and its lock. The lock goes with the process, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Make the folder, for the owner only, and lock it.

        Raises FolderLockedError when anyone holds it, and OSError when it cannot be made.
        """
        assert self._descriptor is None, "acquired already"
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / _LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise FolderLockedError(self.path) from None
        self._descriptor = descriptor

    def release(self) -> None:
        """Unlock the folder; harmless when it is not locked. The lock file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
