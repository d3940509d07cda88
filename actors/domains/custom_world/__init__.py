"""Worlds that everybody may play: published documents and the gallery, in catalog actors."""

from __future__ import annotations

__all__: list[str] = []
