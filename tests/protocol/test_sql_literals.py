from __future__ import annotations

import math
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import SqlError
from protocol.sql.literals import is_comparable, literal_value, type_text
from protocol.sql.syntax import Literal, LiteralKind
from protocol.types import (
    BOOL,
    BYTES,
    CONNECTION_ID,
    F32,
    F64,
    I8,
    I64,
    I256,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    U16,
    U32,
    U64,
    U256,
    UNIT,
    UUID,
    ArrayType,
    EnumType,
    Field,
    OptionType,
    ProductType,
    ResultType,
    SumType,
)

NUMBER, STRING_KIND, HEX, BOOLEAN = (
    LiteralKind.NUMBER,
    LiteralKind.STRING,
    LiteralKind.HEX,
    LiteralKind.BOOL,
)
DIGITS = "c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"
SHORT = "00112233445566778899aabbccddeeff"
DASHED = "00112233-4455-6677-8899-aabbccddeeff"


@pytest.mark.parametrize(
    ("kind", "text", "type_", "value"),
    [
        (NUMBER, "255", U8, 255),
        (NUMBER, "-128", I8, -128),
        (NUMBER, "1e3", U16, 1000),
        (NUMBER, "2.50e1", U8, 25),
        (NUMBER, "7.0", U8, 7),
        (NUMBER, str(2**256 - 1), U256, 2**256 - 1),
        (NUMBER, str(-(2**255)), I256, -(2**255)),
        (NUMBER, "-1.5", F64, -1.5),
        (NUMBER, "3", F64, 3.0),
        (NUMBER, "0.1", F32, 0.10000000149011612),
        (NUMBER, "1e300", F32, math.inf),
        (NUMBER, "-1e300", F32, -math.inf),
        (BOOLEAN, "TRUE", BOOL, True),
        (BOOLEAN, "FALSE", BOOL, False),
        (STRING_KIND, "it's", STRING, "it's"),
        (STRING_KIND, "", STRING, ""),
        (HEX, "ABcd", BYTES, b"\xab\xcd"),
        (HEX, "", BYTES, b""),
        (HEX, DIGITS, IDENTITY, int(DIGITS, 16)),
        (STRING_KIND, DIGITS, IDENTITY, int(DIGITS, 16)),
        (STRING_KIND, "0x" + DIGITS, IDENTITY, int(DIGITS, 16)),
        (HEX, SHORT, CONNECTION_ID, int(SHORT, 16)),
        (STRING_KIND, "0x" + SHORT, CONNECTION_ID, int(SHORT, 16)),
        (HEX, SHORT, UUID, uuid.UUID(SHORT)),
        (STRING_KIND, SHORT, UUID, uuid.UUID(SHORT)),
        (STRING_KIND, DASHED.upper(), UUID, uuid.UUID(SHORT)),
        (STRING_KIND, "{" + DASHED + "}", UUID, uuid.UUID(SHORT)),
        (STRING_KIND, "urn:uuid:" + DASHED, UUID, uuid.UUID(SHORT)),
        (STRING_KIND, "2025-02-17T10:30:45.123456Z", TIMESTAMP, 1_739_788_245_123_456),
        (STRING_KIND, "2025-02-17t11:30:45.1234569+01:00", TIMESTAMP, 1_739_788_245_123_456),
        (STRING_KIND, "1969-12-31 23:59:59Z", TIMESTAMP, -1_000_000),
        (STRING_KIND, "1969-12-31T19:00:00-05:00", TIMESTAMP, 0),
    ],
)
def test_literals(kind, text, type_, value):
    result = literal_value(Literal(kind, text), type_)
    assert result == value
    assert type(result) is not bool or type_ == BOOL


@pytest.mark.parametrize(
    ("kind", "text", "type_"),
    [
        (NUMBER, "256", U8),
        (NUMBER, "-1", U8),
        (NUMBER, "1.5", I64),
        (NUMBER, "1e1000000000", U64),
        (NUMBER, "1e99999999999999999999999", U64),
        (NUMBER, "9" * 5000, U256),
        (NUMBER, "0." + "0" * 5000 + "1", U64),
        (NUMBER, "1", STRING),
        (STRING_KIND, "1", U32),
        (HEX, "01", U32),
        (HEX, "abc", BYTES),
        (STRING_KIND, "abcd", BYTES),
        (HEX, "zz", BYTES),
        (HEX, SHORT, IDENTITY),
        (STRING_KIND, "", IDENTITY),
        (NUMBER, "1", IDENTITY),
        (HEX, DIGITS, CONNECTION_ID),
        (STRING_KIND, DASHED.replace("-", "--"), UUID),
        (STRING_KIND, "{" + DASHED, UUID),
        (HEX, "00", UUID),
        (NUMBER, "0", TIMESTAMP),
        (STRING_KIND, "2025-02-30T00:00:00Z", TIMESTAMP),
        (STRING_KIND, "2025-02-17T10:30:45", TIMESTAMP),
        (STRING_KIND, "2025-02-17", TIMESTAMP),
        (STRING_KIND, "2025-02-17T10:30:45+24:00", TIMESTAMP),
        (NUMBER, "1", TIME_DURATION),
        (NUMBER, "1", BOOL),
    ],
)
def test_literals_of_the_wrong_form(kind, text, type_):
    with pytest.raises(SqlError) as caught:
        literal_value(Literal(kind, text), type_)
    expected = f"The literal expression `{text}` cannot be parsed as type `{type_text(type_)}`"
    assert str(caught.value) == expected


def test_a_bool_for_another_type():
    with pytest.raises(SqlError) as caught:
        literal_value(Literal(BOOLEAN, "TRUE"), U32)
    assert str(caught.value) == "Unexpected type: (expected) Bool != U32 (inferred)"


@given(st.sampled_from([U8, I8, U64, I64, U256, I256]), st.integers(-(2**260), 2**260))
def test_integers_fit_exactly_their_range(type_, number):
    bits = int(type_.name[1:])
    low, high = (0, 2**bits) if type_.name[0] == "U" else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    literal = Literal(NUMBER, str(number))
    if low <= number < high:
        assert literal_value(literal, type_) == number
    else:
        with pytest.raises(SqlError):
            literal_value(literal, type_)


def test_what_can_be_compared():
    comparable = [U8, I256, F32, BOOL, STRING, BYTES, IDENTITY, CONNECTION_ID, TIMESTAMP, UUID]
    assert all(map(is_comparable, comparable))
    others = [TIME_DURATION, SCHEDULE_AT, UNIT, ArrayType(U16), OptionType(U8), EnumType(("A",))]
    assert not any(map(is_comparable, others))


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (U32, "U32"),
        (BYTES, "Array<U8>"),
        (OptionType(U8), "(some: U8 | none: ())"),
        (ResultType(U8, STRING), "(ok: U8 | err: String)"),
        (EnumType(("A", "B")), "(A: () | B: ())"),
        (ProductType((Field("x", U8), Field("y", UNIT))), "(x: U8, y: ())"),
        (SumType((Field("A", U8),)), "(A: U8)"),
    ],
)
def test_types_in_messages(type_, text):
    assert type_text(type_) == text
