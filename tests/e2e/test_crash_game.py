"""Stories that are played on while server or store are killed: each victory pays exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from bot import Bot, Lost, Refused, Words, connected, take_breath
from crowd import UNAVAILABLE
from places import Place, faulty_place
from served import Served
from stored import StoredActor, read_actors

from actors.domains.domain_types import GrantSource
from actors.domains.gameplay.combat import BattleSnapshot, BattleState
from actors.domains.gameplay.progression import PlayerProgression, ProgressionGrantLog
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import StoryFunction
from actors.domains.rules.combat import BattleSide, BattleStatus, CombatAction, CombatOutcome
from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.runtime.wallet import ProfileWalletLedger
from actors.keys import user_id_of
from actors.module.module import Module
from actors.module.system import DeadLetter, OutboxMessage

pytestmark = pytest.mark.crash

GAME = "actors.domains.entry"
PROFILE = "cwp_fixture_vale"
ROUNDS = (int(os.environ.get("CRASH_ROUNDS", "3")) + 1) // 2
SEED = int(os.environ.get("CRASH_SEED", "0")) or random.randrange(2**31)
PLAYERS = 8
ROUND_ANSWERS_MAX = 60
AFTER_ANSWERS = 8


class Player:
    """Plays one story after another; a call that was not answered is made again as it was."""

    def __init__(self, number: int, tournament: Tournament) -> None:
        self._tournament = tournament
        self._number = number
        self._requests = 0
        self._step = self._begin
        self._pending: tuple[str, tuple[object, ...]] | None = None
        self._story_id = ""
        self._battle: BattleSnapshot | None = None
        self.token = ""
        self.user_id = ""
        self.victories: set[str] = set()

    async def play(self) -> None:
        """Play for ever, over one connection after the other."""
        tournament = self._tournament
        while True:
            with contextlib.suppress(Lost):
                async with connected(tournament.words, tournament.server, self.token) as bot:
                    self.token = self.token or bot.token
                    self.user_id = user_id_of(bot.identity)
                    while True:
                        await self._step(bot)
            await take_breath()

    async def _ask(self, bot: Bot, name: str, *fields: object) -> Any:
        """Call with a request id, or again the call that was not answered."""
        words = self._tournament.words
        self._pending = self._pending or (name, fields)
        name, fields = self._pending
        given = words.inputs[name](*fields, f"{self._number}-{self._requests}")
        while True:
            ok, value, code, text, _ = await bot.ask_in_time(name, given)
            if code != UNAVAILABLE:
                break
            await take_breath()
        self._pending = None
        self._requests += 1
        self._tournament.count()
        if not ok:
            raise Refused(f"{code}: {text}")
        return value

    async def _begin(self, bot: Bot) -> None:
        session = await self._ask(bot, "begin_story_session_and_return", PROFILE, "wanderer", None)
        self._story_id = session.story_session_id
        self._step = self._travel

    async def _travel(self, bot: Bot) -> None:
        await self._choose(bot, StoryFunction.TRAVEL, "mill")
        self._step = self._fight

    async def _fight(self, bot: Bot) -> None:
        await self._choose(bot, StoryFunction.FIGHT, "slime_pack")
        self._step = self._look

    async def _look(self, bot: Bot) -> None:
        """Wait until the battle takes actions."""
        state = await self._state(bot)
        assert state.battle is not None
        if state.battle.battle.status is BattleStatus.ACTIVE:
            self._battle = state.battle
            self._step = self._act

    async def _act(self, bot: Bot) -> None:
        assert self._battle is not None
        battle, combatants = self._battle
        targets = [row for row in combatants if row.side is BattleSide.HOSTILE and row.alive]
        target = min(targets, key=lambda row: (row.hp, row.seq)).seq
        resolution = await self._ask(
            bot,
            "resolve_combat_action_and_return",
            *(battle.battle_state_id, battle.version, CombatAction.BASIC_ATTACK),
            *(None, None, target),
        )
        self._battle = resolution.snapshot
        if resolution.outcome is CombatOutcome.VICTORY:
            self.victories.add(battle.battle_state_id)
        if resolution.outcome is not CombatOutcome.ONGOING:
            self._step = self._give_up

    async def _give_up(self, bot: Bot) -> None:
        await self._ask(bot, "abandon_story_session_and_return", self._story_id)
        self._step = self._begin

    async def _choose(self, bot: Bot, function: StoryFunction, target: str) -> None:
        name = "continue_story_and_return"
        if self._pending is not None:
            await self._ask(bot, name)
            return
        state = await self._state(bot)
        choice = next(
            row for row in state.choices if (row.function, row.target_key) == (function, target)
        )
        await self._ask(
            bot, name, self._story_id, choice.choice_id, None, state.session.turn, False
        )

    async def _state(self, bot: Bot) -> Any:
        words = self._tournament.words
        name = "get_story_session_state"
        while True:
            ok, value, code, *_ = await bot.ask(name, words.inputs[name](self._story_id))
            if code != UNAVAILABLE:
                assert ok, code
                return value
            await take_breath()


class Tournament:
    """Players, and when the fault is to strike."""

    def __init__(self, words: Words, place: Place) -> None:
        self.words = words
        self._place = place
        self.players = [Player(number, self) for number in range(PLAYERS)]
        self._answers_left = 0
        self._is_enough = asyncio.Event()

    @property
    def server(self) -> Served:
        """Where everybody connects."""
        return self._place.server

    async def prepare(self) -> None:
        """Publish the fixture world."""
        async with connected(self.words, self.server, self.server.token("service")) as bot:
            await bot.call("load_fixture_world", self.words.inputs["load_fixture_world"]("load"))

    async def round(self, answers: int) -> None:
        """Play until so many answers have come; then the fault strikes, and all play on."""
        async with self._all_play() as work:
            await self._until(answers, work)
            self._place.strike()
            await self._place.heal()
            await self._until(AFTER_ANSWERS, work)
        assert self.server.is_running

    async def win(self) -> None:
        """Play until somebody has won."""
        async with self._all_play() as work:
            while not any(player.victories for player in self.players):
                await self._until(1, work)

    @contextlib.asynccontextmanager
    async def _all_play(self) -> AsyncIterator[list[asyncio.Task[None]]]:
        work = [asyncio.create_task(player.play()) for player in self.players]
        yield work
        for task in work:
            task.cancel()
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if not isinstance(outcome, asyncio.CancelledError):
                raise AssertionError("a player stopped") from outcome

    async def _until(self, answers: int, work: list[asyncio.Task[None]]) -> None:
        self._answers_left = answers
        self._is_enough.clear()
        enough = asyncio.create_task(self._is_enough.wait())
        await asyncio.wait([*work, enough], return_when=asyncio.FIRST_COMPLETED)
        enough.cancel()
        for task in work:
            if task.done():
                task.result()

    def count(self) -> None:
        """An answer has come."""
        self._answers_left -= 1
        if self._answers_left <= 0:
            self._is_enough.set()

    async def finish(self) -> None:
        """Everybody comes back once more and sees every reward settled."""
        for player in self.players:
            async with connected(self.words, self.server, player.token) as bot:
                await bot.subscribe("SELECT * FROM reward_settlement")
                await bot.until(
                    lambda bot=bot: all(
                        row.status is SettlementStatus.SETTLED
                        for row in bot.rows("reward_settlement")
                    )
                )


def _check_player(player: Player, actors: dict[str, StoredActor]) -> int:
    home = actors[f"user/{player.user_id}"]
    grants = home.rows(ProgressionGrantLog)
    assert set(Counter(row.source_ref for row in grants).values()) <= {1}
    progression = home.rows(PlayerProgression)
    assert sum(row.amount_granted for row in grants) == sum(row.total_xp for row in progression)
    ledger = sorted(home.rows(ProfileWalletLedger), key=lambda row: row.seq)
    assert [row.seq for row in ledger] == list(range(1, len(ledger) + 1))
    balance = 0
    for row in ledger:
        balance += row.amount_delta
        assert row.balance_after == balance
    assert [row.wallet_balance for row in home.rows(ProfileDashboardState)] == [balance]

    settled = 0
    won = set()
    for name, actor in actors.items():
        if not name.startswith("story/"):
            continue
        won.update(
            row.battle_state_id
            for row in actor.rows(BattleState)
            if row.outcome is CombatOutcome.VICTORY
        )
        for row in actor.rows(RewardSettlement):
            if row.user_id != player.user_id or row.source is not GrantSource.HOSTILE_DEFEAT:
                continue
            assert row.status is SettlementStatus.SETTLED
            settled += 1
    assert player.victories <= won, "a victory that was told is gone"
    fights = [row for row in grants if row.source is GrantSource.HOSTILE_DEFEAT]
    assert len(fights) == settled >= len(player.victories)
    return settled


@pytest.mark.timeout(120 + 16 * ROUNDS)
@pytest.mark.parametrize("fault", ["sqlite-server", "redis-store"])
def test_every_victory_pays_exactly_once(tmp_path, fault):
    print("seed", SEED)
    chance = random.Random(SEED)
    module = Module.load(GAME, fixtures=True)

    async def crash(place: Place) -> None:
        tournament = Tournament(Words(module), place)
        await tournament.prepare()
        for _ in range(ROUNDS):
            await tournament.round(chance.randint(1, ROUND_ANSWERS_MAX))
        await tournament.win()
        await tournament.finish()
        place.server.stop()
        actors = await read_actors(module, place.server.data_dir, place.store_url)
        settled = [_check_player(player, actors) for player in tournament.players]
        for actor in actors.values():
            assert actor.rows(DeadLetter) == []
            assert actor.rows(OutboxMessage) == []
        print(fault, ROUNDS, "faults,", sum(settled), "victories in", len(actors), "actors")

    flags = ("--dev-fixtures", "--no-rate-limits")
    with faulty_place(fault, GAME, tmp_path, *flags) as place:
        asyncio.run(crash(place))
        assert "Traceback" not in place.server.log()
