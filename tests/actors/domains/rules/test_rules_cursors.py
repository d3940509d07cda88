"""Cursors give their values back, and are nothing that somebody else can make up."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors import Timestamp
from actors.domains.rules.cursors import read_cursor, write_cursor
from actors.domains.rules.errors import RuleError
from actors.domains.rules.limits import CURSOR_CHARS_MAX, IDENTIFIER_CHARS_MAX

IDS = st.text("abcXYZ019_:.-", min_size=1, max_size=IDENTIFIER_CHARS_MAX)
NUMBERS = st.integers(-(2**63), 2**64 - 1)


@given(NUMBERS, IDS)
def test_a_cursor_gives_its_values_back(number: int, name: str) -> None:
    assert read_cursor(write_cursor(number, name), int, str) == (number, name)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_can_be_a_sort_value(value: str) -> None:
    assert read_cursor(write_cursor(value), str) == (value,)


def test_the_longest_cursor_can_be_read() -> None:
    longest = "x" * IDENTIFIER_CHARS_MAX
    cursor = write_cursor(longest, longest, longest)
    assert len(cursor) <= CURSOR_CHARS_MAX
    assert read_cursor(cursor, str, str, str) == (longest, longest, longest)


def test_moments_are_integers() -> None:
    assert read_cursor(write_cursor(Timestamp(7), "a"), int, str) == (7, "a")


def test_a_cursor_fits_into_an_address_as_it_is() -> None:
    cursor = write_cursor(2**64 - 1, "ÿÿ>>??")
    assert cursor.isascii()
    assert cursor.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        "not a cursor",
        "§§§§",
        urlsafe_b64encode(b'[7,"a"]').decode(),
        urlsafe_b64encode(b'\0\0\0\0\0\0[7,"a"]').decode(),
        urlsafe_b64encode(b"\0\0\0\0\0\0" + b"[" * 600).decode(),
        write_cursor(7, "a") + "=",
        write_cursor(7, "a") + "A",
        write_cursor(7, "a")[:-1],
        write_cursor(7, "a") * 200,
        write_cursor("7", "a"),
        write_cursor(7),
        write_cursor(7, "a", "b"),
    ],
)
def test_other_texts_are_refused(forged: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_cursor(forged, int, str)
    assert caught.value.code == "input.invalid_cursor"


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(RuleError):
        read_cursor(text, int, str)
