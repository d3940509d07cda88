"""Operators' side of the server: a channel of its own, its commands, and the record of them."""

from __future__ import annotations

__all__: list[str] = []
