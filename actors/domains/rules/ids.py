"""Ids: derived ones from parts, and hashes of content (domain 1.3)."""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256
from typing import Final

from actors.domains.domain_types import WorldKind

__all__ = [
    "chapter_id",
    "content_hash",
    "derived_id",
    "local_id",
    "local_part",
    "owner_of",
    "public_work_code",
    "seed_of_text",
    "world_key",
]

_CODE_CHARS: Final = 8


def derived_id(*parts: str | int) -> str:
    """A composite key as one id. Derived ids are compared, never parsed back (domain 1.1)."""
    return ":".join(map(str, parts))


def local_id(session_id: str, *parts: str | int) -> str:
    """The id of a row inside a session's actor that can be routed alone (domain 1.3)."""
    return ".".join((session_id, *map(str, parts)))


def local_part(row_id: str) -> str:
    """What a routable row id is within its session: everything behind the first dot."""
    return row_id.partition(".")[2]


def owner_of(row_id: str) -> str:
    """The session or user a routable row id belongs to: everything before the first dot."""
    return row_id.partition(".")[0]


def chapter_id(profile_id: str, chapter_index: int) -> str:
    """The id of a chapter, counted from 1 (domain 1.12)."""
    return f"{profile_id}:c{chapter_index}"


def world_key(kind: WorldKind, work_id: str) -> str:
    """The key of a world of any kind (domain 1.12)."""
    return f"{kind.name.lower()}:{work_id}"


def content_hash(data: bytes) -> str:
    """Lower-case hexadecimal SHA-256."""
    return sha256(data).hexdigest()


def public_work_code(work_id: str) -> str:
    """The short code of a work that people pass on: the start of its id's SHA-256 in base32."""
    return b32encode(sha256(work_id.encode()).digest()).decode()[:_CODE_CHARS].lower()


def seed_of_text(text: str) -> int:
    """A stream seed that depends on nothing but a text."""
    return int.from_bytes(sha256(text.encode()).digest()[:8], "little")
