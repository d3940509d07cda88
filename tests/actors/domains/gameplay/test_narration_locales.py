"""Domain 5.2, 5.3: a session is told in one language, from its first word to its last."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
from edited_vale import Document, publish_edited
from vale_bench import PROFILE, Player, RefusedError, claims, playing, running_vale

from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryEvent,
    StoryEventKind,
    StoryFunction,
    StoryStatus,
)
from actors.domains.gameplay.story_language import StoryLocale
from actors.domains.gameplay.trade import TradeKind
from actors.domains.rules.combat import BattleMode
from actors.keys import ActorKey

SIGNS = re.compile("[\u4e00-\u9fff]")
LETTERS = re.compile("[A-Za-z]")


async def _begin(player: Player, locale: str | None, role: str = "wanderer") -> str:
    session = await player.ask("begin_story_session_and_return", PROFILE, role, locale)
    await player.vale.settle()
    player.story_id = session.story_session_id
    return player.session.latest_narrative_text


def _in_chinese(document: Document) -> None:
    """A world as a Chinese author would leave it: no name and no line in another language."""
    document["meta"]["locale"] = "zh-CN"
    _translate(document)


def _translate(value: object) -> None:
    written = {"name", "title", "description", "synopsis", "background", "role", "mood"}
    if isinstance(value, list):
        for each in value:
            _translate(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in written:
                value[key] = f"山{chr(0x4E00 + len(each) % 64)}"
            elif key in {"facts", "tone", "personality"}:
                value[key] = ["山中有雾\u3002" for _ in each]
            else:
                _translate(each)


@pytest.mark.parametrize(
    ("locale", "authored", "is_chinese"),
    [
        (None, "en", False),
        (None, "zh", True),
        (None, "zh-TW", True),
        (None, "tlh", False),
        ("en", "zh", False),
        ("zh", "en", True),
        ("zh-CN", "en", True),
        ("zh-TW", "en", True),
        ("fr", "en", False),
        ("fr", "tlh", False),
        # A French choice is none, and then the world's own words are the best ones.
        ("fr", "zh", True),
    ],
)
async def test_the_choice_goes_before_the_world_and_english_comes_last(
    monkeypatch: pytest.MonkeyPatch, locale: str | None, authored: str, is_chinese: bool
) -> None:
    publish_edited(monkeypatch, lambda document: document["meta"].update(locale=authored))
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        assert bool(SIGNS.search(await _begin(player, locale))) is is_chinese
        told = [row.label for row in player.choices()]
        assert all(bool(SIGNS.search(label)) is is_chinese for label in told)
        # It stays so for the rest of the story.
        session = await player.say("look")
        assert bool(SIGNS.search(session.latest_narrative_text)) is is_chinese


async def test_a_wrong_locale_begins_nothing() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        with pytest.raises(RefusedError) as refused:
            await _begin(player, "not a locale")
        assert refused.value.code == "runtime.invalid_locale"


async def test_a_story_that_never_was_leaves_no_locale_behind() -> None:
    async with running_vale() as vale:
        player = await vale.enter(claims(1))
        with pytest.raises(RefusedError) as refused:
            await _begin(player, "zh", "nobody")
        assert refused.value.code == "story.role_not_found"
        stories = [ActorKey(key) for key in vale.disk.actors if key.startswith("story/")]
        assert [row for key in stories for row in vale.rows(key, StoryLocale)] == []


async def test_a_language_changes_words_and_nothing_else() -> None:
    outcomes = []
    for locale in ("en", "zh"):
        async with running_vale() as vale:
            player = await vale.enter(claims(1))
            await _begin(player, locale)
            for function, target in (
                (StoryFunction.TRAVEL, "mill"),
                (StoryFunction.TALK, "scout"),
                (StoryFunction.INSPECT, "mill_chest"),
            ):
                await player.choose(function, target)
            outcomes.append(
                (
                    [(row.event_id, row.kind) for row in player.story_rows(StoryEvent)],
                    [(row.choice_id, row.function, row.target_key) for row in player.choices()],
                )
            )
    assert outcomes[0] == outcomes[1]


async def test_a_chinese_story_has_no_english_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_edited(monkeypatch, _in_chinese)
    async with playing() as player:
        seen: set[str] = set()
        async for _ in _play(player):
            seen.update(_told(player))
        assert len(seen) > 50
        assert [text for text in sorted(seen) if LETTERS.search(text)] == []
        kinds = {row.kind for row in player.story_rows(StoryEvent)}
        assert kinds >= {
            StoryEventKind.TRADE,
            StoryEventKind.GIFT,
            StoryEventKind.RECRUIT,
            StoryEventKind.TREASURE,
            StoryEventKind.SYSTEM,
            StoryEventKind.REST,
            StoryEventKind.BATTLE_WON,
            StoryEventKind.BATTLE_SPAR,
            StoryEventKind.CHAPTER_COMPLETED,
        }


async def _play(player: Player) -> AsyncIterator[None]:
    """A chapter with some of everything; pauses wherever there is something new to read."""
    call = player.call
    story, smith, scout = player.story_id, (player.story_id, "smith"), (player.story_id, "scout")
    herb = "core_healing_herb"
    yield
    await player.choose(StoryFunction.ACCEPT_QUEST, "meet_scout")
    await player.choose(StoryFunction.TALK, "mayor")
    await call("trade_with_npc", *smith, TradeKind.SELL, herb, 2, 4)
    stock = next(row for row in player.story_rows(NpcState) if row.npc_key == "smith").trade_stock
    goods = min(stock, key=lambda each: each.unit_price)
    yield
    await call("trade_with_npc", *smith, TradeKind.BUY, goods.item_id, 1, goods.unit_price)
    await player.say("看看天色")
    await player.say("去")
    yield
    await player.choose(StoryFunction.INSPECT)
    await player.choose(StoryFunction.FIGHT, "mill_prowl")
    await _fight_out(player)
    yield
    await call("use_inventory_item", player.session.runtime_session_id, 0)
    await player.choose(StoryFunction.FIGHT, "slime_pack")
    await _fight_out(player)
    await player.choose(StoryFunction.REST)
    yield
    await call("ask_npc_help", *scout)
    await player.choose(StoryFunction.TALK)
    await call("gift_npc", *scout, herb)
    await call("gift_npc", *scout, herb)
    await player.choose(StoryFunction.TALK)
    await call("create_battle_state", story, BattleMode.SPAR, None, "scout", None)
    await _fight_out(player)
    yield
    await call("recruit_npc", *scout)
    await player.choose(StoryFunction.TRAVEL)
    await call("dismiss_npc", *scout)
    yield
    await player.choose(StoryFunction.TURN_IN_QUEST, "clear_mill")
    yield
    await player.choose(StoryFunction.ADVANCE_CHAPTER)
    await player.choose(StoryFunction.NARRATIVE)
    await call("create_battle_state", story, BattleMode.FIGHT, "gate_prowl", None, None)
    yield
    await call("abandon_story_session", story)
    assert player.session.status is StoryStatus.ABANDONED
    yield


async def _fight_out(player: Player) -> None:
    battle = next(row for row in player.rows("battle_state") if row.ended_at is None)
    await player.fight_out(await player.battle(battle.battle_state_id))


def _told(player: Player) -> Iterator[str]:
    """Every text of the story that its player can read now."""
    for event in player.story_rows(StoryEvent):
        yield event.text
    for choice in player.story_rows(StoryChoice):
        yield from (choice.label, choice.detail, choice.disabled_reason or "")
    for battle in player.rows("battle_state"):
        yield battle.summary_text
