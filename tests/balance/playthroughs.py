"""Playthroughs: Test Vale from its square to its end, in the real game, by several styles."""

from __future__ import annotations

from typing import Final, NamedTuple

from user_bench import SERVICE, claims
from vale_bench import Clock, Player, Vale

from actors.domains.domain_types import (
    ChapterProgressionSnapshot,
    LevelRating,
    PaceAdvice,
    QuestKind,
    XpRating,
)
from actors.domains.gameplay.chapter import ChapterDeviationReport, ChapterProgression
from actors.domains.gameplay.combat import BattleState
from actors.domains.gameplay.encounters import is_cleared
from actors.domains.gameplay.inventory import InventorySlot
from actors.domains.gameplay.quest import QuestRecord, QuestStatus
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryFunction,
    StoryParticipant,
    StoryStatus,
)
from actors.domains.gameplay.world import world_of
from actors.domains.rules.combat import BattleStatus
from actors.domains.rules.items import COIN, HEALING_HERB
from actors.domains.rules.progression import EncounterKind
from persistence.memory import MemoryDisk

__all__ = ["STYLES", "ChapterRun", "Playthrough", "Style", "play_through"]

_STEPS_MAX: Final = 2_000
_SECOND: Final = 1_000_000


class Style(NamedTuple):
    """How somebody plays.

    ``defeats_permille`` is how many of a chapter's expected defeats are sought before moving on;
    ``rests_below`` is the percentage of hit points below which the party rests.
    """

    name: str
    side_content: bool
    defeats_permille: int
    rests_below: int


STYLES: Final = (
    Style("completionist", side_content=True, defeats_permille=1000, rests_below=70),
    Style("rusher", side_content=False, defeats_permille=0, rests_below=40),
    Style("grinder", side_content=True, defeats_permille=3000, rests_below=50),
)


class ChapterRun(NamedTuple):
    """One chapter of a playthrough, as it was when it was left."""

    chapter: ChapterProgressionSnapshot
    deviation_permille: int
    xp_rating: XpRating
    level_rating: LevelRating
    advice: PaceAdvice
    coins: int
    herbs: int
    deaths: int
    fights: int
    actions: int
    turns: int


class Playthrough(NamedTuple):
    """A style's way through the world."""

    style: Style
    number: int
    chapters: list[ChapterRun]


async def play_through(playthroughs: int, seed: int) -> list[Playthrough]:
    """Play every style as often as asked, each time as a new user in the same running game."""
    played: list[Playthrough] = []
    vale = Vale(MemoryDisk())
    vale.clock = _StillClock()
    await vale.start()
    try:
        service = await vale.enter(SERVICE)
        await service.ask("load_fixture_world_and_return")
        for style in STYLES:
            for number in range(playthroughs):
                user = 1 + seed * 1_000 + len(played)
                played.append(await _Journey(vale, style).play(number, user))
    finally:
        await vale.host.stop()
    return played


class _StillClock(Clock):
    """Time passes only when a player lets it: how often the host looks must not change a roll."""

    def __call__(self) -> int:
        return self.micros


