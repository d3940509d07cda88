"""SATS-JSON, the JSON form of values: codecs compiled from declared types, and the text itself."""

from __future__ import annotations

from protocol.sats_json.codec import JsonCodec, compile_json
from protocol.sats_json.text import dumps, loads

__all__ = ["JsonCodec", "compile_json", "dumps", "loads"]
