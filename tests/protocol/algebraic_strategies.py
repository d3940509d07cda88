"""Hypothesis strategies: random algebraic types, and values of a given type."""

from __future__ import annotations

from collections import namedtuple
from enum import IntEnum
from functools import lru_cache

from hypothesis import strategies as st

from protocol import types as t
from protocol.values import ConnectionId, Identity, ScheduleInterval, ScheduleTime, Variant

__all__ = ["shape", "typed_values", "types", "values_of"]

PRIMITIVES = [value for name in t.__all__ if isinstance(value := getattr(t, name), t.Primitive)]
# One to four bytes of UTF-8, and what JSON has to escape.
_CHARACTERS = 'aZ0 _|"\\/\n\0\x7f\u00e9\u20ac\u2028\ufeff\U0001f600'
_INTEGER_BITS = {
    f"{sign}{bits}": (sign, bits) for sign in "UI" for bits in (8, 16, 32, 64, 128, 256)
}


@lru_cache
def row_class(names: tuple[str, ...], number: int = 0) -> type:
    return namedtuple(f"Row{number}", names)  # noqa: PYI024 - fields are only known here


@lru_cache
def enum_class(names: tuple[str, ...]) -> type[IntEnum]:
    return IntEnum("Kind", [(name, tag) for tag, name in enumerate(names)])


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"part{number}" for number in range(count))


def _product(types: list[t.AlgebraicType], *, is_class: bool, number: int = 0) -> t.ProductType:
    names = _names(len(types))
    construct = row_class(names, number)._make if is_class else None
    return t.ProductType(tuple(map(t.Field, names, types)), "Row", construct)


def _sum(types: list[t.AlgebraicType]) -> t.SumType:
    return t.SumType(tuple(map(t.Field, _names(len(types)), types)))


def _class_sum(payloads: list[list[t.AlgebraicType]]) -> t.SumType:
    types = [
        _product(payload, is_class=True, number=number) for number, payload in enumerate(payloads)
    ]
    classes = tuple(kind.construct.__self__ for kind in types)
    return t.SumType(tuple(map(t.Field, _names(len(types)), types)), "Choice", classes)


def _enum(count: int, *, is_class: bool) -> t.EnumType:
    names = _names(count)
    return t.EnumType(names, "Kind", enum_class(names) if is_class else None)


def _takes_bytes(kind: t.AlgebraicType) -> bool:
    return not isinstance(kind, t.ProductType) or any(_takes_bytes(e.type) for e in kind.elements)


def _extend(children: st.SearchStrategy) -> st.SearchStrategy:
    lists = st.lists(children, max_size=5)
    return st.one_of(
        children.filter(_takes_bytes).map(t.ArrayType),
        children.filter(lambda kind: not isinstance(kind, t.OptionType)).map(t.OptionType),
        st.builds(t.ResultType, children, children),
        st.builds(_product, lists, is_class=st.booleans()),
        st.lists(children, min_size=1, max_size=4).map(_sum),
        st.lists(st.lists(children, max_size=3), min_size=1, max_size=3).map(_class_sum),
    )


_leaves = st.one_of(
    st.sampled_from([*PRIMITIVES, t.BYTES, t.UNIT]),
    st.builds(_enum, st.integers(1, 5), is_class=st.booleans()),
)
types = st.recursive(_leaves, _extend, max_leaves=10)


def _primitive(name: str) -> st.SearchStrategy:
    if name in _INTEGER_BITS:
        sign, bits = _INTEGER_BITS[name]
        if sign == "U":
            return st.integers(0, (1 << bits) - 1)
        return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)
    micros = st.integers(-(1 << 63), (1 << 63) - 1)
    return {
        "Bool": st.booleans(),
        "F32": st.floats(width=32, allow_nan=False, allow_infinity=False),
        "F64": st.floats(allow_nan=False, allow_infinity=False),
        "String": st.text(_CHARACTERS, max_size=12),
        "Identity": st.integers(0, (1 << 256) - 1).map(Identity),
        "ConnectionId": st.integers(0, (1 << 128) - 1).map(ConnectionId),
        "Timestamp": micros,
        "TimeDuration": micros,
        "Uuid": st.uuids(),
        "ScheduleAt": st.one_of(micros.map(ScheduleInterval), micros.map(ScheduleTime)),
    }[name]


def _variants(types: list[t.AlgebraicType]) -> st.SearchStrategy:
    return st.one_of(
        [values_of(kind).map(lambda v, tag=tag: Variant(tag, v)) for tag, kind in enumerate(types)]
    )


def values_of(kind: t.AlgebraicType) -> st.SearchStrategy:
    """Values exactly as decoding gives them."""
    match kind:
        case t.Primitive(name):
            return _primitive(name)
        case t.ArrayType(t.Primitive("U8")):
            return st.binary(max_size=12)
        case t.ArrayType(element):
            return st.lists(values_of(element), max_size=4)
        case t.OptionType(some):
            return st.none() | values_of(some)
        case t.ResultType(ok, err):
            return _variants([ok, err])
        case t.ProductType(elements):
            fields = st.tuples(*(values_of(element.type) for element in elements))
            return fields if kind.construct is None else fields.map(kind.construct)
        case t.EnumType(variants):
            tags = st.integers(0, len(variants) - 1)
            return tags if kind.construct is None else tags.map(kind.construct)
        case t.SumType(variants) if kind.classes is None:
            return _variants([variant.type for variant in variants])
        case t.SumType(variants):
            return st.one_of([values_of(variant.type) for variant in variants])


typed_values = types.flatmap(lambda kind: st.tuples(st.just(kind), values_of(kind)))


def shape(value: object) -> object:
    """The value with the class of every part beside it: 1, True and an enum's member differ."""
    if isinstance(value, (tuple, list)):
        return type(value), [shape(part) for part in value]
    return type(value), value
