"""Covers that authors send (domain 8.4, 8.7, story 13.7)."""

from __future__ import annotations

from pathlib import Path

import image_files
import pytest
from asset_bench import SESSION
from image_bench import studio
from user_bench import claims

from actors import Upload
from actors.domains.asset_metadata.upload import keep_cover
from actors.domains.domain_types import AssetSource
from actors.domains.rules.limits import UPLOAD_BYTES_MAX
from actors.errors import ReducerError

OF_SESSION = {"sessionId": SESSION, "profileId": ""}


async def test_a_cover_is_kept_without_its_story(tmp_path: Path) -> None:
    file = image_files.large_png(900_000)
    async with studio(tmp_path) as place:
        image = await keep_cover(place.ctx, Upload(file, OF_SESSION))
        kept = place.file(image.image_src)
        assert image_files.SECRET not in kept
        assert image_files.pixels(kept) == image_files.pixels(file)
        (asset,) = place.assets
        assert (asset.content_type, asset.source_kind) == ("image/png", AssetSource.UPLOAD)
        assert (asset.content_length, asset.width, asset.height) == (len(kept), 96, 80)
        assert asset.owner_user_id == place.owner.user_id
        assert [row.binding_id for row in place.bindings] == [image.binding_id]
        again = await keep_cover(place.ctx, Upload(file, OF_SESSION))
        assert again == image
        assert len(place.files()) == len(place.assets) == 1


async def test_without_a_world_it_is_kept_alone(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        image = await keep_cover(place.ctx, Upload(image_files.jpeg(), {}))
        assert image.binding_id is None
        assert image.image_src.endswith(".jpg")
        assert place.bindings == []


@pytest.mark.parametrize(
    ("data", "fields", "code"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', {}, "asset.unsupported_media"),
        (b"a text that is called cover.png", {}, "asset.unsupported_media"),
        (image_files.png()[:-20], {}, "asset.unsupported_media"),
        (image_files.png(32, 32), {}, "asset.unsupported_media"),
        (b"", {}, "asset.unsupported_media"),
        (bytes(UPLOAD_BYTES_MAX + 1), {}, "input.payload_too_large"),
        (image_files.png(), {"sessionId": "cws_nobodys"}, "asset.entity_not_found"),
        (image_files.png(), {"profileId": "../x"}, "input.invalid_id"),
    ],
    ids=range(8),
)
async def test_what_is_no_cover_is_refused(
    data: bytes, fields: dict[str, str], code: str, tmp_path: Path
) -> None:
    async with studio(tmp_path) as place:
        with pytest.raises(ReducerError) as refused:
            await keep_cover(place.ctx, Upload(data, fields))
        assert refused.value.code == code
        assert place.files() == []
        assert place.assets == []


async def test_nobody_changes_the_cover_of_another(tmp_path: Path) -> None:
    async with studio(tmp_path) as place:
        other = await place.vale.enter(claims(2))
        stranger = place._replace(owner=other)
        with pytest.raises(ReducerError) as refused:
            await keep_cover(stranger.ctx, Upload(image_files.png(), OF_SESSION))
        assert refused.value.code == "asset.entity_not_found"
