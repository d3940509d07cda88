"""BsatnRowList: many rows' BSATN behind one hint of where each row starts (wire spec 5.4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from struct import Struct, pack, unpack_from
from struct import error as struct_error
from typing import Final, TypeAlias

from protocol.errors import DecodeError, EncodeError
from protocol.limits import FIXED_ROW_BYTES_MAX

__all__ = [
    "EMPTY_ROW_LIST",
    "SizeHint",
    "decode_row_list",
    "decode_rows",
    "encode_row_list",
    "split_rows",
]

SizeHint: TypeAlias = int | tuple[int, ...]
"""FixedSize as the size of every row, RowOffsets as the tuple of every row's start."""

EMPTY_ROW_LIST: Final = bytes.fromhex("01 00000000 00000000")
"""The canonical list of no rows: no offsets, no data."""

_fixed_head = Struct("<BHI")
_pack_fixed_head: Final = _fixed_head.pack
_length = Struct("<I")
_SPELLED: Final = 1_024
_SINGLE_HEADS: Final = tuple(_pack_fixed_head(0, size, size) for size in range(_SPELLED))
"""What comes before the only row of a list, for the sizes that most rows have."""


def encode_row_list(rows: Sequence[bytes]) -> bytes:
    """The row list of these rows' BSATN, in their order.

    Rows of one non-zero size that fits u16 get a FixedSize hint, all others RowOffsets.

    Raises:
        EncodeError: the rows are longer than a u32 can state.
    """
    if not rows:
        return EMPTY_ROW_LIST
    size = len(rows[0])
    count = len(rows)
    try:
        if count == 1 and 0 < size <= FIXED_ROW_BYTES_MAX:
            head = _SINGLE_HEADS[size] if size < _SPELLED else _pack_fixed_head(0, size, size)
            return head + rows[0]
        sizes = list(map(len, rows))
        total = sum(sizes)
        if 0 < size <= FIXED_ROW_BYTES_MAX and sizes.count(size) == count:
            return b"".join((_pack_fixed_head(0, size, total), *rows))
        starts = accumulate(sizes[:-1], initial=0)
        return b"".join((pack(f"<BI{count}QI", 1, count, *starts, total), *rows))
    except struct_error as fault:
        raise EncodeError(f"a row list of {count} rows is too long: {fault}") from None


def decode_row_list(data: bytes, offset: int) -> tuple[SizeHint, bytes, int]:
    """Read a row list; returns its hint, its rows' bytes in one piece, and the end offset.

    Raises:
        DecodeError: the bytes are no row list. Whether the hint fits the rows is not looked at;
            ``split_rows`` does that.
    """
    try:
        if data[offset] == 0:
            _, hint, size = _fixed_head.unpack_from(data, offset)
            start = offset + _fixed_head.size
            starts: SizeHint = hint
        elif data[offset] == 1:
            (count,) = _length.unpack_from(data, offset + 1)
            # Before the format is made: unpack_from refuses offsets that the data cannot hold.
            *offsets, size = unpack_from(f"<{count}QI", data, offset + 5)
            start = offset + 9 + 8 * count
            starts = tuple(offsets)
        else:
            raise DecodeError("unknown row size hint", offset)
    except (struct_error, IndexError) as fault:
        raise DecodeError(f"BsatnRowList: {fault}", offset) from None
    end = start + size
    if end > len(data):
        raise DecodeError("BsatnRowList: the data ends too early", start)
    return starts, data[start:end], end


def split_rows(hint: SizeHint, rows_data: bytes) -> list[bytes]:
    """Cut the rows' bytes at the places that the hint names; raises DecodeError when it cannot."""
    total = len(rows_data)
    if isinstance(hint, int):
        if hint == 0 or total % hint:
            raise DecodeError(f"rows of {hint} bytes cannot make {total} bytes")
        return [rows_data[start : start + hint] for start in range(0, total, hint)]
    if not hint:
        if total:
            raise DecodeError(f"no row starts in {total} bytes")
        return []
    bounds = (*hint, total)
    if hint[0] != 0 or any(start > end for start, end in pairwise(bounds)):
        raise DecodeError("row offsets must start at 0, ascend and stay inside the rows")
    return [rows_data[start:end] for start, end in pairwise(bounds)]


def decode_rows(data: bytes, offset: int) -> tuple[list[bytes], int]:
    """Read a row list and split it; returns each row's BSATN and the end offset."""
    hint, rows_data, end = decode_row_list(data, offset)
    return split_rows(hint, rows_data), end