class _Journey:
    """One player on the way."""

    def __init__(self, vale: Vale, style: Style) -> None:
        self.vale = vale
        self.style = style
        self.player: Player
        self.runs: list[ChapterRun] = []
        self.fights = self.actions = 0

    async def play(self, number: int, user: int) -> Playthrough:
        self.player = await self.vale.enter(claims(user))
        await self.player.begin()
        before = (0, 0, 0, 0)
        for _ in range(_STEPS_MAX):
            session = self.player.session
            if session.status is StoryStatus.COMPLETED:
                break
            if session.status is StoryStatus.CHAPTER_BREAK:
                index = session.chapter_index
                await self._choose(self.player.choices()[0])
                counted = (session.defeat_count, self.fights, self.actions, session.turn)
                self.runs.append(self._run_of(index, before, counted))
                before = counted
            else:
                await self._step()
        else:
            raise AssertionError(f"{self.style.name} never came to the end")
        await self.player.leave()
        return Playthrough(self.style, number, self.runs)

    async def _step(self) -> None:
        choice = self._wanted()
        await self._choose(choice)
        if choice.function is StoryFunction.FIGHT:
            await self._fight()

    async def _choose(self, choice: StoryChoice) -> None:
        self.vale.clock.wait(30 * _SECOND)
        await self.player.choose(choice.function, choice.target_key)

    async def _fight(self) -> None:
        self.fights += 1
        battle = await self.player.battle(self._battle_id())
        while battle.battle.status is not BattleStatus.ENDED:
            self.vale.clock.wait(_SECOND)
            battle = (await self.player.fight_on(battle)).snapshot
            self.actions += 1

    def _battle_id(self) -> str:
        battles = self.player.story_rows(BattleState)
        return max(battles, key=lambda row: row.created_at).battle_state_id

    # What it wants next

    def _wanted(self) -> StoryChoice:
        """The choice that comes next; the order is the style's and never chance's."""
        choices = [choice for choice in self.player.choices() if choice.enabled]
        kept = {choice.function: choice for choice in reversed(choices)}
        travels = self._travels(choices)
        (me,) = self.player.story_rows(StoryParticipant)
        if me.hp * 100 < me.max_hp * self.style.rests_below:
            if StoryFunction.REST in kept:
                return kept[StoryFunction.REST]
            if me.hp * 100 < me.max_hp * 40 and travels:
                return travels[-1]  # Somewhere to rest: a fixed encounter watches this place.
        wants_fight = self._wants_fight()
        for choice in choices:
            if self._is_wanted(choice, wants_fight=wants_fight):
                return choice
        if not wants_fight and StoryFunction.TURN_IN_QUEST in kept:
            return kept[StoryFunction.TURN_IN_QUEST]
        return travels[0]

    def _is_wanted(self, choice: StoryChoice, *, wants_fight: bool) -> bool:
        quests = self._quests()
        match choice.function:
            case StoryFunction.TURN_IN_QUEST:
                return quests[choice.target_key].kind is QuestKind.SIDE
            case StoryFunction.ACCEPT_QUEST | StoryFunction.INSPECT:
                return self.style.side_content
            case StoryFunction.TALK:
                return any(
                    objective.target_key == choice.target_key
                    for quest in quests.values()
                    if quest.status is QuestStatus.ACTIVE
                    for objective in quest.objectives
                )
            case StoryFunction.FIGHT:
                return wants_fight
            case _:
                return False

    def _wants_fight(self) -> bool:
        quests = self._quests()
        main = next(
            row
            for row in quests.values()
            if row.kind is QuestKind.MAIN and row.chapter_index == self.player.session.chapter_index
        )
        chapter = self._chapter(self.player.session.chapter_index)
        sought = chapter.expected_hostile_defeat_count * self.style.defeats_permille // 1000
        is_short = chapter.actual_hostile_defeat_count < sought
        return main.status is QuestStatus.ACTIVE or is_short or self._has_uncleared()

    def _has_uncleared(self) -> bool:
        database = self.vale.host.core(self.player.story).database
        session = self.player.session
        world = world_of(database, session)
        return self.style.side_content and any(
            encounter.kind is EncounterKind.FIXED and not is_cleared(database, session, encounter)
            for encounter in world.chapter(session.chapter_index).encounters.values()
        )

    def _travels(self, choices: list[StoryChoice]) -> list[StoryChoice]:
        """Ways to go, those within the chapter first."""
        session = self.player.session
        world = world_of(self.vale.host.core(self.player.story).database, session)
        scenes = world.chapter(session.chapter_index).scene_keys
        return sorted(
            (choice for choice in choices if choice.function is StoryFunction.TRAVEL),
            key=lambda choice: choice.target_key not in scenes,
        )

    # What it has

    def _quests(self) -> dict[str, QuestRecord]:
        return {row.quest_key: row for row in self.player.story_rows(QuestRecord)}

    def _chapter(self, index: int) -> ChapterProgressionSnapshot:
        rows = self.player.own_rows(ChapterProgression)
        return next(row for row in rows if row.chapter_index == index)

    def _held(self, item_id: str) -> int:
        rows = self.player.own_rows(InventorySlot)
        return sum(row.quantity for row in rows if row.item_id == item_id)

    def _run_of(
        self, index: int, before: tuple[int, int, int, int], after: tuple[int, int, int, int]
    ) -> ChapterRun:
        chapter = self._chapter(index)
        report = next(
            row
            for row in self.player.own_rows(ChapterDeviationReport)
            if row.chapter_progression_id == chapter.chapter_progression_id
        )
        deaths, fights, actions, turns = (
            now - then for now, then in zip(after, before, strict=True)
        )
        return ChapterRun(
            chapter,
            report.deviation_permille,
            report.xp_rating,
            report.level_rating,
            report.advice,
            self._held(COIN),
            self._held(HEALING_HERB),
            deaths,
            fights,
            actions,
            turns,
        )
