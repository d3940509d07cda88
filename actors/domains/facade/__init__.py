"""Facade: the game's HTTP addresses, one file for each group of them (domain 11)."""

from __future__ import annotations

__all__: list[str] = []
