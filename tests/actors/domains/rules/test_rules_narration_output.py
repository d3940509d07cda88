from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.rules.canonical_json import read_json
from actors.domains.rules.deny_list import DenyList
from actors.domains.rules.limits import MODEL_LABEL_CHARS_MAX, MODEL_NARRATION_CHARS_MAX
from actors.domains.rules.narration_output import NarrationOutput, read_narration

DENIED = DenyList(["# a remark", "", "forbidden words", "\u7981\u8bcd"])


def read(**fields: object) -> NarrationOutput | None:
    output, faults = read_narration(json.dumps(fields), DENIED)
    assert (output is None) == bool(faults)
    return output


def test_what_is_valid_is_read_and_other_keys_are_dropped() -> None:
    output = read(
        narration="  A way.\x00\n\n\n\nOn. ",
        choiceLabels={"1": " Go ", "x": 5, "100": "no", "0": "no"},
        affinityHint={"npcKey": "mayor", "delta": 1, "why": "x"},
        xp=5_000,
    )
    assert output is not None
    assert output.narration == "A way.\n\nOn."
    assert output.choice_labels == {"1": "Go"}
    assert output.to_json() == (
        '{"affinityHint":{"delta":1,"npcKey":"mayor"},"choiceLabels":{"1":"Go"},'
        '"narration":"A way.\\n\\nOn."}'
    )
    assert read_narration(output.to_json(), DENIED) == (output, [])


@pytest.mark.parametrize(
    ("delta", "clamped"), [(0, 0), (1, 1), (7, 1), (-3, 0), (0.9, 0), (1e308, 1)]
)
def test_numbers_are_clamped(delta: float, clamped: int) -> None:
    output = read(narration="x", affinityHint={"npcKey": "a", "delta": delta})
    assert output is not None
    assert output.affinity_hint is not None
    assert output.affinity_hint.delta == clamped


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"narration": ""},
        {"narration": " \n "},
        {"narration": 5},
        {"narration": ["x"]},
        {"narration": "x" * (MODEL_NARRATION_CHARS_MAX + 1)},
        {"narration": "half \ud83d"},
        {"narration": "x", "choiceLabels": {"1": "x" * (MODEL_LABEL_CHARS_MAX + 1)}},
        {"narration": "x", "choiceLabels": {"1": " "}},
        {"narration": "x", "choiceLabels": {"1": 5}},
        {"narration": "x", "choiceLabels": ["x"]},
        {"narration": "x", "affinityHint": {"npcKey": "No Slug", "delta": 1}},
        {"narration": "x", "affinityHint": {"npcKey": "a", "delta": True}},
        {"narration": "x", "affinityHint": {"npcKey": "a", "delta": "1"}},
        {"narration": "x", "affinityHint": {"npcKey": "a", "delta": float("nan")}},
        {"narration": "x", "affinityHint": {"npcKey": "a"}},
        {"narration": "Some  FORBIDDEN\nwords."},
        {"narration": "\u8fd9\u662f\u7981\u8bcd\u3002"},
        {"narration": "\uff26\uff4f\uff52bidden words"},
        {"narration": "x", "choiceLabels": {"1": "forbidden words"}},
    ],
)
def test_what_is_not_valid_is_refused(fields: dict[str, object]) -> None:
    assert read(**fields) is None


def test_bounds_belong_to_what_is_valid() -> None:
    assert read(narration="x" * MODEL_NARRATION_CHARS_MAX) is not None
    assert read(narration="x", choiceLabels={"1": "x" * MODEL_LABEL_CHARS_MAX}) is not None


@pytest.mark.parametrize("text", ["", "prose", "[1]", '{"narration": "x"', "{" * 5_000, "{'a': 1}"])
def test_what_is_no_object_is_refused(text: str) -> None:
    assert read_narration(text, DENIED) == (None, ["the answer is not a JSON object"])


def test_faults_repeat_nothing_of_the_text() -> None:
    _, faults = read_narration('{"narration": "", "choiceLabels": {"1": ["secret"]}}', DENIED)
    assert len(faults) == 2
    assert "secret" not in "".join(faults)


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_whatever_is_read_fits_into_rows(narration: str, labels: dict[str, str]) -> None:
    text = json.dumps({"narration": narration, "choiceLabels": labels})
    output, faults = read_narration(text, DENIED)
    if output is None:
        assert faults
    else:
        assert 1 <= len(output.narration) <= MODEL_NARRATION_CHARS_MAX
        assert read_json(output.to_json(), 65_536)
