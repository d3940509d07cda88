"""The running game: stories and battles in story actors, progression and items in user actors."""

from __future__ import annotations

__all__: list[str] = []
