"""Battles, npcs, quests and treasures of a story over HTTP (domain 11.3)."""

from __future__ import annotations

from actors import Route, struct
from actors.domains.gameplay.battle_calls import (
    create_battle_state,
    get_battle_state,
    resolve_combat_action,
)
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.npc_calls import (
    ask_npc_help,
    dismiss_npc,
    recruit_npc,
    talk_to_npc,
)
from actors.domains.gameplay.npc_exchange import NpcExchangeRecord
from actors.domains.gameplay.quest import QuestRecord
from actors.domains.gameplay.quest_calls import (
    QuestCall,
    abandon_quest,
    accept_quest,
    resolve_treasure_interaction_and_return,
    turn_in_quest,
)
from actors.domains.gameplay.trade import gift_npc, trade_with_npc
from actors.domains.gameplay.treasure import TreasureRecord
from actors.domains.rules.ids import local_id

__all__ = ["ROUTES"]

_BATTLES = "/api/runtime/battles"
_BATTLE = f"{_BATTLES}/{{battle_state_id}}"
_SESSION = "/api/runtime/story/sessions/{story_session_id}"
_NPC = f"{_SESSION}/npcs/{{npc_key}}"
_QUEST = f"{_SESSION}/quests/{{quest_key}}"


@struct
class NpcAnswer:
    """An npc as the session knows it after the call."""

    npc: NpcState


@struct
class ExchangeAnswer:
    """A trade or a gift; pending until the player's own actor has settled it."""

    exchange: NpcExchangeRecord


@struct
class QuestAnswer:
    """A quest as it stands after the call."""

    quest: QuestRecord


@struct
class TreasureAnswer:
    """A treasure as it stands after the call."""

    treasure: TreasureRecord


@struct
class QuestAddress:
    """A quest by its key within a session."""

    story_session_id: str
    quest_key: str
    request_id: str


def read_quest(address: QuestAddress) -> QuestCall:
    """The call for the quest at an address."""
    session_id = address.story_session_id
    return QuestCall(session_id, local_id(session_id, "q", address.quest_key), address.request_id)


ROUTES = (
    Route("POST", _BATTLES, create_battle_state, status=201),
    Route("GET", _BATTLE, get_battle_state),
    Route("POST", f"{_BATTLE}/actions", resolve_combat_action),
    Route("POST", f"{_NPC}/talk", talk_to_npc, NpcAnswer),
    Route("POST", f"{_NPC}/help", ask_npc_help, NpcAnswer),
    Route("POST", f"{_NPC}/recruit", recruit_npc, NpcAnswer),
    Route("POST", f"{_NPC}/dismiss", dismiss_npc, NpcAnswer),
    Route("POST", f"{_NPC}/gift", gift_npc, ExchangeAnswer),
    Route("POST", f"{_NPC}/trade", trade_with_npc, ExchangeAnswer),
    Route("POST", f"{_QUEST}/accept", accept_quest, QuestAnswer, read_quest),
    Route("POST", f"{_QUEST}/turn-in", turn_in_quest, QuestAnswer, read_quest),
    Route("POST", f"{_QUEST}/abandon", abandon_quest, QuestAnswer, read_quest),
    Route(
        "POST",
        f"{_SESSION}/treasures/{{treasure_key}}",
        resolve_treasure_interaction_and_return,
        TreasureAnswer,
    ),
)
