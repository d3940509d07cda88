from __future__ import annotations

from collections import namedtuple

import pytest

from protocol import types as t
from protocol.bsatn import compile_codec
from protocol.errors import SchemaError
from protocol.limits import NESTING_MAX, TYPE_NODES_MAX, VARIANTS_MAX
from protocol.sats_json import compile_json
from protocol.type_rules import PRIMITIVE_NAMES, check_type, exact_key, type_name


def nested(levels):
    kind = t.U16
    for _ in range(levels - 1):
        kind = t.ArrayType(kind)
    return kind


def product(*types):
    return t.ProductType(tuple(t.Field(f"f{n}", kind) for n, kind in enumerate(types)))


def variants(count):
    return tuple(f"V{number}" for number in range(count))


REFUSED = [
    (t.Primitive("U7"), "unknown primitive type U7"),
    (t.OptionType(t.OptionType(t.U8)), "option of an option"),
    (t.ArrayType(t.UNIT), "at least one byte"),
    (t.ArrayType(product(t.UNIT, product(t.UNIT))), "at least one byte"),
    (t.EnumType(("A", "A")), "two parts of one name"),
    (t.EnumType(variants(VARIANTS_MAX + 1)), "more than 256 parts"),
    (t.SumType(tuple(t.Field(v, t.UNIT) for v in variants(VARIANTS_MAX + 1))), "more than 256"),
    (t.ProductType((t.Field("a", t.U8), t.Field("a", t.U8))), "two parts of one name"),
    (t.SumType((t.Field("A", t.U8), t.Field("B", t.U16)), "S", (int,)), "one class"),
    (t.SumType((t.Field("A", t.U8), t.Field("B", t.U16)), "S", (int, int)), "one class"),
    (t.SumType((t.Field("A", product(t.U8)),), "S", (tuple,)), r"S\.A does not construct"),
    (nested(NESTING_MAX + 1), "nested deeper"),
    (product(*[t.U8] * TYPE_NODES_MAX), "holds more than"),
]


@pytest.mark.parametrize(("kind", "message"), REFUSED)
def test_refused_types(kind, message):
    for compiled in (check_type, compile_codec, compile_json):
        with pytest.raises(SchemaError, match=message):
            compiled(kind)


@pytest.mark.parametrize(
    "kind",
    [
        nested(NESTING_MAX),
        t.EnumType(variants(VARIANTS_MAX)),
        product(*[t.U8] * (TYPE_NODES_MAX - 1)),
        t.ArrayType(t.OptionType(t.UNIT)),
    ],
)
def test_types_at_the_limits_are_served(kind):
    check_type(kind)
    compile_codec(kind)
    compile_json(kind)


def test_every_declared_primitive_is_known():
    declared = {
        value.name for name in t.__all__ if isinstance(value := getattr(t, name), t.Primitive)
    }
    assert declared == PRIMITIVE_NAMES


def test_exact_keys_tell_apart_what_equality_does_not():
    first, second = namedtuple("First", "f0"), namedtuple("Second", "f0")  # noqa: PYI024
    types = [
        t.ProductType((t.Field("f0", t.U8),), None, construct)
        for construct in (None, first._make, second._make)
    ]
    assert len({hash(kind) for kind in types}) == 1
    assert len({exact_key(kind) for kind in types}) == 3
    assert len({exact_key(t.OptionType(kind)) for kind in types}) == 3
    assert exact_key(t.ArrayType(types[1])) == exact_key(t.ArrayType(types[1]))


def test_type_names():
    assert type_name(t.U8) == "U8"
    assert type_name(t.BYTES) == "Array"
    assert type_name(t.UNIT) == "Product"
    assert type_name(t.EnumType(("A",), "Kind")) == "Kind"
