"""Effects: what the server provides to modules for acting outside, beyond the actors."""

from __future__ import annotations

__all__: list[str] = []
