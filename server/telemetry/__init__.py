"""What the server tells of itself: metrics, traces."""

from __future__ import annotations

__all__: list[str] = []
