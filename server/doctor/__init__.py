"""Doctor: looks at everything that a server needs, and says what to do about what is wrong."""

from __future__ import annotations

__all__: list[str] = []
