"""The daily sweep: files that no row knows go, and no others (domain 8.5)."""

from __future__ import annotations

import os
from pathlib import Path

import image_files
from asset_bench import CATALOG_KEY, SESSION
from image_bench import Studio, studio
from vale_bench import running_vale

from actors import Upload
from actors.domains.asset_metadata.object_sweep import SweepObjects, sweep_objects
from actors.domains.asset_metadata.upload import keep_cover
from actors.domains.limits import OBJECTS_LOOKED_UP_MAX
from actors.domains.rules.assets.object_keys import PRIVATE_BUCKET, PUBLIC_BUCKET
from actors.module.object_store import ObjectStore
from actors.module.system import ActorTimer, OutboxMessage
from actors.module.types import Timestamp
from server.effects.folder_objects import FolderObjects

DAY = 86_400_000_000
HOUR = DAY // 24


def age(place: Studio, micros: int) -> None:
    """Let all files be as old as that, by the clock of the actors."""
    seconds = (place.vale.clock.micros - micros) / 1_000_000
    for path in place.files():
        os.utime(path, (seconds, seconds))


async def a_day_passes(place: Studio) -> None:
    place.vale.clock.wait(DAY)
    await place.vale.wake(CATALOG_KEY)
    while place.vale.rows(CATALOG_KEY, OutboxMessage):
        await place.vale.settle()


async def test_old_files_that_nobody_knows_go(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        image = await keep_cover(place.ctx, Upload(image_files.png(), {"sessionId": SESSION}))
        alone = await keep_cover(place.ctx, Upload(image_files.jpeg(), {}))
        for number in range(OBJECTS_LOOKED_UP_MAX + 1):
            await place.store.put(PRIVATE_BUCKET, f"u_1/scene/{number}.png", b"x", "image/png")
        await place.store.put(PUBLIC_BUCKET, "u_1/cover/a.png", b"x", "image/png")
        age(place, HOUR)
        await a_day_passes(place)
        kept = {place.file(image.image_src), place.file(alone.image_src)}
        assert {path.read_bytes() for path in place.files()} == kept
        assert len(place.files()) == 2
        assert place.vale.rows(CATALOG_KEY, ActorTimer) != []


async def test_young_files_stay(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        await place.store.put(PRIVATE_BUCKET, "u_1/scene/a.png", b"x", "image/png")
        age(place, -HOUR)  # put an hour from now, so it is 23 hours old then
        await a_day_passes(place)
        assert len(place.files()) == 1
        await a_day_passes(place)
        assert place.files() == []


async def test_a_deleted_object_goes_with_the_next_sweep(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        image = await keep_cover(place.ctx, Upload(image_files.png(), {}))
        age(place, HOUR)
        await a_day_passes(place)
        assert len(place.files()) == 1
        await place.owner.call("delete_asset_object", image.asset_object_id)
        await a_day_passes(place)
        assert place.files() == []


async def test_a_file_that_is_put_again_meanwhile_stays(tmp_path: Path) -> None:
    class Hurried(FolderObjects):
        """Somebody puts a file again between the list and the look."""

        async def head(self, bucket: str, key: str):
            if key == "u_1/a.png" and self.is_listed:
                await self.put(bucket, key, b"x", "image/png")
            found = await super().head(bucket, key)
            self.is_listed = True
            return found

        is_listed = False

    store = Hurried(tmp_path)
    async with studio(tmp_path) as place:
        await store.put(PRIVATE_BUCKET, "u_1/a.png", b"x", "image/png")
        age(place, DAY)
        since = Timestamp(place.vale.clock.micros)
        await sweep_objects(place.ctx.as_service(), store, SweepObjects(since))
        assert len(place.files()) == 1
        store.is_listed = False
        age(place, DAY)
        await sweep_objects(place.ctx.as_service(), place.store, SweepObjects(since))
        assert place.files() == []


async def test_without_a_store_nothing_waits() -> None:
    async with running_vale() as vale:
        vale.clock.wait(DAY)
        await vale.wake(CATALOG_KEY)
        assert ObjectStore not in vale.host.providers
        assert vale.rows(CATALOG_KEY, OutboxMessage) == []
        assert vale.rows(CATALOG_KEY, ActorTimer) != []
