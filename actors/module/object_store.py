"""Object store: the port through which effects and procedures keep files outside (domain 8.5)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final, NamedTuple, Protocol

from actors.errors import ReducerError
from actors.limits import BUCKET_CHARS_MAX, OBJECT_KEY_CHARS_MAX

__all__ = ["ObjectStore", "StoredObject", "check_locator"]

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9\-]*[a-z0-9]")
_KEY: Final = re.compile(r"[A-Za-z0-9_:.\-]+(/[A-Za-z0-9_:.\-]+)*")


class StoredObject(NamedTuple):
    """A file that is there.

    Attributes:
        content_length: bytes.
        modified_at: microseconds since the Unix epoch.
    """

    bucket: str
    key: str
    content_length: int
    modified_at: int


class ObjectStore(Protocol):
    """Keeps bytes under a bucket and a key. What is put is durable when ``put`` returns.

    Every method raises ReducerError: ``asset.invalid_locator`` for a bucket or key that is none,
    ``dependency.unavailable`` or ``dependency.timeout`` when the store does not answer.
    """

    async def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Keep bytes; what was there before is replaced, whole."""

    async def get(self, bucket: str, key: str) -> bytes | None:
        """The bytes, or None."""

    async def head(self, bucket: str, key: str) -> StoredObject | None:
        """What is there, or None."""

    async def delete(self, bucket: str, key: str) -> None:
        """Remove an object; one that is not there is no error."""

    def list(self, bucket: str) -> AsyncIterator[StoredObject]:
        """Everything in a bucket, in no order."""

    async def signed_url(self, bucket: str, key: str, seconds: int) -> str | None:
        """An address that anybody may read for so long; None where the store has no addresses."""


def check_locator(bucket: str, key: str) -> None:
    """Let a bucket and a key pass that every store can have.

    A bucket is small letters, digits and hyphens. A key is names with slashes between them, of
    letters, digits and ``_ : . -``; none of them says ``..``, and so none leads out of its bucket.

    Raises:
        ReducerError: ``asset.invalid_locator``.
    """
    is_key = len(key) <= OBJECT_KEY_CHARS_MAX and _KEY.fullmatch(key) and ".." not in key
    if not is_key or "." in key.split("/"):
        raise ReducerError("asset.invalid_locator", "an object's key has a wrong form")
    if len(bucket) > BUCKET_CHARS_MAX or not _BUCKET.fullmatch(bucket):
        raise ReducerError("asset.invalid_locator", "a bucket's name has a wrong form")
