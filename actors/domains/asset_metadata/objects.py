"""Objects: the rows of stored files, who may read them and how they come and go (domain 8.6)."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from actors import (
    ReducerContext,
    ReducerError,
    Timestamp,
    ViewContext,
    procedure,
    reducer,
    replace,
    struct,
    table,
    u32,
    u64,
)
from actors.domains.domain_types import AccessPolicy, AssetSource
from actors.domains.kinds import CATALOG
from actors.domains.limits import ASSETS_LISTED_MAX, OBJECT_BYTES_MAX
from actors.domains.rules.assets.object_keys import PRIVATE_BUCKET, PUBLIC_BUCKET
from actors.domains.rules.cursors import read_cursor, write_cursor
from actors.domains.rules.ids import derived_id
from actors.domains.rules.limits import IDENTIFIER_CHARS_MAX
from actors.domains.rules.text import check_id, check_slug
from actors.module import DatabaseReader

__all__ = [
    "AssetObject",
    "AssetPage",
    "ConfirmAssetObject",
    "ListMyAssets",
    "asset_by_locator",
    "asset_of",
    "confirm_asset_object",
    "list_my_assets",
    "object_locator",
    "open_object",
]

_BUCKETS: Final = frozenset({PUBLIC_BUCKET, PRIVATE_BUCKET})
_KEY: Final = re.compile(r"(?!.*(^|/)\.\.?(/|$))[A-Za-z0-9_:.\-]+(/[A-Za-z0-9_:.\-]+)*")
"""Segments of id characters between single slashes; none of them is ``.`` or ``..``."""

_CONTENT_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/svg+xml"})
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_LOCATOR_DIGITS: Final = 32


def _reader(row: AssetObject) -> str | None:
    return None if row.access_policy is AccessPolicy.PUBLIC_READ else row.owner_user_id


@table(
    public=True,
    primary_key="asset_object_id",
    index=["owner_user_id", "content_hash", ("bucket", "object_key")],
    unique=["object_locator"],
    actor=CATALOG,
    readers=_reader,
)
class AssetObject:
    """A stored file; its bytes are in the object store under ``bucket`` and ``object_key``."""

    asset_object_id: str
    bucket: str
    object_key: str
    object_locator: str
    access_policy: AccessPolicy
    content_type: str
    content_length: u64
    content_hash: str
    width: u32 | None
    height: u32 | None
    version: u32
    source_kind: AssetSource
    source_job_id: str | None
    owner_user_id: str
    profile_id: str | None
    asset_kind: str
    created_at: Timestamp
    updated_at: Timestamp


@struct
class ConfirmAssetObject:
    """Input of ``confirm_asset_object``: a file that is in the store by now."""

    bucket: str
    object_key: str
    access_policy: AccessPolicy
    content_type: str
    content_length: u64
    content_hash: str
    owner_user_id: str
    profile_id: str | None
    asset_kind: str
    source_kind: AssetSource
    source_job_id: str | None
    width: u32 | None
    height: u32 | None
    request_id: str


@struct
class ListMyAssets:
    """Input of ``list_my_assets``."""

    asset_kind: str | None
    cursor: str | None
    limit: u32


@struct
class AssetPage:
    """Some of a user's objects, and where the next ones begin; None behind the last one."""

    assets: list[AssetObject]
    next_cursor: str | None


