from __future__ import annotations

import math
import struct
from enum import IntEnum
from typing import NamedTuple

import pytest
from algebraic_strategies import shape, typed_values, types
from hypothesis import given
from hypothesis import strategies as st

from protocol import types as t
from protocol.bsatn import compile_codec
from protocol.errors import DecodeError, EncodeError
from protocol.sats_json import compile_json, dumps, loads
from protocol.values import Variant


class Circle(NamedTuple):
    radius: float


class Empty(NamedTuple):
    pass


class Colour(IntEnum):
    RED = 0
    GREEN = 1
    BLUE = 2


class Item(NamedTuple):
    id: int
    name: str
    tint: Colour


CIRCLE = t.ProductType((t.Field("radius", t.F32),), "Circle", Circle._make)
EMPTY = t.ProductType((), "Empty", Empty._make)
SHAPE = t.SumType((t.Field("Circle", CIRCLE), t.Field("Empty", EMPTY)), "Shape", (Circle, Empty))
COLOUR = t.EnumType(("Red", "Green", "Blue"), "Colour", Colour)
ITEM = t.ProductType(
    (t.Field("id", t.U64), t.Field("name", t.STRING), t.Field("tint", COLOUR)), "Item", Item._make
)
RESULT = t.ResultType(t.U32, t.STRING)

