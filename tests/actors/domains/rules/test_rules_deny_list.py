"""Domain 8.3: what is denied is found however it is written, and nothing else is."""

from __future__ import annotations

import pytest

from actors.domains.data import denied_phrases
from actors.domains.rules.deny_list import DenyList

SHIPPED = DenyList(denied_phrases())


@pytest.mark.parametrize(
    "text",
    [
        "As an AI, I cannot.",
        "Well,as an  ai",
        "\uff41\uff53\n\uff41\uff4e\u3000\uff21\uff29",
        "the SYSTEM PROMPT.",
        "\u6211\u662f\u4f5c\u4e3a\u4eba\u5de5\u667a\u80fd\u7684",
    ],
)
def test_what_is_denied_is_found(text: str) -> None:
    assert SHIPPED.finds_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "She has an air of calm.",
        "He takes it as an aim, and the ship as an airship.",
        "# a remark",
        "",
    ],
)
def test_parts_of_words_are_not(text: str) -> None:
    assert not SHIPPED.finds_in(text)


def test_the_last_word_of_a_text_that_goes_on_is_not_judged_yet() -> None:
    assert not SHIPPED.finds_in("as an ai", goes_on=True)
    assert SHIPPED.finds_in("as an ai ", goes_on=True)
    assert SHIPPED.finds_in("\u5927\u8bed\u8a00\u6a21\u578b", goes_on=True)


def test_an_empty_list_denies_nothing() -> None:
    assert not DenyList(["", "# remark"]).finds_in("remark")
