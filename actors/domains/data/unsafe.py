"""The deny list that ships with the game, ready to search texts of authors with (domain 6.5)."""

from __future__ import annotations

from typing import Final

from actors.domains.data import unsafe_phrases
from actors.domains.rules.deny_list import DenyList

__all__ = ["UNSAFE"]

UNSAFE: Final = DenyList(unsafe_phrases())
"""What no text of a world may contain."""
