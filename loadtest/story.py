"""Story: the first acceptance story, played by a bot against a running server (domain 13.1).

What the domain says of each step is checked as it is played. Steps of services are left out; in
the end the quest is turned in, so that the level moves.
"""

from __future__ import annotations

from typing import Any

from loadtest.connection import Address
from loadtest.errors import CheckError, RefusedError, expect
from loadtest.player import Player
from loadtest.schema_reader import fetch_schema
from loadtest.screen import Screen

__all__ = ["Hero", "load_fixture_world"]

PROFILE = "cwp_fixture_vale"
_TABLES = (
    "my_player_progression",
    "my_chapter_progression",
    "battle_state",
    "battle_combatant",
    "battle_event",
    "reward_settlement",
    "inventory_slot",
    "story_session",
    "story_event",
    "story_choice",
    "quest_record",
)
_ACTIONS_MAX = 40
_HOSTILE_XP = 24


async def load_fixture_world(address: Address, service_token: str) -> None:
    """Publish Test Vale, as a service; harmless when it is there.

    Raises:
        RefusedError: the token is no service's, or the server runs without ``--dev-fixtures``.
    """
    schema = await fetch_schema(address)
    service = await Player.enter(address, schema, token=service_token)
    try:
        await service.ask("load_fixture_world_and_return")
    finally:
        await service.leave()


class Hero:
    """Plays one story.

    Args:
        player: a user who has not played yet.
        screen: shows what happens; it should watch the player.
    """

    def __init__(self, player: Player, screen: Screen) -> None:
        self._player = player
        self._screen = screen

    async def play(self) -> None:
        """Play from the subscription to the level-up.

        Raises:
            CheckError: the server shows something else than the domain says.
            RefusedError: a call was refused that should not be.
        """
        player, screen = self._player, self._screen
        screen.step("subscribe")
        await player.subscribe(*_TABLES)
        expect("progression rows", len(player.rows("my_player_progression")), 0)
        shown = await player.ask("get_player_progression_or_default")
        expect(
            "the default level", (shown.level, shown.total_xp, shown.xp_to_next_level), (1, 0, 100)
        )
        benchmark = await player.ask("get_level_benchmark", level=5)
        expect("level 5", (benchmark.xp_to_next, benchmark.xp_floor), (452, 848))

        screen.step("begin a story in Test Vale as a wanderer")
        await player.ask("begin_story_session_and_return", profile_id=PROFILE, role_key="wanderer")
        await player.until(lambda: self._status() == "Active")
        expect("chapters planned", self._chapter().planned_total_xp, 938)
        await self._choose("Travel", "mill")
        await self._choose("Fight", "slime_pack")
        await player.until(lambda: any(row.status.name == "Active" for row in self._battles()))
        await self._fight(self._battles()[0].battle_state_id)
        await self._collect()
        await self._turn_in()
        faults = player.faults()
        expect("faults of the subscription", faults, [])

    async def _fight(self, battle_state_id: str) -> None:
        """Fight by policy P (domain 13.0), then repeat the last call (step 7)."""
        player = self._player
        snapshot = await player.ask("get_battle_state", battle_state_id=battle_state_id)
        for number in range(_ACTIONS_MAX):
            action = self._decide(snapshot)
            self._screen.step((action["skill_id"] or "basic_attack").replace("_", " "))
            request = f"{battle_state_id}-{number}"
            call = {
                "battle_state_id": battle_state_id,
                "expected_version": snapshot.battle.version,
                **action,
            }
            answer = await player.ask("resolve_combat_action_and_return", request, **call)
            expect(
                "the battle's version", answer.snapshot.battle.version, snapshot.battle.version + 1
            )
            snapshot = answer.snapshot
            if answer.outcome.name != "Ongoing":
                break
        expect("the outcome", answer.outcome.name, "Victory")
        again = await player.ask("resolve_combat_action_and_return", request, **call)
        expect("the same call again", again, answer)
        try:
            await player.ask("resolve_combat_action_and_return", **call)
        except RefusedError as refusal:
            expect("a new call", refusal.code, "combat.not_active_state")
        else:
            raise CheckError("an action after the end was taken")

    def _decide(self, snapshot: Any) -> dict[str, Any]:
        own = next(row for row in snapshot.combatants if row.user_id == self._player.user_id)
        cooling = {entry.skill_id for entry in own.cooldowns}
        ready = {
            skill.skill_id
            for skill in own.skills
            if skill.mana_cost <= own.mana and skill.skill_id not in cooling
        }
        hostiles = [row for row in snapshot.combatants if row.side.name == "Hostile" and row.alive]
        target = min(hostiles, key=lambda row: (row.hp, row.seq)).seq
        if own.hp * 100 < own.stats.max_hp * 35 and "mend" in ready:
            return {"action": "Skill", "skill_id": "mend", "target_seq": None}
        if "power_strike" in ready:
            return {"action": "Skill", "skill_id": "power_strike", "target_seq": target}
        return {"action": "BasicAttack", "skill_id": None, "target_seq": target}

    async def _collect(self) -> None:
        """Wait for the settlement, and check what it paid (steps 8 and 9)."""
        player = self._player
        await player.until(lambda: self._total_xp() == _HOSTILE_XP)
        await player.until(
            lambda: any(
                row.status.name == "Settled" and row.source.name == "HostileDefeat"
                for row in player.rows("reward_settlement")
            )
        )
        await player.until(lambda: self._status() == "Active")
        items: dict[str, int] = {}
        for row in player.rows("inventory_slot"):
            items[row.item_id] = items.get(row.item_id, 0) + row.quantity
        expect("the loot", items, {"core_healing_herb": 6, "core_coin": 28})
        expect("the chapter's defeats", self._chapter().actual_hostile_defeat_count, 3)

    async def _turn_in(self) -> None:
        """Walk back, turn the quest in, and take the level-ups."""
        player = self._player
        await self._choose("Travel", "square")
        await self._choose("TurnInQuest", "clear_mill")
        await player.until(lambda: self._total_xp() > _HOSTILE_XP)
        pending = player.rows("my_player_progression")[0].pending_level_ups
        self._screen.step("acknowledge the level-ups")
        await player.call("acknowledge_level_ups", count=pending)
        await player.until(lambda: player.rows("my_player_progression")[0].pending_level_ups == 0)

    async def _choose(self, function: str, target: str) -> None:
        """Take a choice once it is offered."""
        player = self._player

        def found() -> Any:
            return next(
                (
                    row
                    for row in player.rows("story_choice")
                    if row.function.name == function and row.target_key == target and row.enabled
                ),
                None,
            )

        await player.until(lambda: found() is not None)
        choice = found()
        session = player.rows("story_session")[0]
        self._screen.step(choice.label)
        await player.ask(
            "continue_story_and_return",
            story_session_id=session.story_session_id,
            choice_id=choice.choice_id,
            expected_turn=session.turn,
            interrupt_narration=False,
        )

    def _status(self) -> str:
        sessions = self._player.rows("story_session")
        return sessions[0].status.name if sessions else ""

    def _battles(self) -> list[Any]:
        return self._player.rows("battle_state")

    def _chapter(self) -> Any:
        return self._player.rows("my_chapter_progression")[0]

    def _total_xp(self) -> int:
        rows = self._player.rows("my_player_progression")
        return rows[0].total_xp if rows else 0
