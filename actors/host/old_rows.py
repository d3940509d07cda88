"""Old rows: those that an actor finds stored in a layout of before, and how they are stored anew.

Each layout that a table ever had has a number of its own in the store, so every stored row, in
checkpoint, journal and history alike, says by itself how it is read. An actor that is activated
reads all of them as rows of today, and its first turn writes the old ones anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actors.datastore import Table, TableLayout
from actors.limits import EVOLUTION_RECORD_BYTES
from persistence.record import RowChange

__all__ = ["OldRows"]


class OldRows:
    """An actor's rows that are stored in layouts of before, by their place, as they shall be."""

    __slots__ = ("_anew",)

    def __init__(self) -> None:
        self._anew: dict[tuple[int, bytes], RowChange] = {}

    def __len__(self) -> int:
        return len(self._anew)

    def read(
        self, table: Table[Any], layout: TableLayout, key: bytes | None, data: bytes | None
    ) -> None:
        """Bring a row into memory that is stored in a layout of before, or take it out.

        Args:
            table: of today.
            layout: that the row is stored in.
            key: the stored key; None in a checkpoint, which has rows alone.
            data: None when the row is gone.

        Raises DecodeError for rows that are not whole.
        """
        assert layout.added is not None
        is_keyed = layout.encode_key is not None
        if data is None:
            assert key is not None
            self._anew.pop((layout.id, key), None)
            table.unload(key if is_keyed else key + layout.added)
            return
        whole = data + layout.added
        table.load(whole)
        old_key, new_key = data, whole
        if layout.encode_key is not None and layout.primary_key is not None:
            row: Any = layout.decode(data, 0)[0]
            old_key = new_key = layout.encode_key(row[layout.primary_key])
        self._anew[layout.id, old_key] = RowChange(table.layout.id, new_key, whole)

    def take_changes(self) -> Iterator[list[RowChange]]:
        """What stores them anew, in parts of bounded size; after each, every row is stored once."""
        changes: list[RowChange] = []
        size_bytes = 0
        for (table_id, key), change in self._anew.items():
            changes += (RowChange(table_id, key, None), change)
            size_bytes += len(change.row or b"")
            if size_bytes >= EVOLUTION_RECORD_BYTES:
                yield changes
                changes, size_bytes = [], 0
        if changes:
            yield changes
        self._anew = {}
