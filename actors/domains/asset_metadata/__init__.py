"""Stored assets: objects, what they are bound to, and how images come to be (domain 8.6)."""

from __future__ import annotations

__all__: list[str] = []
