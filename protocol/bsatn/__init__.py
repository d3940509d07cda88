"""BSATN, the binary encoding of values on the wire: codecs compiled from declared types."""

from __future__ import annotations

from protocol.bsatn.codec import Codec, compile_codec
from protocol.bsatn.decoder import Decode
from protocol.bsatn.encoder import Encode

__all__ = ["Codec", "Decode", "Encode", "compile_codec"]
