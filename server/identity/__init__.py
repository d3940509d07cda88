"""Who is calling: keys, tokens, and the claims they carry."""

from __future__ import annotations

__all__: list[str] = []
