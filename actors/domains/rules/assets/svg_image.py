"""SVG image: a picture drawn from a text alone, when no model makes one (domain 8.4).

The same input gives the same bytes on every machine, and therefore the same object.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from actors.domains.rules.assets.image_kinds import ImageKind
from actors.domains.rules.ids import seed_of_text
from actors.domains.rules.limits import IMAGE_TITLE_CHARS_MAX
from actors.domains.rules.text import shorten_text
from actors.rng import SplitMix64

__all__ = ["svg_image"]

_RIDGES: Final = 3
_RIDGE_POINTS: Final = 9
_RIDGE_OPACITY: Final = ("0.55", "0.75", "0.95")
_NOT_XML: Final = {0xFFFE: None, 0xFFFF: None}
_NAMESPACE: Final = "http://www.w3.org/2000/svg"


def svg_image(
    kind: ImageKind,
    entity_key: str,
    prompt: str,
    title: str,
    width: int,
    height: int,
    seed: int | None = None,
) -> bytes:
    """A landscape under a sun, and for a role its initial in a circle.

    Args:
        kind: what the image shows.
        entity_key: whom it shows.
        prompt: what it was to be made of; chooses colours and shapes.
        title: written below, cut at 24 characters.
        width: in pixels, 64 at least.
        height: likewise.
        seed: another picture of the same; without it, kind, key and prompt are the seed.
    """
    text = f"{kind.name.lower()}|{entity_key}|{prompt}"
    stream = SplitMix64(seed_of_text(text) if seed is None else seed)
    hue = stream.below(360)
    night = f"hsl({hue},45%,22%)"
    land = f"hsl({(hue + 30) % 360},50%,38%)"
    light = f"hsl({(hue + 180) % 360},55%,62%)"
    sun_x, sun_y = stream.below(width), stream.below(height // 2)
    radius = width // 16 + stream.below(width // 16)
    parts = [
        f'<svg xmlns="{_NAMESPACE}" viewBox="0 0 {width} {height}"',
        f' width="{width}" height="{height}">',
        '<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">',
        f'<stop offset="0" stop-color="{night}"/><stop offset="1" stop-color="{land}"/>',
        "</linearGradient></defs>",
        f'<rect width="{width}" height="{height}" fill="url(#sky)"/>',
        f'<circle cx="{sun_x}" cy="{sun_y}" r="{radius}" fill="{light}"/>',
    ]
    for index in range(_RIDGES):
        points = _ridge(stream, index, width, height)
        opacity = _RIDGE_OPACITY[index]
        parts.append(f'<polygon points="{points}" fill="{night}" fill-opacity="{opacity}"/>')
    name = _line(title)
    if kind is ImageKind.ROLE:
        parts += _portrait(name or _line(entity_key), light, night, width, height)
    parts += [_text(width // 2, height * 11 // 12, height // 14, "#ffffff", name), "</svg>"]
    return "".join(parts).encode()


def _ridge(stream: SplitMix64, index: int, width: int, height: int) -> str:
    """The crest from edge to edge, closed by the two corners below it."""
    last = _RIDGE_POINTS - 1
    base = height * (5 + 2 * index) // 12
    crest = [
        f"{width * step // last},{base + stream.below(height // 10)}"
        for step in range(_RIDGE_POINTS)
    ]
    return " ".join([*crest, f"{width},{height}", f"0,{height}"])


def _portrait(name: str, light: str, night: str, width: int, height: int) -> list[str]:
    x, y, side = width // 2, height // 2, min(width, height)
    return [
        f'<circle cx="{x}" cy="{y}" r="{side // 4}" fill="{light}"/>',
        _text(x, y + side // 10, side * 2 // 7, night, name[:1].upper()),
    ]


def _text(x: int, y: int, size: int, colour: str, text: str) -> str:
    return (
        f'<text x="{x}" y="{y}" font-size="{size}" font-family="serif" text-anchor="middle"'
        f' fill="{colour}">{escape(text)}</text>'
    )


def _line(text: str) -> str:
    """One line of characters that XML has, as short as a title must be."""
    return shorten_text(" ".join(text.translate(_NOT_XML).split()), IMAGE_TITLE_CHARS_MAX)
