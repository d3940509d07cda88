"""Object keys: where a file is kept, by its owner, its kind and its content (domain 8.5)."""

from __future__ import annotations

from typing import Final

__all__ = ["PRIVATE_BUCKET", "PUBLIC_BUCKET", "image_src", "object_key"]

PUBLIC_BUCKET: Final = "genarrative-public"
"""Objects that are made for everybody."""

PRIVATE_BUCKET: Final = "genarrative-private"
"""Objects that are made for their owner. Publishing lets everybody read them where they are."""


def object_key(owner_user_id: str, kind: str, content_hash: str, extension: str) -> str:
    """The key of a file; equal bytes of one owner and kind have one key, so they are kept once."""
    return f"{owner_user_id}/{kind}/{content_hash[:2]}/{content_hash}.{extension}"


def image_src(bucket: str, key: str) -> str:
    """The address of an object on this server."""
    return f"/objects/{bucket}/{key}"
