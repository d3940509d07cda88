"""An object store whose objects live as long as it does."""

from __future__ import annotations

from collections.abc import AsyncIterator

from actors.module.object_store import StoredObject


class ShelfInMemory:
    """Keeps what is put, by bucket and key."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}

    async def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        self.objects[bucket, key] = data

    async def get(self, bucket: str, key: str) -> bytes | None:
        return self.objects.get((bucket, key))

    async def head(self, bucket: str, key: str) -> StoredObject | None:
        data = self.objects.get((bucket, key))
        return None if data is None else StoredObject(bucket, key, len(data), 0)

    async def delete(self, bucket: str, key: str) -> None:
        self.objects.pop((bucket, key), None)

    async def list(self, bucket: str) -> AsyncIterator[StoredObject]:
        for name, data in self.objects.items():
            if name[0] == bucket:
                yield StoredObject(*name, len(data), 0)

    async def signed_url(self, bucket: str, key: str, seconds: int) -> str | None:
        return None
