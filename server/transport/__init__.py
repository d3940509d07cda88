"""Websockets: handshake, frames, keep-alive and delivery of one socket's messages."""

from __future__ import annotations

__all__: list[str] = []
