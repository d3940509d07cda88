"""Real image files, with everything around the picture that cameras and programs write."""

from __future__ import annotations

import zlib
from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SECRET = b"49.2827N 123.1207W"
"""What no stored file may hold."""


def picture(width: int = 96, height: int = 80) -> Image.Image:
    """A picture that compresses to something."""
    red = Image.linear_gradient("L").resize((width, height))
    green = Image.radial_gradient("L").resize((width, height))
    return Image.merge("RGB", (red, green, red.rotate(90).resize((width, height))))


def png(width: int = 96, height: int = 80) -> bytes:
    """With texts, EXIF and a time."""
    texts = PngInfo()
    texts.add_text("Comment", SECRET.decode())
    texts.add_itxt("Place", SECRET.decode())
    texts.add(b"tIME", b"\x07\xea\x0b\x16\x05\x00\x00")
    file = BytesIO()
    picture(width, height).save(file, "PNG", pnginfo=texts, exif=_exif(), dpi=(72, 72))
    return file.getvalue()


def jpeg(width: int = 96, height: int = 80, *, progressive: bool = False) -> bytes:
    """With EXIF and a comment, and restart markers in its scans."""
    file = BytesIO()
    picture(width, height).save(
        file,
        "JPEG",
        exif=_exif(),
        comment=SECRET,
        progressive=progressive,
        restart_marker_rows=1,
        quality=70,
    )
    return file.getvalue()


def webp(width: int = 96, height: int = 80, *, lossless: bool = False) -> bytes:
    """With EXIF and XMP."""
    file = BytesIO()
    picture(width, height).save(file, "WEBP", exif=_exif(), xmp=SECRET, lossless=lossless)
    return file.getvalue()


def plain_webp(width: int = 96, height: int = 80, *, lossless: bool = False) -> bytes:
    """Without anything, in the short form."""
    file = BytesIO()
    picture(width, height).save(file, "WEBP", lossless=lossless)
    return file.getvalue()


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    """What a file shows."""
    with Image.open(BytesIO(data)) as image:
        return image.mode, image.size, image.tobytes()


def large_png(size: int) -> bytes:
    """A small picture with a text chunk that makes the file as large as asked."""
    data = png()
    text = b"Comment\0" + SECRET * ((size - len(data)) // len(SECRET))
    chunk = b"tEXt" + text
    whole = len(text).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    return data[:33] + whole + data[33:]


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()  # image description
    return exif
