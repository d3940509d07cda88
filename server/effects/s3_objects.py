"""S3 objects: files in a bucket of an S3-compatible service (domain 8.5)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from actors.errors import ReducerError
from actors.module.object_store import StoredObject, check_locator
from server.limits import (
    OBJECTS_CONNECT_SECONDS_MAX,
    OBJECTS_PAUSE_SECONDS,
    OBJECTS_RETRIES_MAX,
    OBJECTS_SECONDS_MAX,
    OBJECTS_TRY_SECONDS_MAX,
)

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Config

__all__ = ["S3Objects", "S3Place"]

log = structlog.get_logger(__name__)


class S3Place(NamedTuple):
    """Where files are kept, and as whom.

    Attributes:
        bucket: the service's bucket. All of our buckets are folders in it.
        prefix: folder of that bucket that holds ours; empty for its root.
        endpoint: address of the service; empty for Amazon's.
        access_key: empty for what the surroundings provide, such as the role of a machine.
        secret_key: likewise.
    """

    bucket: str
    prefix: str
    region: str
    endpoint: str
    access_key: str
    secret_key: str


class S3Objects:
    """Implements ``actors.module.ObjectStore``.

    What fails in passing is tried again, a few times and with pauses; what fails after all is told
    without addresses and keys.

    Args:
        place: where.
        seconds_max: how long a request may take, tries and all.
    """

    def __init__(self, place: S3Place, seconds_max: float = OBJECTS_SECONDS_MAX) -> None:
        self._seconds_max = seconds_max
        config: S3Config = {"region": place.region}
        if place.endpoint:
            config["endpoint"] = place.endpoint
        if place.access_key:
            config["access_key_id"] = place.access_key
            config["secret_access_key"] = place.secret_key
        self._store = S3Store(
            place.bucket,
            prefix=place.prefix or None,
            config=config,
            client_options={
                "allow_http": place.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=OBJECTS_CONNECT_SECONDS_MAX),
                "timeout": timedelta(seconds=OBJECTS_TRY_SECONDS_MAX),
            },
            retry_config={
                "max_retries": OBJECTS_RETRIES_MAX,
                "retry_timeout": timedelta(seconds=seconds_max),
                "backoff": {"init_backoff": timedelta(seconds=OBJECTS_PAUSE_SECONDS)},
            },
        )

    async def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Keep bytes; what was there before is replaced, whole."""
        path = _path(bucket, key)
        with self._errors():
            async with asyncio.timeout(self._seconds_max):
                await obstore.put_async(
                    self._store,
                    path,
                    data,
                    attributes={"Content-Type": content_type},
                    use_multipart=False,
                )

    async def get(self, bucket: str, key: str) -> bytes | None:
        """The bytes, or None."""
        path = _path(bucket, key)
        with self._errors():
            try:
                async with asyncio.timeout(self._seconds_max):
                    found = await obstore.get_async(self._store, path)
                    return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    async def head(self, bucket: str, key: str) -> StoredObject | None:
        """What is there, or None."""
        path = _path(bucket, key)
        with self._errors():
            try:
                async with asyncio.timeout(self._seconds_max):
                    return _stored(await obstore.head_async(self._store, path))
            except FileNotFoundError:
                return None

    async def delete(self, bucket: str, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        path = _path(bucket, key)
        with self._errors():
            try:
                async with asyncio.timeout(self._seconds_max):
                    await obstore.delete_async(self._store, path)
            except FileNotFoundError:
                return

    async def list(self, bucket: str) -> AsyncIterator[StoredObject]:
        """Everything in a bucket, page by page."""
        with self._errors():
            pages = aiter(obstore.list(self._store, prefix=f"{bucket}/"))
            while True:
                try:
                    async with asyncio.timeout(self._seconds_max):
                        page = await anext(pages)
                except StopAsyncIteration:
                    return
                for found in page:
                    yield _stored(found)

    async def signed_url(self, bucket: str, key: str, seconds: int) -> str | None:
        """An address that anybody may read for so long."""
        path = _path(bucket, key)
        with self._errors():
            async with asyncio.timeout(self._seconds_max):
                return await obstore.sign_async(
                    self._store, "GET", path, timedelta(seconds=seconds)
                )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Run a request, and tell its failures as ours."""
        try:
            yield
        except TimeoutError:
            raise ReducerError("dependency.timeout", "the file store is silent") from None
        except (BaseError, OSError, ValueError) as error:
            log.warning("the object store failed", error=type(error).__name__)
            raise ReducerError("dependency.unavailable", "the file store failed") from None


def _path(bucket: str, key: str) -> str:
    check_locator(bucket, key)
    return f"{bucket}/{key}"


def _stored(meta: ObjectMeta) -> StoredObject:
    bucket, _, key = meta["path"].partition("/")
    modified_at = round(meta["last_modified"].timestamp() * 1_000_000)
    return StoredObject(bucket, key, meta["size"], modified_at)
