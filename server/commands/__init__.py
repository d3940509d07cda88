"""Commands of the command line, one module each; imported when they run."""

from __future__ import annotations

__all__: list[str] = []
