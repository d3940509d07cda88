from __future__ import annotations

import struct
import zlib

import pytest
from store_words import drop, put, record

from persistence.errors import CorruptActorError
from persistence.tail import fold_changes, fold_journal, fold_tail, verify_tail


def test_a_gapless_tail_gives_its_records():
    records = [record(seq) for seq in (4, 5, 6)]
    assert verify_tail("a", 3, zip((4, 5, 6), records, strict=True)) == records
    assert verify_tail("a", 3, []) == []


@pytest.mark.parametrize(("seqs", "missing"), [((5,), 4), ((4, 6), 5), ((4, 4), 5), ((3,), 4)])
def test_a_gap_names_the_missing_record(seqs, missing):
    with pytest.raises(CorruptActorError) as caught:
        verify_tail("a", 3, [(seq, record(seq)) for seq in seqs])
    assert (caught.value.actor, caught.value.seq) == ("a", missing)


def test_a_damaged_record_is_named():
    with pytest.raises(CorruptActorError) as caught:
        verify_tail("a", 0, [(1, record(1)), (2, record(3))])
    assert caught.value.seq == 2


def test_the_last_word_on_a_row_counts():
    records = [
        record(1, put(1, b"a", b"1"), put(1, b"b"), put(2, b"a")),
        record(2, drop(1, b"a"), put(1, b"a", b"2"), drop(2, b"a")),
    ]
    fold = fold_tail("a", 0, records)
    assert fold.changes == {
        (1, b"a"): put(1, b"a", b"2").row,
        (1, b"b"): put(1, b"b").row,
        (2, b"a"): None,
    }
    assert fold.time == 20


def test_a_whole_record_without_sense_is_named():
    body = struct.pack("<BQqBHII", 1, 2, 0, 0, 0, 0, 1)
    senseless = body + struct.pack("<I", zlib.crc32(body))
    assert verify_tail("a", 1, [(2, senseless)]) == [senseless]
    with pytest.raises(CorruptActorError) as caught:
        fold_tail("a", 1, [senseless])
    assert caught.value.seq == 2


def test_a_journal_is_folded_when_it_is_whole():
    numbered = [(seq, record(seq, put(1, bytes([seq])))) for seq in (4, 5, 6)]
    fold = fold_journal("a", 3, 6, numbered)
    assert fold == fold_tail("a", 3, [data for _, data in numbered])
    for cut, missing in ((slice(1, 3), 4), (slice(0, 2), 6), (slice(0, 0), 4)):
        with pytest.raises(CorruptActorError) as caught:
            fold_journal("a", 3, 6, numbered[cut])
        assert caught.value.seq == missing


def test_given_changes_are_a_fold_already():
    changes = [put(1, b"a", b"1"), drop(1, b"b"), put(1, b"a", b"2")]
    assert fold_changes(changes, 7) == fold_tail("a", 0, [record(1, *changes, time=7)])
