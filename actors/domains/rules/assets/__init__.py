"""Rules of images: what they measure, where they are kept, what uploads must be (domain 8.4)."""

from __future__ import annotations

__all__: list[str] = []
