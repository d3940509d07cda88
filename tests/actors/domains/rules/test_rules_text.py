import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.rules.errors import RuleError
from actors.domains.rules.text import (
    canonical_text,
    check_id,
    check_slug,
    clean_text,
    cut_text,
    shorten_text,
)

# Text as it arrives: valid UTF-8, so no surrogates.
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text("a\n\t \r\0\u0301e")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  mill ", "mill"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\0b\x7fc\x9fd", "abcd"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb", "a\nb"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("a\n\nb", "a\n\nb"),
        ("a\n\n\nb", "a\n\nb"),
        ("a\n\0\n\n\nb", "a\n\nb"),
        ("<b>x</b>", "<b>x</b>"),
        ("\n\t ", ""),
    ],
)
def test_canonical_text(value, expected):
    assert canonical_text(value) == expected


@given(texts)
def test_canonical_text_is_its_own_canonical_form(value):
    text = canonical_text(value)
    assert canonical_text(text) == text


@given(texts, st.integers(0, 40))
def test_cut_text_keeps_the_limit_and_the_form(value, limit):
    text = cut_text(value, limit)
    assert len(text) <= limit
    assert canonical_text(text) == text
    if len(canonical_text(value)) <= limit:
        assert text == canonical_text(value)


def test_clean_text_counts_the_canonical_form():
    assert clean_text("  abc  ", 3) == "abc"
    assert clean_text("e\u0301" * 3, 3) == "\u00e9" * 3
    with pytest.raises(RuleError) as refused:
        clean_text("abcd", 3)
    assert refused.value.code == "input.text_too_long"
    assert refused.value.details == {"limit": 3}


def test_clean_text_refuses_nothing_where_something_is_required():
    assert clean_text(" ", 3) == ""
    with pytest.raises(RuleError) as refused:
        clean_text(" \n", 3, required=True)
    assert refused.value.code == "input.text_empty"


@pytest.mark.parametrize("value", ["a", "A9_:.-", "x" * 160])
def test_identifiers_pass(value):
    assert check_id(value) == value


@pytest.mark.parametrize("value", ["", "a/b", "a b", "\u00e9", "a\n", "x" * 161])
def test_other_text_is_no_identifier(value):
    with pytest.raises(RuleError) as refused:
        check_id(value)
    assert refused.value.code == "input.invalid_id"


def test_an_identifier_can_have_a_shorter_limit():
    assert check_id("x" * 64, 64)
    with pytest.raises(RuleError):
        check_id("x" * 65, 64)


@pytest.mark.parametrize("value", ["", "A", "a-b", "a\n", "x" * 49])
def test_other_text_is_no_slug(value):
    assert check_slug("clear_mill2") == "clear_mill2"
    with pytest.raises(RuleError) as refused:
        check_slug(value)
    assert refused.value.code == "input.invalid_id"


@given(texts, st.integers(1, 40))
def test_shorten_text_keeps_the_limit_and_says_that_there_is_more(value, limit):
    text = shorten_text(value, limit)
    assert len(text) <= limit
    if len(canonical_text(value)) <= limit:
        assert text == canonical_text(value)
    else:
        assert text == cut_text(value, limit - 1) + "\u2026"
