"""The wire: types, codecs, messages, queries and schemas as pure data and functions.

Nothing here does I/O, reads a clock, draws random numbers or knows the game; import what is needed
from the submodules.
"""

from __future__ import annotations

__all__: list[str] = []
