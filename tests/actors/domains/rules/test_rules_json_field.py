from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.rules.json_field import JsonField

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OTHERS = st.dictionaries(TEXTS.filter(lambda key: key != "narration"), VALUES, max_size=3)


@given(
    before=OTHERS,
    narration=TEXTS,
    after=OTHERS,
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
    cuts=st.lists(st.integers(0, 200), max_size=8),
)
def test_the_fields_text_comes_whole_however_the_json_is_cut(
    before, narration, after, ascii_only, indent, cuts
) -> None:
    fields = {**before, "narration": narration, **after}
    text = "said: " + json.dumps(fields, ensure_ascii=ascii_only, indent=indent) + " bye"
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    field = JsonField("narration")
    pieces = [field.feed(text[a:b]) for a, b in pairwise(places)]
    assert "".join(pieces) == narration


@given(st.text())
def test_nothing_else_ever_raises(text: str) -> None:
    told = JsonField("narration").feed('{"narration": "' + text)
    told.encode()
    assert JsonField("narration").feed(text.replace("{", "")) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("plain prose", ""),
        ('{"other": "narration", "narration": "x"}', "x"),
        ('{"inner": {"narration": "no"}, "narration": "yes"}', "yes"),
        ('{"list": ["narration", "]"], "narration": "yes"}', "yes"),
        ('{"a": 1}, {"narration": "no"}', ""),
        ('{"narration": 5, "more": "x"}', ""),
        ('{"narration": "half \\u12', "half "),
        ('{"narration": "bad \\u12zz more"}', "bad "),
        ('{"narration": "bad \\q more"}', "bad "),
        ('{"narration": "lone \\ud83d more"}', "lone "),
        ('{"narration": "lone \\ude00 more"}', "lone "),
        ('{"narration": "pair \\ud83d\\ude00."}', "pair \U0001f600."),
        ('{"narration": "one"} {"narration": "two"}', "one"),
        ('{"nar\\"ration": "no", "narration": "yes"}', "yes"),
    ],
)
def test_only_a_text_at_the_top_is_told(text: str, told: str) -> None:
    assert JsonField("narration").feed(text) == told
