"""The deny lists that ship with the game, ready to search texts with (domain 6.5, 8.3)."""

from __future__ import annotations

from typing import Final

from actors.domains.data import denied_phrases, unsafe_phrases
from actors.domains.rules.deny_list import DenyList

__all__ = ["DENIED", "UNSAFE"]

UNSAFE: Final = DenyList(unsafe_phrases())
"""What no text of a world may contain."""

DENIED: Final = DenyList(denied_phrases())
"""What no text of a model may contain."""
