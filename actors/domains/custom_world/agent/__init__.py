"""The creation agent: sessions in which authors and models make worlds together (domain 07)."""

from __future__ import annotations

__all__: list[str] = []
