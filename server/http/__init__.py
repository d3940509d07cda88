"""HTTP routes of the server; each module builds the routes of one subject."""

from __future__ import annotations

__all__: list[str] = []
