from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistence.errors import CorruptRecordError
from persistence.record import (
    Record,
    RowChange,
    check_place,
    decode_record,
    encode_record,
    record_seq,
    verify_record,
)

u32 = st.integers(0, 2**32 - 1)
changes = st.builds(RowChange, u32, st.binary(), st.none() | st.binary())
records = st.builds(
    Record,
    seq=st.integers(0, 2**64 - 1),
    time=st.integers(-(2**63), 2**63 - 1),
    call=st.text(),
    caller=st.just(b"") | st.binary(min_size=32, max_size=32),
    args=st.binary(),
    changes=st.lists(changes, max_size=5).map(tuple),
)


def sealed(body: bytes) -> bytes:
    return body + struct.pack("<I", zlib.crc32(body))


@given(records)
def test_decoding_gives_back_what_was_encoded(record):
    data = encode_record(*record)
    assert decode_record(data) == record
    assert record_seq(data) == record.seq
    verify_record(data, record.seq)


def test_the_layout_is_the_documented_one():
    data = encode_record(
        7, -1, "né", b"\x01" * 32, b"ab", [RowChange(5, b"k", None), (6, b"", b"r")]
    )
    expected = (
        b"\x01"
        + (7).to_bytes(8, "little")
        + b"\xff" * 8
        + b"\x20\x03\x00\x02\x00\x00\x00\x02\x00\x00\x00"
        + "né".encode()
        + b"\x01" * 32
        + b"ab"
        + b"\x05\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\xffk"
        + b"\x06\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00r"
    )
    assert data == sealed(expected)


@given(st.binary())
def test_random_bytes_are_corrupt(data):
    for read in (decode_record, lambda data: verify_record(data, 1)):
        with pytest.raises(CorruptRecordError):
            read(data)


@given(st.integers(1, 1), st.binary(min_size=27, max_size=200))
def test_a_right_checksum_does_not_make_random_bytes_a_crash(version, body):
    data = sealed(bytes([version]) + body)
    try:
        record = decode_record(data)
    except CorruptRecordError:
        return
    assert encode_record(*record) == data


@given(records, st.data())
def test_any_flipped_bit_is_found(record, data):
    whole = encode_record(*record)
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    altered = bytearray(whole)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CorruptRecordError):
        decode_record(bytes(altered))
    with pytest.raises(CorruptRecordError):
        verify_record(bytes(altered), record.seq)


@given(records, st.data())
def test_a_torn_record_is_found(record, data):
    whole = encode_record(*record)
    with pytest.raises(CorruptRecordError):
        decode_record(whole[: data.draw(st.integers(0, len(whole) - 1))])


def header(version=1, caller=0, call=0, args=0, changes=0):
    return struct.pack("<BQqBHII", version, 1, 0, caller, call, args, changes)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (header(version=2), "unknown version 2"),
        (header(caller=5) + b"abcde", "a caller of 5 bytes"),
        (header(call=9), "lengths exceed"),
        (header(args=1), "lengths exceed"),
        (header(call=1) + b"\xff", "not UTF-8"),
        (header(changes=1), "1 changes do not fit"),
        (header(changes=1) + struct.pack("<III", 0, 1, 0), "a change exceeds"),
        (header(changes=1) + struct.pack("<III", 0, 0, 1), "a change exceeds"),
        (header(changes=2) + struct.pack("<III", 0, 12, 0) + bytes(12), "a change exceeds"),
        (header() + b"x", "1 bytes too many"),
    ],
)
def test_whole_bytes_that_make_no_sense_are_corrupt(body, reason):
    with pytest.raises(CorruptRecordError, match=reason):
        decode_record(sealed(body))


def test_a_record_of_another_place_is_not_verified():
    with pytest.raises(CorruptRecordError, match="sequence number 2"):
        verify_record(encode_record(2, 0, "", b"", b"", []), 1)


def test_the_place_of_a_record_is_its_sequence_number():
    data = encode_record(2**63 + 5, 0, "call", b"", b"", [])
    check_place(data, 2**63 + 5)
    for seq in (5, 2**63 + 4, 0):
        with pytest.raises(CorruptRecordError, match=f"given as {seq}"):
            check_place(data, seq)
    with pytest.raises(CorruptRecordError, match="31 bytes"):
        check_place(bytes(31), 0)


def test_a_record_too_short_has_no_sequence_number():
    with pytest.raises(CorruptRecordError):
        record_seq(bytes(31))


@pytest.mark.parametrize("caller", [b"x", b"x" * 31, b"x" * 33])
def test_a_caller_of_another_length_is_a_programmers_error(caller):
    with pytest.raises(AssertionError):
        encode_record(1, 0, "", caller, b"", [])


def test_a_call_name_beyond_its_length_field_is_a_programmers_error():
    encode_record(1, 0, "x" * 0xFFFF, b"", b"", [])
    with pytest.raises(AssertionError):
        encode_record(1, 0, "x" * 0x1_0000, b"", b"", [])
