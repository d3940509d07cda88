"""Image sniffing: what a file is, by its bytes alone, and how large its picture is (domain 8.4).

Nothing is decoded: types are told by magic bytes and sizes are read from headers, so a file that
lies about itself costs nothing. The declared type and the name of a file are never looked at.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from actors.domains.rules.assets.jpeg import jpeg_size
from actors.domains.rules.assets.png import PNG_MAGIC, png_size
from actors.domains.rules.assets.webp import is_webp, webp_size
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import IMAGE_SIDE_MAX, IMAGE_SIDE_MIN

__all__ = ["ImageFacts", "sniff_image"]

_JPEG_MAGIC: Final = b"\xff\xd8\xff"


class ImageFacts(NamedTuple):
    """What is known of an image file.

    Attributes:
        extension: without a dot.
        width: in pixels.
        height: likewise.
    """

    content_type: str
    extension: str
    width: int
    height: int


def sniff_image(data: bytes) -> ImageFacts:
    """What a PNG, JPEG or WebP file is.

    Raises:
        RuleError: ``asset.unsupported_media``: anything else, a broken header, or a side that is
            not 64 to 4096 pixels long.
    """
    try:
        if data.startswith(PNG_MAGIC):
            facts = ImageFacts("image/png", "png", *png_size(data))
        elif data.startswith(_JPEG_MAGIC):
            facts = ImageFacts("image/jpeg", "jpg", *jpeg_size(data))
        elif is_webp(data):
            facts = ImageFacts("image/webp", "webp", *webp_size(data))
        else:
            raise ValueError("neither PNG, JPEG nor WebP")
    except ValueError as error:
        raise RuleError("asset.unsupported_media", f"the file is {error}") from None
    for side in (facts.width, facts.height):
        if not IMAGE_SIDE_MIN <= side <= IMAGE_SIDE_MAX:
            raise RuleError(
                "asset.unsupported_media",
                f"sides must have {IMAGE_SIDE_MIN} to {IMAGE_SIDE_MAX} pixels",
                width=facts.width,
                height=facts.height,
            )
    return facts
