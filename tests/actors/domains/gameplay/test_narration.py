from __future__ import annotations

import unicodedata
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domains.data import LANGUAGES
from actors.domains.gameplay.limits import (
    DETAIL_CHARS_MAX,
    LABEL_CHARS_MAX,
    NARRATION_CHARS_MAX,
)
from actors.domains.gameplay.narration import PHRASEBOOKS, Narrator
from actors.domains.rules.items import CORE_ITEMS, HEALING_HERB
from actors.domains.rules.text import canonical_text

ENGLISH = PHRASEBOOKS["en"]
SLOTS = sorted(
    {
        slot
        for variants in ENGLISH.texts.values()
        for variant in variants
        for _, slot, _, _ in Formatter().parse(variant)
        if slot
    }
    | {"tone", "next_chapter"}
)
NOTHING_FILLED = {slot: f"{{{slot}}}" for slot in SLOTS}
"""Each slot holds itself, so that a told text is its template."""

# What a world's author or a player may have called something, as it is stored.
names = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
    | st.sampled_from(
        [
            "{role}",
            "{0}",
            "{role.__class__}",
            "%s %(x)d",
            "<b>x</b>",
            "&lt;",
            "\\n",
            "$x",
            "{{",
            "}",
        ]
    )
    | st.text("\u202e\u200f\u2066ab", min_size=1, max_size=8)
    | st.text("\U0001f409\U0001f469\u200d\U0001f680\ufe0f", min_size=1, max_size=8)
).map(canonical_text)


def _narrator(seed: int, language: str = "en", slots: dict[str, str] | None = None) -> Narrator:
    return Narrator(seed, NOTHING_FILLED if slots is None else slots, PHRASEBOOKS[language])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", sorted(ENGLISH.texts))
def test_a_seed_picks_the_same_variant_in_every_language(template: str, language: str) -> None:
    english, other = ENGLISH.texts[template], PHRASEBOOKS[language].texts[template]
    told = [
        (
            english.index(_narrator(seed).text(template)),
            other.index(_narrator(seed, language).text(template)),
        )
        for seed in range(64)
    ]
    assert set(told) == {(0, 0), (1, 1), (2, 2), (3, 3)}


def test_equal_turns_get_equal_texts() -> None:
    assert _narrator(7).text("travel") == _narrator(7).text("travel")


@given(names, names, st.integers(0, 2**64 - 1), st.sampled_from(LANGUAGES))
def test_what_a_world_says_is_text_and_never_markup(
    name: str, facts: str, seed: int, language: str
) -> None:
    slots = dict.fromkeys(SLOTS, name)
    book = PHRASEBOOKS[language]
    text = Narrator(seed, slots, book).text("talk", npc=name, facts=facts)
    values = slots | {"npc": name, "facts": facts}
    told = {
        unicodedata.normalize(
            "NFC",
            "".join(
                literal + ("" if slot is None else values[slot])
                for literal, slot, _, _ in Formatter().parse(variant)
            ),
        ).strip()
        for variant in book.texts["talk"]
    }
    assert text in {canonical_text(one) for one in told}


@given(names, st.sampled_from(LANGUAGES), st.sampled_from(sorted(ENGLISH.choices)))
def test_labels_and_details_fit_whatever_the_names_are(
    name: str, language: str, choice: str
) -> None:
    slots = dict.fromkeys(SLOTS, name * 400)
    narrator = _narrator(1, language, slots)
    assert 0 < len(narrator.label(choice, **slots)) <= LABEL_CHARS_MAX
    assert len(narrator.detail(choice, **slots)) <= DETAIL_CHARS_MAX


def test_a_name_is_shortened_where_its_verb_must_stay_readable() -> None:
    name = "The Very Long Way Down To The River"
    assert _narrator(1).label("travel", scene=name) == "Go to The Very Long Way Down\u2026"
    assert name in _narrator(1).text("travel", scene=name)


def test_a_text_is_cut_at_its_limit() -> None:
    text = _narrator(1).text("travel", scene_line="x" * 4000)
    assert len(text) == NARRATION_CHARS_MAX
    assert text.endswith("x\u2026")


@pytest.mark.parametrize(
    ("language", "names", "told"),
    [
        ("en", [], ""),
        ("en", ["Wolf"], "Wolf"),
        ("en", ["Wolf", "Wolf"], "Wolf"),
        ("en", ["Slime", "Wolf"], "Slime and Wolf"),
        ("en", ["Slime", "Wolf", "Slime", "Brute"], "Slime, Wolf and Brute"),
        ("zh", ["狼", "熊"], "狼和熊"),
        ("zh", ["史莱姆", "狼", "熊"], "史莱姆\u3001狼和熊"),
    ],
)
def test_names_in_a_row(language: str, names: list[str], told: str) -> None:
    assert _narrator(1, language).enumeration(names) == told


def test_amounts_of_items() -> None:
    herb = CORE_ITEMS[HEALING_HERB]
    assert _narrator(1).amount(herb, 1) == "Healing Herb"
    assert _narrator(1).amount(herb, 15) == "15 \u00d7 Healing Herb"
    assert _narrator(1, "zh").amount(herb, 1) == "疗伤草"
    assert _narrator(1, "zh").amount(herb, 15) == "疗伤草\u00d715"


def test_what_a_talk_reveals() -> None:
    assert _narrator(1).facts([]) == "There is nothing new to learn today."
    assert _narrator(1).facts(["A.", "{b}."]) == "One thing is new: A. {b}."
    assert _narrator(1, "zh").facts(["甲\u3002", "乙\u3002"]).endswith("甲\u3002乙\u3002")


def test_a_disabled_choice_says_why() -> None:
    assert _narrator(1).reason("rest") == "enemies are near"
    assert _narrator(1, "zh").reason("rest") == "敌人就在近旁"
