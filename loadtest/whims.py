"""Whims: what players do without need: wander, spar, flee, tidy their packs, ask for too much.

They may be refused, as the domain says; whatever they lead to must still keep its rules.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from loadtest.policy import Step

__all__ = ["Whims"]

_WORDS = ("go on", "I attack", "talk to them", "sleep a while", "open it", "sing of the vale")
_EQUIP_SLOTS = ("Weapon", "Armor", "Charm")


class Whims:
    """Draws needless steps for one player.

    Args:
        user_id: the player.
        rows: the player's rows of a table, as they are now.
        permille: how often a whim takes the place of a decision.
        seed: of its chance.
    """

    def __init__(
        self, user_id: str, rows: Callable[[str], list[Any]], permille: int, seed: str
    ) -> None:
        self._user_id = user_id
        self._rows = rows
        self._permille = permille
        self._chance = random.Random(seed)

    def step(self) -> Step | None:
        """A whim of a host whose story is at rest; mostly none."""
        if not self._strikes():
            return None
        session = self._rows("story_session")[0]
        story: dict[str, Any] = {"story_session_id": session.story_session_id}
        turn = {**story, "expected_turn": session.turn, "interrupt_narration": False}
        npc = {**story, "npc_key": self._chance.choice(self._rows("npc_state")).npc_key}
        choice = self._chance.choice(self._rows("story_choice"))
        lineage = {"runtime_session_id": session.runtime_session_id}
        index, other = (self._chance.randrange(6) for _ in range(2))
        steps = [
            ("continue_story", {**turn, "choice_id": choice.choice_id}),
            ("continue_story", {**turn, "free_text": self._chance.choice(_WORDS)}),
            ("create_battle_state", {**npc, "battle_mode": "Spar"}),
            ("talk_to_npc", npc),
            ("ask_npc_help", npc),
            ("recruit_npc", npc),
            ("dismiss_npc", npc),
            ("gift_npc", {**npc, "item_id": "core_healing_herb"}),
            ("trade_with_npc", {**npc, **self._deal()}),
            ("use_inventory_item", {**lineage, "slot_index": index}),
            ("equip_item", {**lineage, "slot_index": index}),
            ("unequip_item", {**lineage, "equip_slot": self._chance.choice(_EQUIP_SLOTS)}),
            ("move_inventory_slot", {**lineage, "from_slot": index, "to_slot": other}),
            ("split_inventory_stack", {**lineage, "from_slot": index, "quantity": 1}),
        ]
        name, fields = self._chance.choice(steps)
        return Step(name, fields, is_whim=True)

    def action(self, battle: Any) -> Step | None:
        """A whim in the own turn of a fight; mostly none."""
        if not self._strikes():
            return None
        own = next(
            row
            for row in self._rows("battle_combatant")
            if row.battle_state_id == battle.battle_state_id and row.user_id == self._user_id
        )
        skill = self._chance.choice(own.skills).skill_id
        item = self._chance.choice(own.belt).item_id if own.belt else "core_smoke_bomb"
        fields = self._chance.choice(
            [
                {"action": "Guard"},
                {"action": "Escape"},
                {"action": "Yield"},
                {"action": "Skill", "skill_id": skill},
                {"action": "UseItem", "item_id": item},
                {"action": "BasicAttack", "target_seq": own.seq},
            ]
        )
        place = {"battle_state_id": battle.battle_state_id, "expected_version": battle.version}
        return Step("resolve_combat_action", {**place, **fields}, is_whim=True)

    def _strikes(self) -> bool:
        return self._chance.randrange(1000) < self._permille

    def _deal(self) -> dict[str, Any]:
        """Something an npc sells, for what it asks; now and then for less."""
        offers = [entry for row in self._rows("npc_state") for entry in row.trade_stock]
        if not offers:
            return {"kind": "Sell", "item_id": "core_coin", "quantity": 1, "expected_unit_price": 1}
        offer = self._chance.choice(offers)
        return {
            "kind": "Buy",
            "item_id": offer.item_id,
            "quantity": self._chance.randint(1, 3),
            "expected_unit_price": offer.unit_price,
        }
