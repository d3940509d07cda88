"""Object sweep: once a day, files that no row knows leave the object store (domain 8.5).

A file is put before its row is written, so a crash in between leaves one alone. Only old ones go:
a young one may belong to a row that is on its way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from actors import (
    EffectContext,
    ObjectStore,
    ReducerContext,
    StoredObject,
    Timestamp,
    ViewContext,
    effect,
    struct,
)
from actors.domains.asset_metadata.objects import asset_by_locator
from actors.domains.kinds import CATALOG
from actors.domains.limits import (
    OBJECT_ALONE_MICROS_MAX,
    OBJECTS_LOOKED_UP_MAX,
    OBJECTS_SWEEP_MICROS,
)
from actors.domains.rules.assets.object_keys import PRIVATE_BUCKET, PUBLIC_BUCKET
from actors.module.functions import message

__all__ = ["SweepDue", "SweepObjects", "schedule_sweep", "sweep_objects"]

_TIMER: Final = "sweep_objects"


@struct
class SweepDue:
    """It is time for a sweep, a day after it was planned."""

    planned_at: Timestamp


@struct
class SweepObjects:
    """What the sweep may take: files that nothing has touched since then."""

    untouched_since: Timestamp


def schedule_sweep(ctx: ReducerContext) -> None:
    """Have the next sweep in a day."""
    ctx.send_at(ctx.timestamp + OBJECTS_SWEEP_MICROS, SweepDue(ctx.timestamp), timer_id=_TIMER)


@message(CATALOG)
def sweep_due(ctx: ReducerContext, payload: SweepDue) -> None:
    """Ask for a sweep, where there is a store, and for the next one."""
    del payload
    schedule_sweep(ctx)
    if ctx.serves(sweep_objects.__name__):
        since = Timestamp(ctx.timestamp - OBJECT_ALONE_MICROS_MAX)
        ctx.request_effect(sweep_objects.__name__, SweepObjects(since))


@effect
async def sweep_objects(ctx: EffectContext, store: ObjectStore, payload: SweepObjects) -> None:
    """Delete the old files that no row of the catalog knows. Doing it again is harmless."""
    for bucket in (PRIVATE_BUCKET, PUBLIC_BUCKET):
        async for batch in _batches(store, bucket, payload.untouched_since):
            for file in await _unknown(ctx, batch):
                # What was put again since it was listed may be about to get its row.
                if await store.head(bucket, file.key) == file:
                    await store.delete(bucket, file.key)


async def _batches(
    store: ObjectStore, bucket: str, since: Timestamp
) -> AsyncIterator[list[StoredObject]]:
    batch: list[StoredObject] = []
    async for file in store.list(bucket):
        if file.modified_at < since:
            batch.append(file)
        if len(batch) == OBJECTS_LOOKED_UP_MAX:
            yield batch
            batch = []
    yield batch


async def _unknown(ctx: EffectContext, batch: list[StoredObject]) -> list[StoredObject]:
    """Those that no shard of the catalog knows; each one is asked about those that are left."""

    def unknown(view: ViewContext) -> list[StoredObject]:
        return [file for file in batch if not asset_by_locator(view.db, file.bucket, file.key)]

    for shard in CATALOG.shard_keys():
        batch = await ctx.read(shard, unknown)
    return batch
