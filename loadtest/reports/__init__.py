"""Reports: what a load did, live, as a document for programs and as a page for people."""

from __future__ import annotations

__all__: list[str] = []
