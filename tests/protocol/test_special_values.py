from __future__ import annotations

from uuid import UUID

import pytest
from algebraic_strategies import shape
from hypothesis import given
from hypothesis import strategies as st

from protocol import types as t
from protocol.bsatn import compile_codec
from protocol.identity import identity_from_claims
from protocol.sats_json import compile_json, dumps, loads
from protocol.values import ConnectionId, Identity, ScheduleInterval, ScheduleTime

MOMENT = 1_739_788_245_123_456
CALLER = identity_from_claims("localhost", "test-subject")
CONNECTION = ConnectionId.from_hex("00112233445566778899aabbccddeeff")
NUMBER = 0x00112233445566778899AABBCCDDEEFF

SPECIAL = [
    (t.IDENTITY, CALLER, {"__identity__": f"0x{CALLER}"}, [f"0x{CALLER}"]),
    (t.IDENTITY, Identity(0), {"__identity__": "0x0"}, ["0x0"]),
    (t.CONNECTION_ID, CONNECTION, {"__connection_id__": NUMBER}, [NUMBER]),
    (t.TIMESTAMP, MOMENT, {"__timestamp_micros_since_unix_epoch__": MOMENT}, [MOMENT]),
    (t.TIME_DURATION, -1_500_000, {"__time_duration_micros__": -1_500_000}, [-1_500_000]),
    (t.UUID, UUID(int=NUMBER), {"__uuid__": NUMBER}, [NUMBER]),
    (
        t.SCHEDULE_AT,
        ScheduleInterval(5),
        {"Interval": {"__time_duration_micros__": 5}},
        [0, [5]],
    ),
    (
        t.SCHEDULE_AT,
        ScheduleTime(MOMENT),
        {"Time": {"__timestamp_micros_since_unix_epoch__": MOMENT}},
        [1, [MOMENT]],
    ),
]


@pytest.mark.parametrize(("kind", "value", "typed", "untyped"), SPECIAL)
def test_both_json_forms(kind, value, typed, untyped):
    codec = compile_json(kind)
    assert codec.to_typed(value) == typed
    assert codec.to_untyped(value) == untyped
    for structure in (typed, untyped):
        assert shape(codec.from_json(loads(dumps(structure)))) == shape(value)


@pytest.mark.parametrize(
    ("kind", "structure"),
    [
        (t.IDENTITY, t.ProductType((t.Field("__identity__", t.U256),))),
        (t.CONNECTION_ID, t.ProductType((t.Field("__connection_id__", t.U128),))),
        (t.UUID, t.ProductType((t.Field("__uuid__", t.U128),))),
    ],
)
@given(st.integers(0, 2**128 - 1))
def test_wide_special_types_are_what_their_structure_says(kind, structure, number):
    special, plain = compile_codec(kind), compile_codec(structure)
    data = plain.encode((number,))
    value = special.decode_exact(data)
    assert special.encode(value) == data
    json = compile_json(kind).to_typed(value)
    assert json == compile_json(structure).to_typed((number,))


@given(st.integers(-(2**63), 2**63 - 1))
def test_schedules_are_what_their_structure_says(micros):
    codec = compile_codec(t.SCHEDULE_AT)
    for tag, value in enumerate((ScheduleInterval(micros), ScheduleTime(micros))):
        assert codec.encode(value) == bytes([tag]) + micros.to_bytes(8, "little", signed=True)


@given(st.integers(0, 2**256 - 1))
def test_identity_text_is_big_endian_hex(number):
    identity = Identity(number)
    assert len(str(identity)) == 64
    assert bytes.fromhex(str(identity)) == compile_codec(t.IDENTITY).encode(identity)[::-1]
    assert Identity.from_hex(str(identity)) == identity
    assert Identity.from_hex(f"0x{identity}") == identity


@given(st.integers(0, 2**128 - 1))
def test_connection_id_text_is_big_endian_hex(number):
    connection = ConnectionId(number)
    assert len(str(connection)) == 32
    assert bytes.fromhex(str(connection)) == compile_codec(t.CONNECTION_ID).encode(connection)[::-1]
    assert ConnectionId.from_hex(str(connection)) == connection


DIGITS_64 = ["", "0x", "c200", "g" * 64, "0" * 63, "0" * 65, "-" + "0" * 63, "0_" * 31 + "00"]
DIGITS_32 = ["", "0x", "c200", "g" * 32, "0" * 31, "0" * 33, " " + "0" * 31, "0_" * 15 + "00"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [(Identity, text) for text in DIGITS_64] + [(ConnectionId, text) for text in DIGITS_32],
)
def test_malformed_hex_is_refused(kind, text):
    with pytest.raises(ValueError):
        kind.from_hex(text)
