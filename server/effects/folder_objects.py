"""Folder objects: files in the data folder, one for each object, complete or absent (8.5)."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import structlog

from actors.errors import ReducerError
from actors.module.object_store import StoredObject, check_locator

__all__ = ["FolderObjects"]

log = structlog.get_logger(__name__)

T = TypeVar("T")

_DRAFTS = ".drafts"
"""Files that are being written; no bucket has such a name."""


class FolderObjects:
    """Implements ``actors.module.ObjectStore`` by ``{root}/{bucket}/{key}``, beside the loop.

    A file is written aside, synchronised, and moved to its place, which is synchronised as well:
    it is whole or it is not there, and what ``put`` has kept outlasts a loss of power.

    Args:
        root: the folder; made when needed. One process writes to it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._drafts = root / _DRAFTS
        shutil.rmtree(self._drafts, ignore_errors=True)  # what a crash has left

    async def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Keep bytes; what was there before is replaced, whole."""
        del content_type  # the catalog knows it
        await self._beside(self._write, self._path(bucket, key), data)

    async def get(self, bucket: str, key: str) -> bytes | None:
        """The bytes, or None."""
        return await self._beside(_read, self._path(bucket, key))

    async def head(self, bucket: str, key: str) -> StoredObject | None:
        """What is there, or None."""
        return await self._beside(_look, self._path(bucket, key), bucket, key)

    async def delete(self, bucket: str, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        await self._beside(_remove, self._path(bucket, key))

    async def list(self, bucket: str) -> AsyncIterator[StoredObject]:
        """Everything in a bucket, as it is when one begins to look."""
        root = self._root / bucket
        for key in await self._beside(_keys, root):
            found = await self.head(bucket, key)
            if found is not None:
                yield found

    async def signed_url(self, bucket: str, key: str, seconds: int) -> str | None:
        """None: a folder has no addresses."""
        del seconds
        check_locator(bucket, key)
        return None

    def _path(self, bucket: str, key: str) -> Path:
        check_locator(bucket, key)
        return self._root / bucket / key

    async def _beside(self, work: Callable[..., T], *arguments: object) -> T:
        """Run something that may take long, and tell what the disk refuses without its paths."""
        try:
            return await asyncio.to_thread(work, *arguments)
        except OSError as error:
            log.warning("the folder of objects failed", error=str(error))
            raise ReducerError("dependency.unavailable", "the file store failed") from None

    def _write(self, path: Path, data: bytes) -> None:
        self._drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._drafts / uuid.uuid4().hex
        try:
            with draft.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        for folder in [path.parent, *(folder.parent for folder in made)]:
            _synchronise(folder)


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _look(path: Path, bucket: str, key: str) -> StoredObject | None:
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not path.is_file():
        return None
    return StoredObject(bucket, key, facts.st_size, facts.st_mtime_ns // 1_000)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except (NotADirectoryError, IsADirectoryError):
        return


def _keys(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
