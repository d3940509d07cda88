from __future__ import annotations

from io import BytesIO

import image_files
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from actors.domains.rules.assets.sniff_image import sniff_image
from actors.domains.rules.assets.strip_metadata import strip_metadata
from actors.domains.rules.errors import RuleError

FILES = {
    "png": image_files.png(),
    "jpeg": image_files.jpeg(),
    "progressive": image_files.jpeg(progressive=True),
    "webp": image_files.webp(),
    "lossless": image_files.webp(lossless=True),
    "plain": image_files.plain_webp(),
}


def stripped(data: bytes) -> bytes:
    return strip_metadata(data, sniff_image(data))


def stripped_or_code(data: bytes) -> bytes | str:
    try:
        return stripped(data)
    except RuleError as refused:
        return refused.code


@pytest.mark.parametrize("name", FILES)
def test_the_picture_stays_and_its_story_goes(name: str) -> None:
    data = FILES[name]
    assert (image_files.SECRET in data) is (name != "plain")
    clean = stripped(data)
    assert image_files.SECRET not in clean
    assert image_files.pixels(clean) == image_files.pixels(data)
    assert sniff_image(clean) == sniff_image(data)
    with Image.open(BytesIO(clean)) as image:
        assert not image.getexif()
        assert not image.info.keys() & {"comment", "Comment", "Place", "xmp", "exif"}


@pytest.mark.parametrize("name", FILES)
def test_stripping_again_changes_nothing(name: str) -> None:
    clean = stripped(FILES[name])
    assert stripped(clean) == clean


@pytest.mark.parametrize("name", FILES)
def test_what_follows_the_picture_goes(name: str) -> None:
    assert stripped(FILES[name] + image_files.SECRET * 3) == stripped(FILES[name])


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_colours_stay_as_they_are_meant(name: str) -> None:
    profile = b"a colour profile " * 9
    file = BytesIO()
    image_files.picture().save(file, name, icc_profile=profile)
    with Image.open(BytesIO(stripped(file.getvalue()))) as image:
        assert image.info["icc_profile"] == profile


@pytest.mark.parametrize("name", ["webp", "lossless"])
def test_a_webp_announces_nothing_that_is_gone(name: str) -> None:
    clean = stripped(FILES[name])
    assert clean[12:16] == b"VP8X"
    assert clean[20] & 0b1100 == 0


def test_a_large_story_is_not_kept() -> None:
    data = image_files.large_png(900_000)
    assert len(data) > 890_000
    assert len(stripped(data)) < 50_000


@given(st.sampled_from(list(FILES.values())), st.data())
def test_a_file_that_is_cut_off_is_refused(file: bytes, data: st.DataObject) -> None:
    cut = file[: data.draw(st.integers(48, len(file) - 1))]
    with pytest.raises(RuleError) as refused:
        stripped(cut)
    assert refused.value.code == "asset.unsupported_media"


@given(st.sampled_from(list(FILES.values())), st.data())
def test_a_damaged_file_is_refused_or_rewritten(file: bytes, data: st.DataObject) -> None:
    damaged = bytearray(file)
    for place in data.draw(st.lists(st.integers(12, len(file) - 1), min_size=1, max_size=6)):
        damaged[place] = data.draw(st.integers(0, 255))
    clean = stripped_or_code(bytes(damaged))
    if isinstance(clean, str):
        assert clean == "asset.unsupported_media"
    else:
        assert len(clean) <= len(damaged)
        assert stripped(clean) == clean
