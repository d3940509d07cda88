"""Changes: the rows that a transaction brought and took away, by whom they concern."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias, TypeVar

from actors.datastore import EncodedRow

__all__ = ["Changes", "change_of"]

Key = TypeVar("Key", bound=Hashable)

Changes: TypeAlias = dict[Key, tuple[list[EncodedRow], list[EncodedRow]]]
"""What came and what went."""


def change_of(key: Key, changes: Changes[Key]) -> tuple[list[EncodedRow], list[EncodedRow]]:
    """The lists of one that is concerned; empty ones are put in for who was not before."""
    change = changes.get(key)
    if change is None:
        change = changes[key] = ([], [])
    return change
