"""Image model: the port through which effects have images made (domain 8.3, 8.4)."""

from __future__ import annotations

from typing import Protocol

__all__ = ["ImageModel"]


class ImageModel(Protocol):
    """Makes images. Requests of one user wait for one another."""

    async def generate_image(
        self, prompt: str, *, width: int, height: int, seed: int | None, user_id: str
    ) -> bytes:
        """The bytes of an image file, which nobody has checked.

        Raises:
            TextModelError: there is no image.
        """
