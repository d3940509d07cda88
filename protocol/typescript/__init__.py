"""TypeScript bindings of a module for the official SDK, printed from its schema."""

from __future__ import annotations

from protocol.typescript.generate import generate

__all__ = ["generate"]
