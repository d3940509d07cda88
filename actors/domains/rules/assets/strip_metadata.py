"""Metadata: what a file says beside its picture is taken out, pixels stay as they are (8.4)."""

from __future__ import annotations

from typing import Final

from actors.domains.rules.assets.jpeg import stripped_jpeg
from actors.domains.rules.assets.png import stripped_png
from actors.domains.rules.assets.sniff_image import ImageFacts
from actors.domains.rules.assets.webp import stripped_webp
from actors.domains.rules.errors import RuleError

__all__ = ["strip_metadata"]

_STRIPPED: Final = {"png": stripped_png, "jpg": stripped_jpeg, "webp": stripped_webp}


def strip_metadata(data: bytes, facts: ImageFacts) -> bytes:
    """An image file without EXIF, XMP, comments, texts and times; stripping it again is the same.

    Raises:
        RuleError: ``asset.unsupported_media``: the file is cut off.
    """
    try:
        return _STRIPPED[facts.extension](data)
    except ValueError as error:
        raise RuleError("asset.unsupported_media", f"the file is {error}") from None
