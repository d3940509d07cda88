from __future__ import annotations

import math
import operator
import uuid

from hypothesis import given
from hypothesis import strategies as st

from protocol.sql.predicate import (
    ALWAYS,
    NEVER,
    SENDER,
    Column,
    Comparison,
    Conjunction,
    Constant,
    Disjunction,
    Not,
    Value,
    compile_pair_predicate,
    compile_predicate,
    normalise,
    uses_sender,
)
from protocol.types import BYTES, F64, I32, IDENTITY, STRING, UUID
from protocol.values import Identity

COLUMNS = (
    Column(0, I32),
    Column(1, I32),
    Column(2, F64),
    Column(3, F64),
    Column(4, STRING),
    Column(5, IDENTITY),
    Column(6, BYTES),
)
INTS = st.integers(-2, 2)
FLOATS = st.sampled_from([-1.0, -0.0, 0.0, 1.0, math.inf, -math.inf, math.nan])
STRINGS = st.sampled_from(["", "a", "b"])
IDENTITIES = st.sampled_from([Identity(1), Identity(2)])
BLOBS = st.sampled_from([b"", Identity(1).to_bytes(32, "little")])
ROWS = st.tuples(INTS, INTS, FLOATS, FLOATS, STRINGS, IDENTITIES, BLOBS)
OPERATORS = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def _values(column):
    if column.type == I32:
        return INTS.map(Value)
    if column.type == F64:
        return FLOATS.filter(lambda number: not math.isnan(number)).map(Value)
    if column.type == STRING:
        return STRINGS.map(Value)
    if column.type == IDENTITY:
        return st.one_of(IDENTITIES.map(Value), st.just(SENDER))
    return st.one_of(BLOBS.map(Value), st.just(SENDER))


@st.composite
def comparisons(draw):
    column = draw(st.sampled_from(COLUMNS))
    same = [other for other in COLUMNS if other.type == column.type]
    right = draw(st.one_of(_values(column), st.sampled_from(same)))
    return Comparison(draw(st.sampled_from(sorted(OPERATORS))), column, right)


PREDICATES = st.recursive(
    st.one_of(comparisons(), st.builds(Constant, st.booleans())),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple).map(Conjunction),
        st.lists(inner, max_size=4).map(tuple).map(Disjunction),
        inner.map(Not),
    ),
    max_leaves=10,
)


def rank(value):
    """Total order of the official host: NaN equals itself and is greater than all others."""
    if isinstance(value, float):
        return (1, 0.0) if math.isnan(value) else (0, value)
    return value


def holds(node, row, sender):
    """What a predicate means, by the book."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Not):
        return not holds(node.operand, row, sender)
    if isinstance(node, Conjunction):
        return all(holds(operand, row, sender) for operand in node.operands)
    if isinstance(node, Disjunction):
        return any(holds(operand, row, sender) for operand in node.operands)
    if isinstance(node.right, Column):
        right = row[node.right.position]
    elif isinstance(node.right, Value):
        right = node.right.value
    else:
        right = sender.to_bytes(32, "little") if node.left.type == BYTES else sender
    return OPERATORS[node.operator](rank(row[node.left.position]), rank(right))


def run(predicate, row, sender):
    test = compile_predicate(predicate)
    return True if test is None else test(row, sender)


@given(PREDICATES, ROWS, IDENTITIES)
def test_compiled_predicates_mean_what_they_say(predicate, row, sender):
    assert run(predicate, row, sender) == holds(predicate, row, sender)


@given(PREDICATES, ROWS, IDENTITIES)
def test_normal_forms_keep_the_meaning(predicate, row, sender):
    normal = normalise(predicate)
    assert run(normal, row, sender) == holds(predicate, row, sender)
    assert normalise(normal) == normal
    assert hash(normal) == hash(normalise(normal))


@given(PREDICATES, ROWS)
def test_predicates_without_sender_are_the_same_for_everyone(predicate, row):
    if not uses_sender(predicate):
        assert run(predicate, row, Identity(1)) == run(predicate, row, Identity(2))


@given(st.lists(comparisons(), min_size=2, max_size=4), st.randoms())
def test_order_repetition_and_nesting_make_no_difference(terms, random):
    shuffled = [*terms, random.choice(terms)]
    random.shuffle(shuffled)
    nested = Conjunction((shuffled[0], Conjunction(tuple(shuffled[1:]))))
    assert normalise(nested) == normalise(Conjunction(tuple(terms)))
    negated = Not(Disjunction(tuple(Not(term) for term in shuffled)))
    assert normalise(negated) == normalise(Conjunction(tuple(terms)))


def test_constants_disappear():
    term = Comparison("=", COLUMNS[0], Value(1))
    assert normalise(Conjunction((ALWAYS, term))) == term
    assert normalise(Conjunction((NEVER, term))) == NEVER
    assert normalise(Disjunction((NEVER, term))) == term
    assert normalise(Disjunction((ALWAYS, term))) == ALWAYS
    assert normalise(Comparison("<=", COLUMNS[2], COLUMNS[2])) == ALWAYS
    assert normalise(Comparison("<>", COLUMNS[2], COLUMNS[2])) == NEVER
    assert normalise(Comparison("<", COLUMNS[1], COLUMNS[0])) == Comparison(
        ">", COLUMNS[0], COLUMNS[1]
    )


def test_always_true_needs_no_function():
    assert compile_predicate(ALWAYS) is None
    assert compile_pair_predicate(ALWAYS) is None
    never = compile_predicate(NEVER)
    assert never is not None
    assert not never((), Identity(1))


def test_values_never_become_source():
    text = '" or __import__("os") or "'
    key = uuid.UUID(int=5)
    test = compile_predicate(
        Conjunction(
            (
                Comparison("=", Column(0, STRING), Value(text)),
                Comparison("=", Column(1, UUID), Value(key)),
            )
        )
    )
    assert test is not None
    assert test((text, key), Identity(1))
    assert not test(("", key), Identity(1))


def test_pairs():
    test = compile_pair_predicate(Comparison("<", Column(1, I32), Column(0, I32, side=1)))
    assert test is not None
    assert test((0, 1), (2,), Identity(1))
    assert not test((0, 2), (2,), Identity(1))
