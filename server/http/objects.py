"""Stored objects as answers: entity tags, caching, and nothing that a browser would run (8.4)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from actors.errors import ReducerError
from actors.module.object_store import ObjectStore
from actors.module.routes import ObjectBody

__all__ = ["object_response"]

_PUBLIC: Final = "public, max-age=31536000, immutable"
_PRIVATE: Final = "private, no-cache"
_POLICY: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


async def object_response(
    request: Request, found: ObjectBody, store: ObjectStore | None
) -> Response:
    """The answer that is a stored object; 304 when the client has it.

    Raises:
        ReducerError: ``asset.not_found``: the store does not have it; ``dependency.unavailable``.
    """
    if store is None:
        raise ReducerError("dependency.unavailable", "no objects are stored here")
    headers = {
        "etag": f'"{found.content_hash}"',
        "cache-control": _PUBLIC if found.is_public else _PRIVATE,
        "content-security-policy": _POLICY,
        "x-content-type-options": "nosniff",
    }
    if _has(request.headers.get("if-none-match", ""), found.content_hash):
        return Response(status_code=304, headers=headers)
    headers["content-type"] = found.content_type
    if request.method == "HEAD":
        stored = await store.head(found.bucket, found.key)
        if stored is None:
            raise _missing()
        headers["content-length"] = str(stored.content_length)
        return Response(headers=headers)
    data = await store.get(found.bucket, found.key)
    if data is None:
        raise _missing()
    return Response(data, headers=headers)


def _has(condition: str, content_hash: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return "*" in tags or f'"{content_hash}"' in tags


def _missing() -> ReducerError:
    return ReducerError("asset.not_found", "there is no such object")
