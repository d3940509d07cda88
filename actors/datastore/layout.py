"""Table layout: a declared table, compiled for the datastore."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["TableLayout"]


@dataclass(frozen=True, slots=True, eq=False)
class TableLayout:
    """What an actor's table needs to know; one object for all actors of a kind.

    Attributes:
        row: the row class, a tuple subclass.
        id: the table's number in the store, stable for the store's life.
        columns: column names by position; all other attributes speak of positions.
        encode: a row's BSATN.
        decode: a row and its end offset from BSATN at an offset.
        added: of a layout that rows were once stored in, what such a row lacks at its end; its
            ``decode`` takes a row as it was stored. None for the layout of today.
        encode_key, decode_key: BSATN of a primary key's value; None for a table without one.
        key_bytes: how long the key is that a row's BSATN begins with; 0 for a string's, which says
            it in front, and None where no row begins with its key.
    """

    row: type
    id: int
    name: str
    columns: tuple[str, ...]
    encode: Callable[[object], bytes]
    decode: Callable[[bytes, int], tuple[object, int]]
    encode_key: Callable[[object], bytes] | None
    decode_key: Callable[[bytes, int], tuple[object, int]] | None
    key_bytes: int | None
    primary_key: int | None
    unique: tuple[int, ...]
    indexes: tuple[tuple[int, ...], ...]
    auto_increment: int | None
    is_event: bool
    is_public: bool
    added: bytes | None = None

    def key_of(self, key: object, row: bytes) -> bytes:
        """The key of a row as it is stored, given both; cutting it out costs a tenth of encoding.

        Of a table without a primary key it is what the row is.
        """
        size = self.key_bytes
        if size is not None:
            if not size:
                size = 4 + (row[0] | row[1] << 8 | row[2] << 16 | row[3] << 24)
            return row[:size]
        return row if self.encode_key is None else self.encode_key(key)
