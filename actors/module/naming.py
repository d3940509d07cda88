"""Names on the wire, derived from names in Python."""

from __future__ import annotations

import re

__all__ = ["camel", "snake"]

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """``QuestRecord`` becomes ``quest_record``, ``NPCState`` becomes ``npc_state``."""
    return _WORD.sub("_", name).lower()


def camel(name: str) -> str:
    """``drop_table`` becomes ``dropTable``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
