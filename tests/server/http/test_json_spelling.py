"""Values survive their way through JSON, and everything else is refused with its place."""

from __future__ import annotations

from enum import IntEnum
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import (
    ConnectionId,
    Identity,
    ReducerError,
    TimeDuration,
    Timestamp,
    f64,
    i8,
    i64,
    struct,
    u8,
    u32,
    u64,
    u128,
)
from actors.errors import DeclarationError
from server.http.json_reading import parse_object, reader_of, value_of_text
from server.http.json_writing import json_bytes, write_anything, writer_of
from server.http.shapes import record_of, shape_of
from server.limits import JSON_DEPTH_MAX, JSON_INTEGER_MAX, JSON_NODES_MAX


class Colour(IntEnum):
    RED = 0
    DARK_BLUE = 1


@struct
class Inner:
    name: str
    weight: i64
    note_text: str | None


@struct
class Outer:
    flag: bool
    ratio: f64
    large: u64
    moment: Timestamp
    span: TimeDuration
    who: Identity
    where: ConnectionId
    number: UUID
    data: bytes
    colours: list[Colour]
    inner: Inner
    more: list[Inner] | None
    payload_json: str
    extra_json: str | None
    count: u32 = 3


INNERS = st.builds(
    Inner,
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])),
)
JSON_TEXTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('aä\n"', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
).map(lambda value: orjson.dumps(value).decode())
OUTERS = st.builds(
    Outer,
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 2**64 - 1),
    # Years 1 to 9999, which RFC 3339 has.
    st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 2**256 - 1).map(Identity),
    st.integers(0, 2**128 - 1).map(ConnectionId),
    st.uuids(),
    st.binary(max_size=20),
    st.lists(st.sampled_from(Colour), max_size=3),
    INNERS,
    st.none() | st.lists(INNERS, max_size=2),
    JSON_TEXTS,
    JSON_TEXTS.filter(lambda text: text != "null") | st.none(),
    st.integers(0, 2**32 - 1),
)


@given(OUTERS)
def test_a_struct_survives(value: Outer):
    shape = record_of(Outer)
    found = orjson.loads(json_bytes(writer_of(shape)(value)))
    assert reader_of(shape)(found, "") == value


def test_names_and_values_look_as_they_should():
    value = Outer(
        True, 0.5, 2**64 - 1, 0, -1, Identity(1), ConnectionId(2), UUID(int=3), b"\xff",
        [Colour.DARK_BLUE], Inner("a", 1, None), None, '{"b":1,"a":[]}', None,
    )  # fmt: skip
    assert json_bytes(writer_of(record_of(Outer))(value)).decode() == (
        '{"flag":true,"ratio":0.5,"large":18446744073709551615,'
        '"moment":"1970-01-01T00:00:00.000000Z","span":-1,'
        f'"who":"{"0" * 63}1","where":"{"0" * 31}2",'
        '"number":"00000000-0000-0000-0000-000000000003","data":"/w==",'
        '"colours":["dark_blue"],"inner":{"name":"a","weight":1,"noteText":null},"more":null,'
        '"payload":{"b":1,"a":[]},"extra":null,"count":3}'
    )


def test_a_moment_beyond_all_years_is_the_last_one():
    write = writer_of(shape_of(Timestamp))
    assert write(2**63 - 1) == "9999-12-31T23:59:59.999999Z"
    assert write(-(2**63)) == "0001-01-01T00:00:00.000000Z"


def test_values_that_nobody_declared_are_written_by_what_they_are():
    value = {
        "keptAs_it_is": Colour.RED,
        "who": Identity(1),
        "inner": Inner("a", 1, None),
        "many": [Inner("b", 2, "c"), (1, None, 0.5)],
        "data": b"\0",
        "odd": UUID(int=0),
    }
    assert write_anything(value) == {
        "keptAs_it_is": "red",
        "who": "0" * 63 + "1",
        "inner": {"name": "a", "weight": 1, "noteText": None},
        "many": [{"name": "b", "weight": 2, "noteText": "c"}, [1, None, 0.5]],
        "data": "AA==",
        "odd": "00000000-0000-0000-0000-000000000000",
    }


GOOD = {
    "flag": True,
    "ratio": 1,
    "large": 1,
    "moment": "2030-01-31T12:00:00+01:00",
    "span": 1,
    "who": "0" * 64,
    "where": "0" * 32,
    "number": str(UUID(int=0)),
    "data": "",
    "colours": [],
    "inner": {"name": "", "weight": 0},
    "payload": None,
}


