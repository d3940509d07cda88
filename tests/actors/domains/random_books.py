"""Books of random play: who should hold what, by the rows that say what was exchanged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from random_laws import Rows

from actors.domains.gameplay.combat import BattleCombatant, BattleLoadout, BattleState
from actors.domains.gameplay.inventory import ContainerKind, InventorySlot
from actors.domains.gameplay.npc_exchange import ExchangeKind, NpcExchangeRecord
from actors.domains.gameplay.progression import ProgressionGrantLog
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import StorySession
from actors.domains.rules.combat import BattleStatus

__all__ = ["Books"]

_COIN = "core_coin"


class Books:
    """What every player should hold of each item, by what the story's rows say was exchanged."""

    def __init__(self) -> None:
        self.due: dict[tuple[str, str], Counter[str]] = {}
        self.paid: dict[tuple[str, str], int] = {}
        self.unsure: set[tuple[str, str]] = set()

    def add(self, user_id: str, lineage: str, item_id: str, quantity: int) -> None:
        self.due.setdefault((user_id, lineage), Counter())[item_id] += quantity

    def note_story(self, before: Rows | None, after: Rows) -> None:
        """Book what was settled, exchanged and used up since the rows before."""
        for session in after[StorySession]:
            lineage = session.runtime_session_id
            for row in _news(before, after, RewardSettlement):
                if row.status is SettlementStatus.SETTLED and not row.result.replayed:
                    self._book_reward(lineage, row)
            for row in _news(before, after, NpcExchangeRecord):
                if row.status is SettlementStatus.SETTLED:
                    self._book_exchange(lineage, row)
            for row in _news(before, after, BattleState):
                if row.status is BattleStatus.ENDED:
                    self._book_belts(lineage, row.battle_state_id, after)

    def _book_reward(self, lineage: str, row: RewardSettlement) -> None:
        assert row.result is not None
        key = (row.user_id, row.source_ref)
        assert key not in self.paid, f"paid twice: {row}"
        self.paid[key] = row.result.xp_granted
        for item in (*row.result.items_granted, *row.result.items_overflowed):
            self.add(row.user_id, lineage, item.item_id, item.quantity)
        for item in row.preview.consume_items:
            self.add(row.user_id, lineage, item.item_id, -item.quantity)

    def _book_exchange(self, lineage: str, row: NpcExchangeRecord) -> None:
        is_bought = row.kind is ExchangeKind.BUY
        goods = row.quantity if is_bought else -row.quantity
        self.add(row.user_id, lineage, row.item_id, goods)
        self.add(row.user_id, lineage, _COIN, -row.total_price if is_bought else row.total_price)

    def _book_belts(self, lineage: str, battle_id: str, rows: Rows) -> None:
        for loadout in rows[BattleLoadout]:
            if loadout.battle_state_id != battle_id:
                continue
            (own,) = (
                row
                for row in rows[BattleCombatant]
                if (row.battle_state_id, row.user_id) == (battle_id, loadout.user_id)
            )
            left = {item.item_id: item.quantity for item in own.belt}
            for item in loadout.belt:
                used = item.quantity - left.get(item.item_id, 0)
                self.add(loadout.user_id, lineage, item.item_id, -used)

    def check(self, user_id: str, rows: Rows) -> None:
        """Each bag is what the books say; each settlement's experience is in the grant log."""
        bags: dict[str, Counter[str]] = {}
        overflow: Counter[str] = Counter()
        for row in rows[InventorySlot]:
            bags.setdefault(row.runtime_session_id, Counter())[row.item_id] += row.quantity
            overflow[row.runtime_session_id] += row.container is ContainerKind.OVERFLOW
        # What a full overflow does not take becomes coins, which no row tells.
        self.unsure |= {(user_id, lineage) for lineage, slots in overflow.items() if slots >= 19}
        for key, due in self.due.items():
            bag = bags.get(key[1], Counter())
            if key[0] != user_id or key in self.unsure:
                continue
            assert +due == bag, f"{key}: due {+due - bag}, beyond {bag - +due}"
            assert not -due, f"{key}: {-due}"
        granted = {
            row.source_ref.removesuffix(":xp"): row.amount_granted
            for row in rows[ProgressionGrantLog]
            if row.source_ref.endswith(":xp")
        }
        due_xp = {ref: xp for (owner, ref), xp in self.paid.items() if owner == user_id}
        for ref, amount in granted.items():
            assert due_xp.get(ref) == amount, (ref, amount, due_xp.get(ref))
        assert {ref for ref, xp in due_xp.items() if xp} <= granted.keys()

    def trust(self, user_id: str, rows: Rows) -> None:
        """Take the bags as they are, after a change of items that no row tells."""
        for key in self.due:
            if key[0] == user_id:
                self.due[key] = Counter()
        for row in rows[InventorySlot]:
            self.add(user_id, row.runtime_session_id, row.item_id, row.quantity)


def _news(before: Rows | None, after: Rows, table: type) -> Iterator[Any]:
    """Rows that are new or others than before."""
    known = {row[0]: row for row in before[table]} if before else {}
    return (row for row in after[table] if known.get(row[0]) != row)
