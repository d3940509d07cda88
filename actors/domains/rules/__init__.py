"""The rules of the game: pure functions of rows and seeds, without storage, time or chance."""

from __future__ import annotations

__all__: list[str] = []
