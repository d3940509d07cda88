"""Values as operators read and write them: what is written is read back as it was."""

from __future__ import annotations

import json
from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.host.plain_json import moment_text, plain_json, shortened, spelling
from actors.module.types import algebraic_type, struct, u64
from protocol import types as t
from protocol.errors import DecodeError
from protocol.values import ConnectionId, Identity, ScheduleInterval, ScheduleTime, Variant


class Colour(IntEnum):
    DARK_RED = 0
    BLUE = 1


@struct
class Dot:
    x: u64


@struct
class Line:
    begin: Dot
    end: Dot | None
    colours: list[Colour]
    data: bytes


SHAPE = algebraic_type(Line)
EITHER = algebraic_type(Dot | Line)
SECOND = 1_000_000
MOMENT = 1_893_456_000 * SECOND

SPELLED = [
    (SHAPE, Line(Dot(1), None, [Colour.DARK_RED], b"\x01"), {
        "begin": {"x": 1}, "end": None, "colours": ["dark_red"], "data": "01"}),
    (EITHER, Dot(3), {"Dot": {"x": 3}}),
    (t.U64, 2**53, 2**53),
    (t.U64, 2**53 + 1, str(2**53 + 1)),
    (t.I256, -(2**255), str(-(2**255))),
    (t.F64, 0.5, 0.5),
    (t.BOOL, False, False),
    (t.STRING, "x", "x"),
    (t.IDENTITY, Identity(10), f"{10:064x}"),
    (t.CONNECTION_ID, ConnectionId(11), f"{11:032x}"),
    (t.TIMESTAMP, MOMENT + 5, "2030-01-01T00:00:00.000005Z"),
    (t.TIMESTAMP, -1, "1969-12-31T23:59:59.999999Z"),
    (t.TIME_DURATION, -7, -7),
    (t.SCHEDULE_AT, ScheduleInterval(9), {"interval": 9}),
    (t.SCHEDULE_AT, ScheduleTime(MOMENT), {"time": "2030-01-01T00:00:00.000000Z"}),
    (t.ResultType(t.BOOL, t.STRING), Variant(1, "no"), {"err": "no"}),
    (t.OptionType(t.BOOL), None, None),
    (t.UNIT, (), {}),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "value", "spelled"), SPELLED)
def test_values_are_spelled_for_people(declared, value, spelled):
    codec = plain_json(declared)
    assert codec.write(value) == spelled
    found = codec.read(json.loads(json.dumps(spelled)), "")
    assert found == value
    assert type(found) is type(value)


SPELLINGS = [
    (
        SHAPE,
        '{begin: {x: u64}, end?: {x: u64}, colours: ["dark_red" | "blue"], data: hex}',
    ),
    (t.ResultType(t.BOOL, t.OptionType(t.STRING)), "{ok: bool} | {err?: string}"),
    (t.OptionType(t.TIMESTAMP), "timestamp or null"),
    (algebraic_type(Dot | Line | None).some.variants[0].type, "{x: u64}"),
]


@pytest.mark.parametrize(("declared", "text"), SPELLINGS)
def test_a_type_is_told_to_people(declared, text):
    assert spelling(declared) == text


WRONG = [
    (SHAPE, {"begin": {"x": 1}, "colours": [], "data": "0"}, "data must be hexadecimal digits"),
    (SHAPE, {"begin": {"x": -1}, "colours": [], "data": ""}, "begin.x must be an integer from 0"),
    (SHAPE, {"begin": {}, "colours": [], "data": ""}, "begin.x is missing"),
    (SHAPE, {"begin": {"x": 1, "y": 2}, "colours": [], "data": ""}, "there is no begin.y"),
    (SHAPE, {"begin": {"x": 1}, "colours": ["red"], "data": ""}, r"colours\[0\] must be one of"),
    (SHAPE, {"begin": {"x": 1}, "colours": "blue", "data": ""}, "colours must be an array"),
    (SHAPE, [], "it must be an object"),
    (EITHER, {"Dot": {"x": 1}, "Line": None}, "an object of one of Dot, Line"),
    (EITHER, {"Dot": {"x": "a"}}, "Dot.x must be an integer"),
    (t.U8, 256, "an integer from 0 to 255"),
    (t.U8, True, "an integer"),
    (t.U8, "9" * 90, "an integer"),
    (t.U8, 1.0, "an integer"),
    (t.BOOL, 1, "true or false"),
    (t.STRING, None, "a string"),
    (t.F32, "1", "a number"),
    (t.F32, True, "a number"),
    (t.IDENTITY, "10", "64 hexadecimal digits"),
    (t.TIMESTAMP, "2030-01-01T00:00:00", "a moment"),
    (t.TIMESTAMP, 5, "a moment"),
    (t.SCHEDULE_AT, {"time": "x"}, r"\.time must be a moment"),
    (t.SCHEDULE_AT, {"time": "2030-01-01T00:00:00Z", "interval": 1}, "either"),
    (t.UUID, "x", "a UUID"),
]


@pytest.mark.parametrize(("declared", "structure", "text"), WRONG)
def test_what_is_no_value_is_refused_by_its_path(declared, structure, text):
    with pytest.raises(DecodeError, match=text):
        plain_json(declared).read(structure, "")


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_moment_has_a_text(micros):
    text = moment_text(micros)
    if text.endswith("Z"):
        assert plain_json(t.TIMESTAMP).read(text, "") == micros
    else:
        assert text == str(micros)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=30,
)


@given(json_values)
def test_what_is_short_stays_and_what_is_long_says_so(structure):
    assert shortened(structure, 30, 9) == structure
    cut = shortened([structure, "x" * 31, list(range(10))], 30, 9)
    assert cut[0] == structure
    assert cut[1] == "x" * 30 + "... (31 characters)"
    assert cut[2] == [*range(9), "... (10 items)"]
