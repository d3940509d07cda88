"""Policy: what a player does next, decided from nothing but the rows that a client sees.

In fights it is policy P of domain 13.0. Between them: level-ups, gear, quests, whatever stands in
the way, treasures, company, shopping, and only then the way on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Policy", "Step"]

_HURT_PERMILLE = 600
_WORN_OUT_PERMILLE = 350
_RECRUIT_AFFINITY = 60
_GIFTS_MAX = 5
_TALKS_A_VISIT = 3
_HERBS_KEPT = 6
_COIN, _HERB = "core_coin", "core_healing_herb"

_VALUES = {
    "core_antidote": 10,
    "core_mana_drop": 12,
    "core_smoke_bomb": 30,
    "core_throwing_knife": 8,
}
"""What a player has no use for, and what it is worth (domain 5.4)."""

_GEAR = {"core_blade_t": "Weapon", "core_mail_t": "Armor", "core_charm_t": "Charm"}


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the game: a name without ``_and_return``, and its input.

    A whim may be refused.
    """

    name: str
    fields: dict[str, Any]
    is_whim: bool = False


class Policy:
    """Decides for one player of one story.

    Args:
        user_id: the player.
        rows: the player's rows of a table, as they are now.
        chapters: leave the story after so many.
        fights: seek nothing but fights, and leave after so many; 0 plays the story.
    """

    def __init__(
        self, user_id: str, rows: Callable[[str], list[Any]], chapters: int, fights: int = 0
    ) -> None:
        self._user_id = user_id
        self._rows = rows
        self._chapters = chapters
        self._fights = fights
        self._fought: set[str] = set()
        self._visited: set[str] = set()
        self._arenas: set[str] = set()

    def upkeep(self) -> Step | None:
        """What a player does for itself, host or guest, whenever there is time."""
        for row in self._rows("my_player_progression"):
            if row.pending_level_ups:
                return Step("acknowledge_level_ups", {"count": row.pending_level_ups})
        return self._equip()

    def action(self, battle: Any) -> Step:
        """The own turn of a fight: mend, else strike, else hit, whom it is easiest to end."""
        self._fought.add(battle.battle_state_id)
        combatants = [
            row
            for row in self._rows("battle_combatant")
            if row.battle_state_id == battle.battle_state_id
        ]
        own = next(row for row in combatants if row.user_id == self._user_id)
        cooling = {entry.skill_id for entry in own.cooldowns if entry.turns_left}
        ready = {
            skill.skill_id
            for skill in own.skills
            if skill.mana_cost <= own.mana and skill.skill_id not in cooling
        }
        hostiles = [row for row in combatants if row.side.name == "Hostile" and row.alive]
        fields: dict[str, Any] = {
            "battle_state_id": battle.battle_state_id,
            "expected_version": battle.version,
            "action": "BasicAttack",
            "target_seq": min(hostiles, key=lambda row: (row.hp, row.seq)).seq,
        }
        if own.hp * 1000 < own.stats.max_hp * _WORN_OUT_PERMILLE and "mend" in ready:
            fields |= {"action": "Skill", "skill_id": "mend", "target_seq": None}
        elif "power_strike" in ready:
            fields |= {"action": "Skill", "skill_id": "power_strike"}
        return Step("resolve_combat_action", fields)

    def step(self) -> Step:
        """What the host does next; the story must be at rest."""
        session = self._session()
        self._visited.add(session.current_scene_key)
        if any(row.function.name == "Fight" for row in self._choices()):
            self._arenas.add(session.current_scene_key)
        ideas = self._fierce_ideas(session) if self._fights else self._ideas(session)
        return next(step for step in ideas if step is not None)

    # What may be done, best first

    def _ideas(self, session: Any) -> Iterator[Step | None]:
        yield self.upkeep()
        yield self._choose("AcceptQuest")
        yield self._recover(session)
        yield self._turn_in("Side")
        yield self._fight_in_the_way()
        yield self._choose("Inspect")
        for npc in self._npcs_here(session):
            yield self._befriend(npc)
        if self._turn_in("Main") is not None:
            for npc in self._npcs_here(session):
                yield self._trade(npc)
        yield self._turn_in("Main")
        yield self._go_on(session)
        if self._hunts():
            yield self._choose("Fight")
        yield self._travel(session)
        yield self._choose("Narrative")
        yield self._choose("Fight")

    def _fierce_ideas(self, session: Any) -> Iterator[Step | None]:
        """Fights, and what stands between this one and the next."""
        if len(self._fought) >= self._fights:
            yield self._story_step("abandon_story_session")
        yield self.upkeep()
        yield self._recover(session)
        yield self._choose("Fight")
        yield self._travel(session)
        yield self._choose("Travel")
        yield self._choose("Narrative")

    def _recover(self, session: Any) -> Step | None:
        """Rest, else use herbs, else go where one can rest; a new chapter heals by itself."""
        players = self._rows("story_participant")
        is_hurt = any(row.hp * 1000 < row.max_hp * _HURT_PERMILLE for row in players)
        if not is_hurt or session.status.name != "Active":
            return None
        rest = self._choose("Rest")
        if rest is not None or not self._choices("Rest"):
            return rest
        own = next(row for row in players if row.user_id == self._user_id)
        if own.hp * 1000 < own.max_hp * _HURT_PERMILLE and self._spare(_HERB):
            slot = next(row for row in self._backpack() if row.item_id == _HERB)
            return self._item_step("use_inventory_item", slot)
        return self._choose("Travel")

    def _fight_in_the_way(self) -> Step | None:
        """Fights that are offered before the ways out stand in the way (domain 5.3)."""
        ways = [row.position for row in self._choices("Travel")]
        first = next(iter(self._choices("Fight")), None)
        if first is None or (ways and first.position > min(ways)):
            return None
        return self._take(first)

    def _befriend(self, npc: Any) -> Step | None:
        """Talk as long as it helps, then give presents, then ask to come along."""
        is_wanted = npc.recruitable and not npc.recruited
        is_sought = any(each.target_key == npc.npc_key for each in self._objectives("TalkNpc"))
        gains = npc.affinity < _RECRUIT_AFFINITY and npc.talk_count_this_visit < _TALKS_A_VISIT
        if is_sought or npc.talk_count == 0 or (is_wanted and gains):
            return self._npc_step("talk_to_npc", npc)
        if not is_wanted:
            return None
        if npc.affinity >= _RECRUIT_AFFINITY:
            return self._npc_step("recruit_npc", npc)
        if npc.gifts_given < _GIFTS_MAX and self._spare(_HERB):
            return self._npc_step("gift_npc", npc, item_id=_HERB)
        return None

    def _trade(self, npc: Any) -> Step | None:
        """Sell what is of no use, then buy better gear, then herbs."""
        if not npc.trade_stock:
            return None
        for item_id, value in _VALUES.items():
            if self._spare(item_id):
                price = value * (400 + 2 * max(-50, min(100, npc.affinity))) // 1000
                return self._trade_step(npc, "Sell", item_id, self._spare(item_id), price)
        coins = self._held(_COIN)
        for entry in npc.trade_stock:
            is_useful = self._is_better_gear(entry.item_id) or (
                entry.item_id == _HERB and self._held(_HERB) < _HERBS_KEPT
            )
            if entry.quantity and entry.unit_price <= coins and is_useful:
                return self._trade_step(npc, "Buy", entry.item_id, 1, entry.unit_price)
        return None

    def _turn_in(self, kind: str) -> Step | None:
        quests = {row.quest_key: row for row in self._rows("quest_record")}
        for choice in self._choices("TurnInQuest"):
            quest = quests[choice.target_key]
            can_deliver = all(
                self._held(item.item_id) >= item.quantity for item in quest.deliver_items
            )
            if quest.kind.name == kind and can_deliver:
                return self._take(choice)
        return None

    def _go_on(self, session: Any) -> Step | None:
        if session.status.name != "ChapterBreak":
            return None
        if self._chapters <= session.chapter_index < session.total_chapters:
            return self._story_step("abandon_story_session")
        return self._choose("AdvanceChapter") or self._choose("Finish")

    def _travel(self, session: Any) -> Step | None:
        """To where a quest leads, else where nobody was yet."""
        ways = {row.target_key: row for row in self._choices("Travel")}
        wanted = [each.target_key for each in self._objectives("EnterScene")]
        scenes = {row.npc_key: row.scene_key for row in self._rows("npc_state")}
        wanted += [scenes[each.target_key] for each in self._objectives("TalkNpc")]
        wanted += [
            scenes[row.giver_npc_key]
            for row in self._rows("quest_record")
            if row.status.name == "Completed" and row.giver_npc_key is not None
        ]
        if self._hunts():
            wanted += sorted(self._arenas - {session.current_scene_key})
        wanted += sorted(ways.keys() - self._visited)
        return next((self._take(ways[key]) for key in wanted if key in ways), None)

    def _equip(self) -> Step | None:
        level = next((row.level for row in self._rows("my_player_progression")), 1)
        for row in self._backpack():
            if row.category.name in _GEAR.values() and row.locked_by is None:
                worn = self._worn_rarity(row.category.name)
                if row.rarity > worn and level >= 8 * row.rarity + 1:
                    return self._item_step("equip_item", row)
        return None

    # What the rows say

    def _session(self) -> Any:
        return self._rows("story_session")[0]

    def _choices(self, function: str = "") -> list[Any]:
        rows = sorted(self._rows("story_choice"), key=lambda row: row.position)
        return [row for row in rows if not function or row.function.name == function]

    def _npcs_here(self, session: Any) -> list[Any]:
        if session.status.name != "Active":
            return []
        here = session.current_scene_key
        return [row for row in self._rows("npc_state") if row.scene_key == here]

    def _objectives(self, kind: str) -> list[Any]:
        """What active quests still ask for."""
        return [
            each
            for quest in self._rows("quest_record")
            if quest.status.name == "Active"
            for each in quest.objectives
            if each.kind.name == kind and each.progress < each.required
        ]

    def _hunts(self) -> bool:
        return bool(self._objectives("DefeatHostile"))

    def _backpack(self) -> list[Any]:
        lineage = self._session().runtime_session_id
        return [
            row
            for row in self._rows("inventory_slot")
            if row.runtime_session_id == lineage and row.container.name == "Backpack"
        ]

    def _held(self, item_id: str) -> int:
        return sum(row.quantity for row in self._backpack() if row.item_id == item_id)

    def _spare(self, item_id: str) -> int:
        """How many of an item no quest asks for."""
        owed: int = sum(
            item.quantity
            for quest in self._rows("quest_record")
            if quest.status.name in {"Offered", "Active", "Completed"}
            for item in quest.deliver_items
            if item.item_id == item_id
        )
        return max(0, self._held(item_id) - owed)

    def _worn_rarity(self, category: str) -> int:
        """Of the gear worn; gear is as rare as its tier."""
        lineage = self._session().runtime_session_id
        rarity: int = -1
        for row in self._rows("inventory_slot"):
            if row.runtime_session_id == lineage and row.container.name == "Equipment":
                rarity = row.rarity if row.category.name == category else rarity
        return rarity

    def _is_better_gear(self, item_id: str) -> bool:
        category = _GEAR.get(item_id[:-1])
        if category is None or self._held(item_id):
            return False
        level = next((row.level for row in self._rows("my_player_progression")), 1)
        rarity = int(item_id[-1]) - 1
        return rarity > self._worn_rarity(category) and level >= 8 * rarity + 1

    # Steps

    def _choose(self, function: str) -> Step | None:
        choice = next((row for row in self._choices(function) if row.enabled), None)
        return None if choice is None else self._take(choice)

    def _take(self, choice: Any) -> Step:
        return self._story_step(
            "continue_story",
            choice_id=choice.choice_id,
            expected_turn=self._session().turn,
            interrupt_narration=False,
        )

    def _story_step(self, name: str, **fields: object) -> Step:
        return Step(name, {"story_session_id": self._session().story_session_id, **fields})

    def _npc_step(self, name: str, npc: Any, **fields: object) -> Step:
        return self._story_step(name, npc_key=npc.npc_key, **fields)

    def _trade_step(self, npc: Any, kind: str, item_id: str, quantity: int, price: int) -> Step:
        trade = {"kind": kind, "item_id": item_id, "quantity": quantity}
        return self._npc_step("trade_with_npc", npc, expected_unit_price=price, **trade)

    def _item_step(self, name: str, slot: Any) -> Step:
        return Step(
            name,
            {"runtime_session_id": slot.runtime_session_id, "slot_index": slot.slot_index},
        )
