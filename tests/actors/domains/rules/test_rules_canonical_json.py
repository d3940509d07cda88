from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.rules.canonical_json import read_json, write_json
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import JSON_DEPTH_MAX, JSON_INTEGER_MAX, JSON_NODES_MAX

LIMIT = 65_536

# Both sides of the surrogates: what UTF-16 orders otherwise than code points do.
TEXTS = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from('"\\/\b\t\n\f\r\x00\x1f\x7f\ud7ff\ue000\uffff\U00010000\U0010ffff'),
    ),
    max_size=8,
)
SCALARS = st.none() | st.booleans() | st.integers(-JSON_INTEGER_MAX, JSON_INTEGER_MAX) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def canonical(text: str) -> str:
    return write_json(read_json(text, LIMIT))


def refusal(text: str, limit: int = LIMIT) -> str:
    with pytest.raises(RuleError) as refused:
        read_json(text, limit)
    return refused.value.code


def shuffled(value: Any, draw: st.DataObject) -> Any:
    """The same content, with the keys of every object in another order."""
    if isinstance(value, dict):
        keys = draw.draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    if isinstance(value, list):
        return [shuffled(element, draw) for element in value]
    return value


def objects_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    assert keys == sorted(keys, key=lambda key: key.encode("utf-16-be"))
    return dict(pairs)


@given(VALUES)
def test_what_is_written_is_read_as_it_was(value: Any) -> None:
    assert read_json(write_json(value), LIMIT) == value


@given(VALUES, st.data(), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_equal_content_has_equal_bytes(
    value: Any, draw: st.DataObject, indent: Any, escaped: bool
) -> None:
    text = json.dumps(shuffled(value, draw), indent=indent, ensure_ascii=escaped)
    written = canonical(text)
    assert written == write_json(value)
    assert canonical(written) == written
    assert len(written.encode()) <= len(text.encode())


@given(VALUES)
def test_keys_are_ordered_by_their_utf_16_code_units(value: Any) -> None:
    json.loads(write_json(value), object_pairs_hook=objects_of)


def test_the_keys_of_rfc_8785() -> None:
    # Section 3.2.3 of the RFC, its example in its order.
    keys = ["\r", "1", "\x80", "\xf6", "€", "\U0001f600", "\ufb33"]
    mixed = {key: number for number, key in reversed(list(enumerate(keys)))}
    assert list(json.loads(canonical(json.dumps(mixed)))) == keys


def test_strings_are_escaped_as_little_as_possible() -> None:
    assert canonical('"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/\\u007f"') == (
        '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'
    )


def test_small_things_have_one_spelling() -> None:
    assert canonical(' { "b" : [ 1 , -0 , true , null ] , "a" : { } } ') == (
        '{"a":{},"b":[1,0,true,null]}'
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{} {}",
        "{'a':1}",
        '{"a":1,}',
        "[01]",
        "[+1]",
        "nul",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1.0",
        "1e3",
        "[0.5]",
        '"\n"',
        '"\\x"',
        '"\\ud800"',
        '{"\\udfff":1}',
        '{"a":1,"a":1}',
        '[{"a":{"b":1,"\\u0062":2}}]',
        "\ufeff{}",
        "9" * 5_000,
        "[" * 60_000,
    ],
)
def test_what_is_no_canonical_json_in_any_spelling(text: str) -> None:
    assert refusal(text) == "input.json_malformed"


def test_integers_reach_to_two_to_the_53rd() -> None:
    for number in (2**53, -(2**53)):
        assert read_json(str(number), LIMIT) == number
    for number in (2**53 + 1, -(2**53) - 1):
        assert refusal(str(number)) == "input.json_malformed"


def test_sixteen_levels_are_the_most() -> None:
    depth = JSON_DEPTH_MAX
    assert canonical("[" * depth + "1" + "]" * depth) == "[" * depth + "1" + "]" * depth
    assert refusal("[" * (depth + 1) + "]" * (depth + 1)) == "input.json_malformed"
    inner = '{"a":' * depth
    assert refusal(inner + "{}" + "}" * depth) == "input.json_malformed"


def test_twenty_thousand_values_are_the_most() -> None:
    most = "[" + ",".join("0" * (JSON_NODES_MAX - 1)) + "]"
    assert canonical(most) == most
    assert refusal(most[:-1] + ",0]") == "input.json_malformed"


def test_the_limit_counts_bytes_not_characters() -> None:
    assert read_json('"é"', 4) == "é"
    assert refusal('"é"', 3) == "input.payload_too_large"
    assert refusal("{" + " " * 70 * 1024, LIMIT) == "input.payload_too_large"
