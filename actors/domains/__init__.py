"""The game: worlds, stories, battles, progression; loaded as ``actors.domains.entry``."""

from __future__ import annotations

__all__: list[str] = []