@reducer(actor=CATALOG, roles=["service"])
def confirm_asset_object(ctx: ReducerContext, input: ConfirmAssetObject) -> AssetObject:
    """Enter a file: the known row for known content, the next version for new content.

    Raises ``asset.invalid_locator``, ``asset.content_length_out_of_range``,
    ``asset.unsupported_media``, ``asset.invalid_hash``, the refusals of ids, and
    ``asset.not_owner`` when the place holds another user's file.
    """
    _check(input)
    locator = object_locator(input.bucket, input.object_key)
    known = ctx.db[AssetObject].first(object_locator=locator)
    if known is not None and known.owner_user_id != input.owner_user_id:
        raise ReducerError("asset.not_owner", "the file is another user's")
    if known is not None and known.content_hash == input.content_hash:
        return known
    return ctx.db[AssetObject].upsert(
        AssetObject(
            asset_object_id=ctx.new_id("ao_") if known is None else known.asset_object_id,
            bucket=input.bucket,
            object_key=input.object_key,
            object_locator=locator,
            access_policy=input.access_policy,
            content_type=input.content_type,
            content_length=input.content_length,
            content_hash=input.content_hash,
            width=input.width,
            height=input.height,
            version=1 if known is None else known.version + 1,
            source_kind=input.source_kind,
            source_job_id=input.source_job_id,
            owner_user_id=input.owner_user_id,
            profile_id=input.profile_id,
            asset_kind=input.asset_kind,
            created_at=ctx.timestamp if known is None else known.created_at,
            updated_at=ctx.timestamp,
        )
    )


@procedure(actor=CATALOG)
def list_my_assets(ctx: ViewContext, input: ListMyAssets) -> AssetPage:
    """The caller's objects, the newest first.

    Raises ``input.out_of_range`` and ``input.invalid_cursor``.
    """
    if not 1 <= input.limit <= ASSETS_LISTED_MAX:
        raise ReducerError("input.out_of_range", f"limit must be 1 to {ASSETS_LISTED_MAX}")
    after = None if input.cursor is None else read_cursor(input.cursor, int, str)
    rows = sorted(ctx.db[AssetObject].filter(owner_user_id=ctx.user_id), key=_mark, reverse=True)
    wanted = [
        row
        for row in rows
        if input.asset_kind in (None, row.asset_kind) and (after is None or _mark(row) < after)
    ]
    page = wanted[: input.limit]
    more = len(wanted) > len(page)
    return AssetPage(page, write_cursor(*_mark(page[-1])) if more else None)


def object_locator(bucket: str, object_key: str) -> str:
    """The place of a file as one id."""
    return derived_id(bucket, sha256(object_key.encode()).hexdigest()[:_LOCATOR_DIGITS])


def asset_by_locator(db: DatabaseReader, bucket: str, object_key: str) -> AssetObject | None:
    """The row of the file at a place, whoever may read it; None for files that are not known."""
    return db[AssetObject].first(object_locator=object_locator(bucket, object_key))


def asset_of(db: DatabaseReader, asset_object_id: str) -> AssetObject:
    """An object's row; raises ``asset.not_found``."""
    asset = db[AssetObject].find(check_id(asset_object_id))
    if asset is None:
        raise ReducerError("asset.not_found", "there is no such object")
    return asset


def open_object(ctx: ReducerContext, asset_object_id: str) -> None:
    """Let everybody read an object from now on; one that is gone stays gone."""
    asset = ctx.db[AssetObject].find(asset_object_id)
    if asset is not None and asset.access_policy is not AccessPolicy.PUBLIC_READ:
        policy = AccessPolicy.PUBLIC_READ
        ctx.db[AssetObject].update(replace(asset, access_policy=policy, updated_at=ctx.timestamp))


def _check(input: ConfirmAssetObject) -> None:
    key = input.object_key
    is_key = len(key) <= IDENTIFIER_CHARS_MAX and _KEY.fullmatch(key) is not None
    if input.bucket not in _BUCKETS or not is_key:
        raise ReducerError("asset.invalid_locator", "there is no such place for files")
    if not 1 <= input.content_length <= OBJECT_BYTES_MAX:
        raise ReducerError(
            "asset.content_length_out_of_range", f"a file has 1 to {OBJECT_BYTES_MAX} bytes"
        )
    if input.content_type not in _CONTENT_TYPES:
        raise ReducerError("asset.unsupported_media", "only images are stored")
    if not _HASH.fullmatch(input.content_hash):
        raise ReducerError("asset.invalid_hash", "a hash has 64 lower-case hexadecimal digits")
    check_id(input.owner_user_id)
    check_slug(input.asset_kind)
    for value in (input.profile_id, input.source_job_id):
        if value is not None:
            check_id(value)


def _mark(row: AssetObject) -> tuple[int, str]:
    return int(row.created_at), row.asset_object_id
