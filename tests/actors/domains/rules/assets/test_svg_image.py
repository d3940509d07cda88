from __future__ import annotations

import re
from hashlib import sha256
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.rules.assets.image_kinds import ImageKind
from actors.domains.rules.assets.svg_image import svg_image
from actors.domains.rules.limits import IMAGE_SIDE_MAX, IMAGE_SIDE_MIN, IMAGE_TITLE_CHARS_MAX

SVG = "{http://www.w3.org/2000/svg}"
SIDES = st.integers(IMAGE_SIDE_MIN, IMAGE_SIDE_MAX)
KINDS = st.sampled_from(ImageKind)


def drawn(data: bytes, tag: str) -> list[ET.Element]:
    return ET.fromstring(data).findall(f".//{SVG}{tag}")


def test_a_scene_is_drawn_to_the_byte() -> None:
    image = svg_image(
        ImageKind.SCENE, "drowned_gate", "a gate under water", "Gate & Sea", 1280, 720
    )
    assert image.decode() == (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720" width="1280" height="720">'
        "<defs>"
        '<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">'
        '<stop offset="0" stop-color="hsl(82,45%,22%)"/>'
        '<stop offset="1" stop-color="hsl(112,50%,38%)"/></linearGradient></defs>'
        '<rect width="1280" height="720" fill="url(#sky)"/>'
        '<circle cx="1238" cy="166" r="120" fill="hsl(262,55%,62%)"/>'
        '<polygon points="0,340 160,333 320,347 480,368 640,350 800,350 960,302 1120,328 '
        '1280,325 1280,720 0,720" fill="hsl(82,45%,22%)" fill-opacity="0.55"/>'
        '<polygon points="0,420 160,424 320,434 480,468 640,433 800,481 960,422 1120,444 '
        '1280,432 1280,720 0,720" fill="hsl(82,45%,22%)" fill-opacity="0.75"/>'
        '<polygon points="0,611 160,607 320,589 480,610 640,584 800,593 960,604 1120,581 '
        '1280,571 1280,720 0,720" fill="hsl(82,45%,22%)" fill-opacity="0.95"/>'
        '<text x="640" y="660" font-size="51" font-family="serif" text-anchor="middle" '
        'fill="#ffffff">Gate &amp; Sea</text>'
        "</svg>"
    )


@pytest.mark.parametrize(
    ("kind", "width", "height", "digest"),
    [
        (ImageKind.COVER, 1200, 675, "f3cfbb72ea97033d"),
        (ImageKind.ROLE, 512, 512, "91fb71ff78a21506"),
        (ImageKind.GAME, 512, 512, "9f31dea3f4b30317"),
    ],
)
def test_equal_requests_have_equal_objects(
    kind: ImageKind, width: int, height: int, digest: str
) -> None:
    image = svg_image(kind, "ferryman", "an old man", "The Ferryman", width, height)
    assert sha256(image).hexdigest()[:16] == digest


@given(KINDS, st.text(), st.text(), st.text(), SIDES, SIDES, st.none() | st.integers(0, 2**64 - 1))
def test_every_image_is_a_picture_of_its_size(
    kind: ImageKind,
    key: str,
    prompt: str,
    title: str,
    width: int,
    height: int,
    seed: int | None,
) -> None:
    image = svg_image(kind, key, prompt, title, width, height, seed)
    assert image == svg_image(kind, key, prompt, title, width, height, seed)
    root = ET.fromstring(image)
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox") == f"0 0 {width} {height}"
    ridges = drawn(image, "polygon")
    assert [len((ridge.get("points") or "").split()) for ridge in ridges] == [11, 11, 11]
    assert len(drawn(image, "circle")) == (2 if kind is ImageKind.ROLE else 1)
    name = drawn(image, "text")[-1].text or ""
    assert len(name) <= IMAGE_TITLE_CHARS_MAX


@given(st.text(alphabet="<>&\"'/ascript!-[]CDAT", max_size=24))
def test_titles_are_text_and_nothing_else(title: str) -> None:
    image = svg_image(ImageKind.COVER, "world", "", title, 1200, 675)
    assert drawn(image, "text")[0].text in (" ".join(title.split()) or None, title.strip())
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(image).iter()}
    assert tags == {
        "svg",
        "defs",
        "linearGradient",
        "stop",
        "rect",
        "circle",
        "polygon",
        "text",
    }


def test_what_is_asked_for_shows() -> None:
    one = svg_image(ImageKind.ROLE, "ferryman", "old", "", 512, 512)
    others = [
        svg_image(ImageKind.GAME, "ferryman", "old", "", 512, 512),
        svg_image(ImageKind.ROLE, "ferrywoman", "old", "", 512, 512),
        svg_image(ImageKind.ROLE, "ferryman", "young", "", 512, 512),
        svg_image(ImageKind.ROLE, "ferryman", "old", "Old", 512, 512),
        svg_image(ImageKind.ROLE, "ferryman", "old", "", 512, 512, seed=7),
    ]
    assert len({one, *others}) == 6


def test_a_role_has_its_initial() -> None:
    for title, initial in [("the ferryman", "T"), ("渡し守", "渡"), ("", "F")]:
        image = svg_image(ImageKind.ROLE, "ferryman", "old", title, 512, 512)
        assert drawn(image, "text")[0].text == initial


def test_control_characters_never_come_through() -> None:
    image = svg_image(ImageKind.COVER, "world", "", "a\x00b\x1bc\x7fd\uffffe\tf\ng", 1200, 675)
    assert drawn(image, "text")[0].text == "abcde f g"
    assert not re.search(rb"[\x00-\x1f\x7f]", image)
