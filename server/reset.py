"""Reset: empty a data folder, and no other folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from server.errors import StartError
from server.identity.keys import CLUSTER_SECRET_FILE

__all__ = ["empty_data_folder"]

_LOCK_FILE = "lock"
"""Stays, because we hold it: removing it would let a second process in beside us."""


def empty_data_folder(path: Path) -> None:
    """Delete everything in a data folder whose lock the caller holds.

    Raises:
        StartError: the folder holds something but was never a data folder; nothing is deleted.
    """
    entries = [entry for entry in path.iterdir() if entry.name != _LOCK_FILE]
    if entries and not (path / CLUSTER_SECRET_FILE).is_file():
        raise StartError(f"{path} does not look like a data folder; it is not emptied")
    # The mark of a data folder goes last: a reset that was cut short can be asked for again.
    entries.sort(key=lambda entry: entry.name == CLUSTER_SECRET_FILE)
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
