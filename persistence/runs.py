"""Run: consecutive records of one actor in one row, and where each of them lies. Pure.

The places of a run hold for each record its size, u32, and its time, i64, little-endian; those of a
run of one record only its time, since its size is the row's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import Struct
from typing import NamedTuple

from persistence.limits import RUN_BYTES_MAX, RUN_RECORDS_MAX
from persistence.record import TIME_PLACE

__all__ = ["Entry", "Run", "cut_run", "join_runs"]

_pack_size = Struct("<I").pack
_unpack_sizes = Struct("<I8x").iter_unpack
_unpack_entries = Struct("<Iq").iter_unpack
_PLACE_BYTES = 12
_FROM, _TO = TIME_PLACE.start, TIME_PLACE.stop


class Entry(NamedTuple):
    """One record of a run: its size in bytes and its time, which is not checked."""

    seq: int
    size: int
    time: int


class Run(NamedTuple):
    """A row of a journal without its records: first and last number, and their size together."""

    seq: int
    last: int
    size: int
    places: bytes

    def entries(self) -> Iterator[Entry]:
        """The records, ascending; of damaged places some numbers, as far as they go."""
        if self.seq == self.last:
            yield Entry(self.seq, self.size, int.from_bytes(self.places, "little", signed=True))
            return
        for seq, (size, time) in enumerate(_unpack_entries(_whole(self.places)), self.seq):
            yield Entry(seq, size, time)


def join_runs(seq: int, records: Sequence[bytes]) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Join the records ``seq``, ``seq + 1`` and so on into runs; hot path of filing.

    Yields (first number, count, places, records); the places of a single record are empty.
    """
    if len(records) == 1:
        yield seq, 1, b"", records[0]
        return
    start, size = 0, 0
    for end, record in enumerate(records, 1):
        size += len(record)
        if end == len(records) or end - start == RUN_RECORDS_MAX or size >= RUN_BYTES_MAX:
            part = records[start:end]
            places = b""
            if len(part) > 1:
                places = b"".join([_pack_size(len(data)) + data[_FROM:_TO] for data in part])
            yield seq + start, len(part), places, b"".join(part)
            start, size = end, 0


def cut_run(seq: int, places: bytes, data: bytes) -> list[tuple[int, bytes]]:
    """Cut a run's records apart again, with their numbers.

    Bytes that do not add up make records that do not prove whole.
    """
    if not places:
        return [(seq, data)]
    ends = list(accumulate(size for (size,) in _unpack_sizes(_whole(places))))
    starts = (0, *ends)
    return [(seq + at, data[starts[at] : end]) for at, end in enumerate(ends)]


def _whole(places: bytes) -> bytes:
    """Without what damage may have left at the end."""
    return places[: len(places) // _PLACE_BYTES * _PLACE_BYTES]
