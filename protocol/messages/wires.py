"""Wires: what each connection of one module speaks, by the subprotocol that was chosen."""

from __future__ import annotations

from collections.abc import Callable

from protocol.messages.lexicon import Lexicon
from protocol.messages.v1 import V1Wire
from protocol.messages.v1_bsatn import V1Bsatn
from protocol.messages.v1_json import V1Json
from protocol.messages.v2 import V2
from protocol.messages.wire import Wire
from protocol.schema import ModuleSchema
from protocol.upgrade import Subprotocol

__all__ = ["Wires"]


class Wires:
    """All versions of the wire for one module.

    Args:
        schema: the module's, whose names and types version 1 needs.
        stopwatch: seconds, monotonic; version 1 says how long answers took.
    """

    def __init__(self, schema: ModuleSchema, stopwatch: Callable[[], float]) -> None:
        lexicon = Lexicon(schema)
        self._bsatn = V1Bsatn(lexicon)
        self._json = V1Json(lexicon)
        self._stopwatch = stopwatch

    def open(self, subprotocol: Subprotocol) -> Wire:
        """The wire of a new connection."""
        match subprotocol:
            case Subprotocol.V1_BSATN:
                return V1Wire(self._bsatn, self._stopwatch)
            case Subprotocol.V1_JSON:
                return V1Wire(self._json, self._stopwatch)
            case _:
                return V2