json_structures = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text("az019fx-\ud800", max_size=8)
    | st.sampled_from(["some", "0x2a", "part0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["some", "none", "part0", "part1", "0", "1", "ok", "__identity__"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(typed_values)
def test_values_survive_every_form_and_the_text(typed_value):
    kind, value = typed_value
    codec = compile_json(kind)
    for write in (codec.to_typed, codec.to_untyped, codec.to_row):
        read = codec.from_json(loads(dumps(write(value))))
        assert shape(read) == shape(value)


@given(types, json_structures)
def test_any_structure_reads_or_raises_decode_error(kind, structure):
    try:
        value = compile_json(kind).from_json(structure)
    except DecodeError:
        return
    codec = compile_codec(kind)
    assert shape(codec.decode_exact(codec.encode(value))) == shape(value)


@given(types, st.one_of(st.none(), st.integers(), st.text(), st.floats(), st.tuples(), st.binary()))
def test_any_object_is_written_or_raises_encode_error(kind, value):
    codec = compile_json(kind)
    for write in (codec.to_typed, codec.to_untyped, codec.to_row):
        try:
            written = write(value)
        except EncodeError:
            continue
        assert loads(dumps(written)) == written


FORMS = [
    (t.BOOL, True, True, True),
    (t.U64, 2**64 - 1, 2**64 - 1, 2**64 - 1),
    (t.I128, -(2**127), -(2**127), -(2**127)),
    (t.U256, 42, "0x2a", "0x2a"),
    (t.I256, -42, "-0x2a", "-0x2a"),
    (t.F64, 3, 3.0, 3.0),
    (t.F32, struct.unpack("<f", struct.pack("<f", 1.1))[0], 1.1, 1.1),
    (t.BYTES, bytes([1, 171]), "01ab", "01ab"),
    (t.ArrayType(t.U8), b"", "", ""),
    (t.ArrayType(t.U16), [1, 2], [1, 2], [1, 2]),
    (t.OptionType(t.U8), 5, {"some": 5}, [0, 5]),
    (t.OptionType(t.U8), None, {"none": []}, [1, []]),
    (RESULT, Variant(0, 7), {"ok": 7}, [0, 7]),
    (RESULT, Variant(1, "no"), {"err": "no"}, [1, "no"]),
    (t.UNIT, (), [], []),
    (COLOUR, Colour.BLUE, {"Blue": []}, [2, []]),
    (SHAPE, Circle(0.5), {"Circle": {"radius": 0.5}}, [0, [0.5]]),
    (SHAPE, Empty(), {"Empty": []}, [1, []]),
    (
        ITEM,
        Item(1, "axe", Colour.GREEN),
        {"id": 1, "name": "axe", "tint": {"Green": []}},
        [1, "axe", [1, []]],
    ),
]


@pytest.mark.parametrize(("kind", "value", "typed", "untyped"), FORMS)
def test_output_forms(kind, value, typed, untyped):
    codec = compile_json(kind)
    assert dumps(codec.to_typed(value)) == dumps(typed)
    assert dumps(codec.to_untyped(value)) == dumps(untyped)
    for structure in (typed, untyped):
        assert shape(codec.from_json(structure)) == shape(value if kind != t.F64 else 3.0)


def test_initial_rows_have_typed_products_and_untyped_sums():
    row = compile_json(ITEM).to_row(Item(1, "axe", Colour.GREEN))
    assert row == {"id": 1, "name": "axe", "tint": [1, []]}


@pytest.mark.parametrize("kind", [t.F32, t.F64])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_floats_without_json_become_null(kind, value):
    assert dumps(compile_json(kind).to_typed(value)) == b"null"


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_f32_is_written_so_that_it_reads_back(value):
    written = compile_json(t.F32).to_typed(value)
    assert struct.pack("<f", written) == struct.pack("<f", value)
    assert len(repr(written)) <= len(repr(value))


ACCEPTED = [
    (ITEM, {"tint": {"0": []}, "name": "axe", "id": 1}, Item(1, "axe", Colour.RED)),
    (ITEM, [1, "axe", {"Red": {}}], Item(1, "axe", Colour.RED)),
    (t.OptionType(t.U8), None, None),
    (t.OptionType(t.U8), {"1": []}, None),
    (t.OptionType(t.U8), {"0": 5}, 5),
    (t.BYTES, [1, 171], bytes([1, 171])),
    (t.BYTES, "01AB", bytes([1, 171])),
    (t.U256, "0x002A", 42),
    (t.F64, 3, 3.0),
    (t.F32, 1.1, struct.unpack("<f", struct.pack("<f", 1.1))[0]),
    (RESULT, {"1": "no"}, Variant(1, "no")),
]


@pytest.mark.parametrize(("kind", "structure", "value"), ACCEPTED)
def test_other_accepted_inputs(kind, structure, value):
    assert shape(compile_json(kind).from_json(structure)) == shape(value)


REFUSED = [
    (t.BOOL, 1),
    (t.U8, True),
    (t.U8, 256),
    (t.U8, -1),
    (t.U8, 1.0),
    (t.U8, "1"),
    (t.I128, 2**127),
    (t.U256, 42),
    (t.U256, "2a"),
    (t.U256, "-0x2a"),
    (t.U256, "0x" + "f" * 65),
    (t.I256, "0x8" + "0" * 63),
    (t.IDENTITY, "0x2a"),
    (t.IDENTITY, {"__identity__": "0x2a", "more": 1}),
    (t.TIMESTAMP, {"micros": 1}),
    (t.F64, None),
    (t.F64, True),
    (t.F64, math.inf),
    (t.F64, 10**400),
    (t.F32, 1e300),
    (t.STRING, None),
    (t.STRING, "\ud800"),
    (t.BYTES, "0"),
    (t.BYTES, "0x01"),
    (t.BYTES, "01 02"),
    (t.BYTES, [256]),
    (t.BYTES, [True]),
    (t.ArrayType(t.U16), {"0": 1}),
    (t.OptionType(t.U8), 5),
    (t.OptionType(t.U8), [2, 5]),
    (COLOUR, "Red"),
    (COLOUR, {"Black": []}),
    (COLOUR, {"Red": [], "Blue": []}),
    (COLOUR, {"Red": [1]}),
    (COLOUR, [True, []]),
    (COLOUR, [-1, []]),
    (ITEM, {"id": 1, "name": "axe"}),
    (ITEM, {"id": 1, "name": "axe", "tint": [0, []], "qty": 1}),
    (ITEM, [1, "axe"]),
    (ITEM, "axe"),
]


@pytest.mark.parametrize(("kind", "structure"), REFUSED)
def test_refused_inputs(kind, structure):
    with pytest.raises(DecodeError):
        compile_json(kind).from_json(structure)


def test_decode_errors_name_the_field():
    nested = t.ProductType((t.Field("item", t.OptionType(ITEM)),))
    with pytest.raises(DecodeError, match=r"^item: some: id: expected a number of type U64$"):
        compile_json(nested).from_json([{"some": ["x", "axe", {"Red": []}]}])


def test_wrong_values_are_refused():
    for kind, value in ((t.U8, "1"), (t.STRING, 1), (SHAPE, (1.0,)), (COLOUR, 3), (ITEM, (1,))):
        with pytest.raises(EncodeError):
            compile_json(kind).to_typed(value)


def test_wide_integers_are_numbers_in_the_text():
    structure = {"wide": [2**128 - 1, -(2**127)], "name": "é"}
    text = dumps(structure)
    assert text == (
        b'{"wide":[340282366920938463463374607431768211455,'
        b'-170141183460469231731687303715884105728],"name":"\xc3\xa9"}'
    )
    assert loads(text) == structure
    assert loads(text.decode()) == structure


@pytest.mark.parametrize("structure", ["\ud800", [2**70, "\ud800"], {1}, [2**70, {1}]])
def test_what_has_no_json_is_refused(structure):
    with pytest.raises(EncodeError):
        dumps(structure)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b"NaN", b"[-Infinity]", b"1 2", b"[" * 200_000, b"9" * 10_000, "\ufeff1"],
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(DecodeError, match=r"^no JSON"):
        loads(text)


@given(st.binary(max_size=20) | st.text(max_size=20))
def test_random_text_loads_or_raises_decode_error(text):
    try:
        structure = loads(text)
    except DecodeError:
        return
    assert loads(dumps(structure)) == structure


def test_codecs_are_compiled_once_for_one_class():
    plain = t.ProductType(ITEM.elements)
    assert plain == ITEM
    assert compile_json(ITEM) is compile_json(t.ProductType(ITEM.elements, "Item", Item._make))
    structure = [1, "axe", [0, []]]
    assert type(compile_json(plain).from_json(structure)) is tuple
    assert type(compile_json(ITEM).from_json(structure)) is Item
