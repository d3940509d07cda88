"""The data files of all languages say the same things, each in its own words."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from actors.domains.data import LANGUAGES, language_of
from actors.domains.gameplay.intent import LEXICONS
from actors.domains.gameplay.narration import PHRASEBOOKS
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.text import canonical_text

ENGLISH = PHRASEBOOKS["en"]
OTHERS = LANGUAGES[1:]
EVERYTHING = {
    "en": "go talk attack search rest buy",
    "zh": "\u53bb \u804a \u653b\u51fb \u641c \u6b47 \u4e70",
}


def _slots(template: str) -> set[str]:
    return {slot for _, slot, _, _ in Formatter().parse(template) if slot}


def _literals(template: str) -> str:
    return "".join(literal for literal, _, _, _ in Formatter().parse(template))


def _templates(language: str) -> dict[str, str]:
    """Every template of a language by its place; variants count from 0."""
    book = PHRASEBOOKS[language]
    return {
        **{f"{key}.label": choice.label for key, choice in book.choices.items()},
        **{f"{key}.detail": choice.detail for key, choice in book.choices.items()},
        **{f"reasons.{key}": reason for key, reason in book.reasons.items()},
        **{
            f"texts.{key}.{number}": variant
            for key, variants in book.texts.items()
            for number, variant in enumerate(variants)
        },
    }


@pytest.mark.parametrize(
    ("locales", "language"),
    [
        (("zh",), "zh"),
        (("zh-CN",), "zh"),
        (("zh-TW",), "zh"),
        (("zh_Hant",), "zh"),
        (("ZH-cn",), "zh"),
        (("en-GB",), "en"),
        (("zho",), "en"),
        (("fr", "zh-CN"), "zh"),
        ((None, "zh"), "zh"),
        (("en", "zh"), "en"),
        (("tlh",), "en"),
        ((None, ""), "en"),
        ((), "en"),
    ],
)
def test_a_locale_has_a_language(locales: tuple[str | None, ...], language: str) -> None:
    assert language_of(*locales) == language


@pytest.mark.parametrize("language", OTHERS)
def test_every_template_tells_the_same_as_in_english(language: str) -> None:
    english, other = _templates("en"), _templates(language)
    assert english.keys() == other.keys()
    different = [key for key in english if _slots(english[key]) != _slots(other[key])]
    assert different == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_are_canonical_text(language: str) -> None:
    for template in _templates(language).values():
        assert canonical_text(template) == template
        assert "  " not in template


@pytest.mark.parametrize("language", OTHERS)
def test_core_items_have_names_that_can_be_told_apart(language: str) -> None:
    names = PHRASEBOOKS[language].items
    assert names.keys() == CORE_ITEMS.keys()
    assert len(set(names.values())) == len(names)
    assert ENGLISH.items == {}


def test_chinese_has_no_english_in_it() -> None:
    book = PHRASEBOOKS["zh"]
    texts = [*_templates("zh").values(), *book.items.values(), *book.phrases.values()]
    left_over = [text for text in texts if re.search(r"[A-Za-z]", _literals(text))]
    assert left_over == []
    # Western marks between Chinese words are mistakes.
    assert [text for text in texts if re.search(r"[,.;:!?'\"()]", _literals(text))] == []


def test_chinese_sentences_end_as_sentences_do() -> None:
    for key, template in _templates("zh").items():
        if key.startswith("texts."):
            assert template.endswith(("\u3002", "_line}", "{facts}")), key


def test_lexicons_speak_of_the_same_functions() -> None:
    said = {language: LEXICONS[language].functions(EVERYTHING[language]) for language in LANGUAGES}
    assert {len(functions) for functions in said.values()} == {6}
    assert len({frozenset(functions) for functions in said.values()}) == 1