def test_what_may_be_left_out_has_its_default():
    value = reader_of(record_of(Outer))({**GOOD, "count": None, "unknown": 1}, "")
    assert value.more is None
    assert value.extra_json is None
    assert value.payload_json == "null"
    assert value.count == 3
    assert value.inner.note_text is None
    assert value.moment == 1_896_087_600_000_000


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"flag": 1}, "input.invalid_type", "flag"),
        ({"flag": None}, "input.invalid_type", "flag"),
        ({"ratio": "1"}, "input.invalid_type", "ratio"),
        ({"ratio": True}, "input.invalid_type", "ratio"),
        ({"large": 1.0}, "input.invalid_type", "large"),
        ({"large": True}, "input.invalid_type", "large"),
        ({"large": "1"}, "input.invalid_type", "large"),
        ({"large": -1}, "input.out_of_range", "large"),
        ({"large": 2**64}, "input.out_of_range", "large"),
        ({"moment": 5}, "input.invalid_type", "moment"),
        ({"moment": "2030-01-31"}, "input.invalid_type", "moment"),
        ({"moment": "2030-01-31T12:00:00"}, "input.invalid_type", "moment"),
        ({"moment": "2030-02-31T12:00:00Z"}, "input.invalid_type", "moment"),
        ({"moment": "2030-01-31T12:00:00.1234567Z"}, "input.invalid_type", "moment"),
        ({"who": "0"}, "input.invalid_type", "who"),
        ({"where": "x"}, "input.invalid_type", "where"),
        ({"number": "x"}, "input.invalid_type", "number"),
        ({"data": "?"}, "input.invalid_type", "data"),
        ({"data": 1}, "input.invalid_type", "data"),
        ({"colours": "red"}, "input.invalid_type", "colours"),
        ({"colours": ["red", 0]}, "input.invalid_type", "colours[1]"),
        ({"colours": ["red", "RED"]}, "input.unknown_variant", "colours[1]"),
        ({"inner": []}, "input.invalid_type", "inner"),
        ({"inner": {"name": "a"}}, "input.missing_field", "inner.weight"),
        ({"more": [{"name": 1, "weight": 0}]}, "input.invalid_type", "more[0].name"),
    ],
)
def test_a_wrong_value_is_refused_by_its_place(changes, code, path):
    with pytest.raises(ReducerError) as caught:
        reader_of(record_of(Outer))({**GOOD, **changes}, "")
    assert caught.value.code == code
    assert caught.value.details["path"] == path


@pytest.mark.parametrize("key", [key for key in GOOD if key != "count"])
def test_what_must_be_there_is_missed(key):
    with pytest.raises(ReducerError) as caught:
        reader_of(record_of(Outer))({name: GOOD[name] for name in GOOD if name != key}, "")
    assert caught.value.code == "input.missing_field"
    assert caught.value.details["path"] == key


@pytest.mark.parametrize("hint", [u128, Inner | Outer, u8 | i8 | None, complex, set[str]])
def test_types_without_json_are_refused(hint):
    with pytest.raises(DeclarationError):
        shape_of(hint)


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (u32, "7", 7),
        (i8, "-7", -7),
        (u32, "0", 0),
        *[
            (u32, text, text)
            for text in ("", "07", "+7", " 7", "7.0", "1e3", "0x7", "\u0667", "-0")
        ],
        (u64, "9" * 21, "9" * 21),
        (bool, "true", True),
        (bool, "false", False),
        (bool, "True", "True"),
        (str, "", ""),
        (u32 | None, "", None),
        (u32 | None, "5", 5),
        (Colour, "red", "red"),
        (list[u32], "5", 5),
    ],
)
def test_texts_of_addresses(hint, text, value):
    found = value_of_text(shape_of(hint), text)
    assert found == value
    assert type(found) is type(value)


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b' {"a": [1, -1, 1.5, true, null, "\\u00e4"]} ',
        nested(JSON_DEPTH_MAX),
        b'{"a":%d}' % JSON_INTEGER_MAX,
        b'{"a":%d}' % -JSON_INTEGER_MAX,
        b'{"a":[%s]}' % b",".join([b"1"] * (JSON_NODES_MAX - 2)),
        b'{"a":"\\ud83d\\ude00"}',
    ],
)
def test_objects_are_parsed(data):
    assert parse_object(data) == orjson.loads(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"[]",
        b"1",
        b"null",
        b'"text"',
        b"{} {}",
        b'{"a":1,"a":1}',
        b'{"b":[{"a":1,"a":2}]}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":"\xff"}',
        b"\xff\xfe{\0}\0",
        nested(JSON_DEPTH_MAX + 1),
        b"[" * 100_000,
        b'{"a":%d}' % (JSON_INTEGER_MAX + 1),
        b'{"a":%d}' % (-JSON_INTEGER_MAX - 1),
        b'{"a":%s}' % (b"9" * 5_000),
        b'{"a":[%s]}' % b",".join([b"1"] * (JSON_NODES_MAX - 1)),
    ],
)
def test_what_is_no_object_of_ours_is_malformed(data):
    with pytest.raises(ReducerError) as caught:
        parse_object(data)
    assert caught.value.code == "input.json_malformed"


@given(st.binary(max_size=60))
def test_bytes_are_parsed_or_malformed(data):
    try:
        parse_object(data)
    except ReducerError as error:
        refused = error.code
    else:
        refused = ""
    assert refused in {"", "input.json_malformed"}
