"""AI tasks: what the game has models do, stage by stage, as rows that clients follow (domain 8)."""

from __future__ import annotations

__all__: list[str] = []
