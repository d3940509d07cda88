"""Domain 7.7, 13.4: what the rules make is a world that can be played."""

from __future__ import annotations

import pytest
from agent_words import WISH
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domains.data import denied_phrases
from actors.domains.data.agent_books import AGENT_BOOKS, agent_book
from actors.domains.domain_types import CardStatus, EntityKind, Severity
from actors.domains.rules.agent import (
    ENTITY_KINDS,
    NewCard,
    expand_chapter,
    generate_entity,
    generate_foundation,
)
from actors.domains.rules.compile import (
    CompiledWorld,
    DraftCard,
    DraftMeta,
    compile_cards,
    count_of,
    quality_score,
)
from actors.domains.rules.deny_list import DenyList

DENIED = DenyList(denied_phrases())
META = DraftMeta("cwp_test", "en", 1, "everyone", "cws_test")


def compiled(cards: list[NewCard]) -> CompiledWorld:
    drafts = [
        DraftCard(f"{place:03}", card.kind, card.key, card.payload, CardStatus.ACCEPTED, place)
        for place, card in enumerate(cards)
    ]
    return compile_cards(drafts, META, {}, DENIED)


def counts(world: CompiledWorld) -> tuple[int, int, int, int]:
    found = (count_of(world.findings, severity) for severity in Severity)
    return (*found, quality_score(world.findings))  # type: ignore[return-value]


@settings(deadline=None)
@given(st.sampled_from(sorted(AGENT_BOOKS)), st.text(max_size=20))
def test_a_foundation_lacks_nothing_but_images(locale: str, hint: str) -> None:
    wish = WISH._replace(hint=hint)
    cards = generate_foundation(wish, agent_book(locale))
    world = compiled(cards)
    assert counts(world) == (0, 10, 0, 600)
    codes = {finding.code for finding in world.findings}
    assert codes == {"WRN_NO_COVER", "WRN_ROLE_PORTRAIT", "WRN_SCENE_IMAGE"}
    assert (
        world.document_hash == compiled(generate_foundation(wish, agent_book(locale))).document_hash
    )


@settings(deadline=None)
@given(st.sampled_from(sorted(AGENT_BOOKS)), st.text(max_size=20), st.integers(1, 21))
def test_more_chapters_need_nothing_else(locale: str, hint: str, count: int) -> None:
    wish = WISH._replace(hint=hint)
    cards = generate_foundation(wish, agent_book(locale))
    for _ in range(count):
        cards += expand_chapter(wish, agent_book(locale), cards)
    assert counts(compiled(cards))[0] == 0


@pytest.mark.parametrize("kind", ENTITY_KINDS)
def test_an_entity_more_breaks_nothing(kind: EntityKind) -> None:
    cards = generate_foundation(WISH, agent_book("en"))
    cards.append(generate_entity(kind, WISH, agent_book("en"), cards))
    assert counts(compiled(cards))[0] == 0


def test_the_first_chapter_leads_to_level_five() -> None:
    world = compiled(generate_foundation(WISH, agent_book("en"))).world
    assert world is not None
    plans = [chapter.plan for chapter in world.chapters]
    assert len(plans) == 3
    assert (plans[0].exit_level, plans[0].planned_total_xp) == (5, 848)
    assert (plans[0].entry_pseudo_level_millis, plans[0].exit_pseudo_level_millis) == (1000, 5000)


def test_the_boss_is_needed_by_the_last_chapter_alone() -> None:
    cards = generate_foundation(WISH, agent_book("en"))
    boss = next(card for card in cards if card.payload.get("rank") == "boss")
    found = [
        finding
        for finding in compiled([card for card in cards if card is not boss]).findings
        if finding.severity is Severity.BLOCKER
    ]
    last = [card.key for card in cards if card.kind is EntityKind.CHAPTER][-1]
    assert {finding.code for finding in found} == {"BLK_REFERENCE"}
    assert {finding.entity_key for finding in found} == {last}
