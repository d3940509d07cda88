from __future__ import annotations

import image_files
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.rules.assets.sniff_image import ImageFacts, sniff_image
from actors.domains.rules.errors import RuleError

FILES = {
    "png": image_files.png(),
    "jpeg": image_files.jpeg(),
    "progressive": image_files.jpeg(progressive=True),
    "webp": image_files.webp(),
    "lossless": image_files.webp(lossless=True),
    "plain": image_files.plain_webp(),
    "plain lossless": image_files.plain_webp(lossless=True),
}
TYPES = {
    "png": ("image/png", "png"),
    "jpeg": ("image/jpeg", "jpg"),
    "progressive": ("image/jpeg", "jpg"),
}


def facts_or_code(data: bytes) -> ImageFacts | str:
    try:
        return sniff_image(data)
    except RuleError as refused:
        return refused.code


@pytest.mark.parametrize("name", FILES)
def test_files_are_told_by_their_bytes(name: str) -> None:
    content_type, extension = TYPES.get(name, ("image/webp", "webp"))
    assert sniff_image(FILES[name]) == ImageFacts(content_type, extension, 96, 80)


@pytest.mark.parametrize("make", [image_files.png, image_files.jpeg, image_files.webp])
@pytest.mark.parametrize(
    ("width", "height", "is_taken"),
    [
        (64, 4096, True),
        (4096, 64, True),
        (63, 80, False),
        (80, 63, False),
        (4097, 80, False),
        (80, 4097, False),
    ],
)
def test_sides_have_their_limits(make, width: int, height: int, *, is_taken: bool) -> None:
    data = make(width, height)
    if is_taken:
        facts = sniff_image(data)
        assert (facts.width, facts.height) == (width, height)
    else:
        with pytest.raises(RuleError) as refused:
            sniff_image(data)
        assert refused.value.code == "asset.unsupported_media"
        assert refused.value.details == {"width": width, "height": height}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a text that is called picture.png",
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 80"/>',
        b'<?xml version="1.0"?><svg/>',
        b"GIF89a" + bytes(40),
        b"BM" + bytes(60),
        FILES["png"][:20],
        FILES["png"][:8] + bytes(40),
        FILES["jpeg"][:3],
        b"\xff\xd8\xff\xda\x00\x02" + bytes(20),
        FILES["webp"][:20],
        b"RIFF\x04\x00\x00\x00WEBP",
    ],
)
def test_everything_else_is_refused(data: bytes) -> None:
    with pytest.raises(RuleError) as refused:
        sniff_image(data)
    assert refused.value.code == "asset.unsupported_media"


@given(st.sampled_from(list(FILES.values())), st.data())
def test_a_damaged_file_is_refused_or_taken_and_breaks_nothing(
    file: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(file[: data.draw(st.integers(4, len(file)))])
    for place in data.draw(st.lists(st.integers(0, min(len(damaged), 64) - 1), max_size=4)):
        damaged[place] = data.draw(st.integers(0, 255))
    found = facts_or_code(bytes(damaged))
    if isinstance(found, str):
        assert found == "asset.unsupported_media"
    else:
        assert 64 <= min(found.width, found.height) <= max(found.width, found.height) <= 4096
