from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import DecodeError
from protocol.row_list import decode_row_list, decode_rows, encode_row_list, split_rows

AXE = bytes.fromhex("01000000000000000300000061786503000000")
CROSSBOW = bytes.fromhex("02000000000000000800000063726f7373626f7705000000")


@pytest.mark.parametrize(
    ("rows", "encoded"),
    [
        ([], "010000000000000000"),
        ([AXE], "00130013000000" + AXE.hex()),
        ([AXE, AXE], "00130026000000" + (AXE + AXE).hex()),
        (
            [AXE, CROSSBOW],
            "010200000000000000000000001300000000000000" + "2b000000" + (AXE + CROSSBOW).hex(),
        ),
        ([b""], "0101000000000000000000000000000000"),
        ([b"", b""], "0102000000" + "00" * 16 + "00000000"),
        ([b"\x07", b""], "0102000000" + "00" * 8 + "0100000000000000" + "0100000007"),
    ],
)
def test_host_rules(rows, encoded):
    assert encode_row_list(rows).hex() == encoded
    assert decode_rows(bytes.fromhex(encoded), 0) == (rows, len(encoded) // 2)


def test_rows_longer_than_u16_have_offsets():
    assert encode_row_list([bytes(65_535)])[0] == 0
    assert encode_row_list([bytes(65_535)] * 2)[0] == 0
    for rows in ([bytes(65_536)], [bytes(65_536)] * 2):
        encoded = encode_row_list(rows)
        assert encoded[0] == 1
        assert decode_rows(encoded, 0) == (rows, len(encoded))


@given(st.lists(st.binary(max_size=4)), st.binary(max_size=3), st.binary(max_size=3))
def test_rows_survive(rows, before, after):
    encoded = encode_row_list(rows)
    decoded, end = decode_rows(before + encoded + after, len(before))
    assert decoded == rows
    assert end == len(before) + len(encoded)
    hint, data, _ = decode_row_list(encoded, 0)
    assert data == b"".join(rows)
    sizes = {len(row) for row in rows}
    if len(sizes) == 1 and sizes != {0}:
        assert hint == sizes.pop()
    else:
        assert hint == tuple(sum(map(len, rows[:number])) for number in range(len(rows)))


@given(st.lists(st.binary(max_size=3), max_size=3), st.data())
def test_no_strict_prefix_decodes(rows, data):
    encoded = encode_row_list(rows)
    with pytest.raises(DecodeError):
        decode_row_list(encoded[: data.draw(st.integers(0, len(encoded) - 1))], 0)


@given(st.binary(max_size=40), st.integers(0, 45))
def test_random_bytes_raise_only_decode_error(data, offset):
    try:
        rows, end = decode_rows(data, offset)
    except DecodeError:
        return
    assert offset < end <= len(data)
    assert b"".join(rows) in data


@pytest.mark.parametrize(
    ("hint", "data"),
    [
        (0, b""),
        (0, b"xx"),
        (2, b"xxx"),
        ((), b"x"),
        ((1,), b"xx"),
        ((0, 3), b"xx"),
        ((0, 2, 1), b"xx"),
    ],
)
def test_hints_that_do_not_fit_are_refused(hint, data):
    with pytest.raises(DecodeError):
        split_rows(hint, data)


@pytest.mark.parametrize("encoded", ["02", "01ffffffff", "00010005000000aa", ""])
def test_malformed_lists_are_refused(encoded):
    with pytest.raises(DecodeError):
        decode_row_list(bytes.fromhex(encoded), 0)
