"""Calls at random: likely ones from what the rows offer, and now and then complete nonsense."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from random_laws import LIVE
from user_bench import SERVICE
from vale_bench import MODULE, PROCEDURES, PROFILE, Player, Vale
from wild_world import WILD_PROFILE

from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay.combat import BattleCombatant, BattleState
from actors.domains.gameplay.inventory import InventorySlot
from actors.domains.gameplay.npc import NpcState
from actors.domains.gameplay.quest import QuestRecord
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryFunction,
    StorySession,
    StoryStatus,
    participant_of,
)
from actors.domains.gameplay.trade import TradeKind
from actors.domains.gameplay.treasure import TreasureRecord
from actors.domains.kinds import STORY, USER
from actors.domains.rules.combat import BattleStatus, CombatAction
from actors.domains.rules.items import CORE_ITEMS
from actors.domains.rules.progression.chapter import plan_chapter
from actors.domains.rules.trade import sell_price
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.domains.runtime.save_archives import ProfileSaveArchive
from protocol import types as sats

__all__ = ["Call", "Caller"]

_NONSENSE = ("", " ", "nobody", "a/b", "x" * 161, "ss_none", "../..", "\x00", "\u202e", "1", "@")
_TEXTS = ("", "go on", "talk to the elder", "fight", "buy", "rest", "open it", "水", "x" * 401)
_NUMBERS = (0, 1, 2, 3, 5, 39, 40, 99, 2**31, 2**32 - 1)
_WEIGHTS = {
    "continue_story": 0,  # Leading the story is chosen apart from the others.
    "resolve_combat_action": 4,
    "trade_with_npc": 4,
    "gift_npc": 4,
    "create_battle_state": 3,
    "join_story_session": 4,
    "create_story_invite": 2,
    "create_save_archive": 3,
    "restore_save_archive": 1,
    "begin_story_session": 0.3,
    "unequip_item": 3,
    "dismiss_npc": 2,
    "equip_item": 6,
    "move_inventory_slot": 3,
    "use_inventory_item": 3,
    "resolve_treasure_interaction": 3,
    "turn_in_quest": 2,
    "recruit_npc": 4,
    "kick_story_participant": 1,
    "talk_to_npc": 2,
    "abandon_story_session": 0.1,
    "leave_story_session": 1,
    "abort_battle": 0.3,
    "upsert_chapter_progression": 0.3,
}
_LEADS = """create_story_invite kick_story_participant abandon_story_session create_battle_state
    abort_battle talk_to_npc ask_npc_help recruit_npc dismiss_npc accept_quest abandon_quest
    turn_in_quest resolve_treasure_interaction create_save_archive"""
_FUNCTIONS = {
    StoryFunction.TURN_IN_QUEST: 6,
    StoryFunction.ADVANCE_CHAPTER: 3,
    StoryFunction.FINISH: 2,
    StoryFunction.FIGHT: 2,
    StoryFunction.INSPECT: 3,
    StoryFunction.ACCEPT_QUEST: 3,
    StoryFunction.TRAVEL: 2,
    StoryFunction.REST: 2,
}


class Call(NamedTuple):
    """A call of a reducer or a procedure, without its request id."""

    player: Player
    name: str
    fields: tuple[Any, ...]

    @property
    def asks(self) -> bool:
        """Whether it is a procedure."""
        return self.name in PROCEDURES


class Caller:
    """Thinks of calls that somebody could make next.

    Args:
        rng: all chance.
        vale: whose rows are looked at; a player who cheats would know as much.
        user_ids: of everybody there is.
    """

    def __init__(self, rng: Random, vale: Vale, user_ids: Sequence[str]) -> None:
        self.rng = rng
        self.vale = vale
        self.user_ids = user_ids
        self._names = [name for name in {**MODULE.reducers, **PROCEDURES} if "fixture" not in name]
        self._player: Player
        self._story = ""

    def next(self, players: list[Player]) -> Call:
        """A call of one of the players: mostly one that could be accepted."""
        rng = self.rng
        self._player = rng.choice(players)
        self._story = rng.choice(self._stories() or ["ss_none"])
        if not self._own_stories() and rng.random() < 0.5:
            fields = rng.choice([(PROFILE, "wanderer"), (WILD_PROFILE, "role_0")])
            return Call(self._player, "begin_story_session_and_return", (*fields, None))
        if not self._has_story() or self._player.claims == SERVICE:
            return self._any(self._player)
        (session,) = self._rows(StorySession)
        leads = session.host_user_id == self._player.user_id
        draw = rng.random()
        if session.status is StoryStatus.IN_BATTLE and draw < 0.7:
            return self._fight(players)
        if leads and draw < 0.5:
            return self._lead(session)
        if draw < 0.57:
            return self._trade()
        if draw < 0.6 and session.invite_code is not None:
            role = rng.choice([ParticipantRole.PLAYER, ParticipantRole.SPECTATOR])
            role_key = rng.choice(_TEXTS_OF["role_key"])
            fields = (self._story, session.invite_code, role, role_key)
            return Call(rng.choice(players), "join_story_session", fields)
        if leads and draw < 0.65:
            return self._save()
        return self._any(self._player)

    def _weight(self, name: str) -> float:
        """How often a call is made: users mostly leave services' calls alone, and they theirs."""
        base = name.removesuffix("_and_return")
        weight = _WEIGHTS.get(base, 1)
        if "_ai_" in base:
            weight *= 0.1
        if base == "leave_story_session" and self._leads():
            weight *= 0.2
        if base in _LEADS.split() and not self._leads():
            weight *= 0.1
        declared = MODULE.reducers.get(base)
        if (declared is not None and bool(declared.roles)) != self._player.claims.roles.isdisjoint(
            SERVICE.roles
        ):
            return weight
        return weight * 0.05

    def _leads(self) -> bool:
        return any(row.host_user_id == self._player.user_id for row in self._rows(StorySession))

    # What there is

    def _stories(self) -> list[str]:
        """The stories to think of: those that run, often, and all others, seldom."""
        keys = sorted(key for key in self.vale.disk.actors if key.startswith("story/"))
        own, live = [], []
        for key in keys:
            rows = self.vale.rows(STORY.key(key.partition("/")[2]), StorySession)
            if rows and rows[0].status in LIVE:
                live.append(rows[0].story_session_id)
                if participant_of(
                    self.vale.host.core(STORY.key(rows[0].story_session_id)).database,
                    self._player.user_id,
                ):
                    own.append(rows[0].story_session_id)
        if own and self.rng.random() < 0.85:
            return own
        if live and self.rng.random() < 0.95:
            return live
        return [key.partition("/")[2] for key in keys]

    def _has_story(self) -> bool:
        key = STORY.key(self._story)
        return self.vale.host.is_active(key) and bool(self.vale.rows(key, StorySession))

    def _own_stories(self) -> bool:
        return any(
            row.state is not DirectoryState.ARCHIVED for row in self._own(SessionDirectoryEntry)
        )

    def _rows(self, table: type) -> list[Any]:
        key = STORY.key(self._story)
        return self.vale.rows(key, table) if self.vale.host.is_active(key) else []

    def _own(self, table: type, user_id: str = "") -> list[Any]:
        key = USER.key(user_id or self._player.user_id)
        return self.vale.rows(key, table) if self.vale.host.is_active(key) else []

    # Calls that make sense

    def _lead(self, session: StorySession) -> Call:
        rng = self.rng
        choices = self._rows(StoryChoice)
        choice, words = None, None
        if choices and rng.random() < 0.9:
            weights = [_FUNCTIONS.get(row.function, 1) for row in choices]
            choice = rng.choices(choices, weights)[0].choice_id
        else:
            words = rng.choice(_TEXTS)
        turn = session.turn if rng.random() < 0.95 else rng.choice(_NUMBERS)
        name = rng.choice(["continue_story", "continue_story_and_return"])
        return Call(self._player, name, (self._story, choice, words, turn, False))

    def _trade(self) -> Call:
        """A trade of the scene with its real price."""
        rng = self.rng
        (session,) = self._rows(StorySession)
        here = [row for row in self._rows(NpcState) if row.scene_key == session.current_scene_key]
        if not here:
            return self._any(self._player)
        npc = rng.choice(here)
        draw = rng.random()
        if draw < 0.4:
            name = rng.choice(["talk_to_npc", "talk_to_npc", "recruit_npc", "ask_npc_help"])
            return Call(self._player, name, (self._story, npc.npc_key))
        if draw < 0.6:
            gift = rng.choice(self._known("item_id"))
            return Call(self._player, "gift_npc_and_return", (self._story, npc.npc_key, gift))
        if npc.trade_stock and rng.random() < 0.5:
            entry = rng.choice(npc.trade_stock)
            fields = (TradeKind.BUY, entry.item_id, rng.randint(1, 3), entry.unit_price)
        else:
            held = [row for row in self._own(InventorySlot) if row.item_id in CORE_ITEMS]
            if not held:
                return self._any(self._player)
            item = CORE_ITEMS[rng.choice(held).item_id]
            price = sell_price(item.value_coins, npc.affinity)
            fields = (TradeKind.SELL, item.item_id, rng.choice([1, 1, 2, 20, 99]), price)
        return Call(self._player, "trade_with_npc", (self._story, npc.npc_key, *fields))

    def _save(self) -> Call:
        """A new archive of the story, or back to one of those there are."""
        archives = [row.archive_id for row in self._own(ProfileSaveArchive)]
        if archives and self.rng.random() < 0.5:
            fields = (None, self.rng.choice(archives))
            return Call(self._player, "restore_save_archive_and_return", fields)
        fields = (None, self._story, None, self.rng.choice([None, *archives]))
        return Call(self._player, "create_save_archive_and_return", fields)

    def _fight(self, players: list[Player]) -> Call:
        """An action of whoever's turn it is, by a simple policy or by chance."""
        rng = self.rng
        battle = next(row for row in self._rows(BattleState) if row.status != BattleStatus.ENDED)
        fighters = {
            row.seq: row
            for row in self._rows(BattleCombatant)
            if row.battle_state_id == battle.battle_state_id
        }
        own = fighters[battle.active_seq]
        player = next((each for each in players if each.user_id == own.user_id), self._player)
        opponents = [row for row in fighters.values() if row.side != own.side and row.alive]
        target = min(opponents, key=lambda row: (row.hp, row.seq)).seq
        skills = [row for row in own.skills if row.mana_cost <= own.mana]
        draw = rng.random()
        action, skill, item = CombatAction.BASIC_ATTACK, None, None
        if draw < 0.45 and skills:
            chosen = rng.choice(skills)
            action, skill = CombatAction.SKILL, chosen.skill_id
            if chosen.target.name in {"SELF", "ALLY"}:
                target = own.seq
        elif draw < 0.6 and own.belt:
            action, item = CombatAction.USE_ITEM, rng.choice(own.belt).item_id
            target = rng.choice([target, own.seq])
        elif draw < 0.68:
            action = rng.choice(list(CombatAction))
        fields = (battle.battle_state_id, battle.version, action, skill, item)
        return Call(player, "resolve_combat_action", (*fields, rng.choice([target, target, None])))

    # Calls of any kind

    def _any(self, player: Player) -> Call:
        """Any call there is, its fields from what is known or from nowhere."""
        name = self.rng.choices(self._names, [self._weight(name) for name in self._names])[0]
        if name.startswith("upsert_chapter_progression"):
            return Call(player, name, self._plan())
        declared = PROCEDURES.get(name) or MODULE.reducers[name]
        elements = declared.parameters.elements
        fields: tuple[Any, ...] = ()
        if elements:
            of_input = [each for each in elements[0].type.elements if each.name != "request_id"]
            fields = tuple(self._value(each.name, each.type) for each in of_input)
        return Call(player, name, fields)

    def _plan(self) -> tuple[Any, ...]:
        """Another plan of a chapter; the last field says whether its actuals are kept."""
        rng = self.rng
        total = rng.randint(1, 6)
        plan = plan_chapter(total, rng.randint(1, total), 1)
        return (
            rng.choice(self._known("user_id")),
            rng.choice(self._known("chapter_id") or ["none"]),
            plan.chapter_index,
            plan.total_chapters,
            plan.entry_pseudo_level_millis,
            plan.exit_pseudo_level_millis,
            plan.entry_level,
            plan.exit_level,
            plan.planned_total_xp,
            plan.planned_quest_xp,
            plan.planned_hostile_xp + rng.randint(0, 1),
            plan.expected_hostile_defeat_count,
            rng.randint(1, 3),
            plan.pace_band,
            rng.random() < 0.7,
        )

    def _value(self, name: str, kind: Any) -> Any:
        rng = self.rng
        match kind:
            case sats.EnumType():
                return rng.choice(list(kind.construct))
            case sats.OptionType():
                is_given = rng.random() < (0.2 if name == "user_id" else 0.6)
                return self._value(name, kind.some) if is_given else None
            case sats.ArrayType():
                return [self._value(name, kind.element) for _ in range(rng.randint(0, 2))]
            case sats.ProductType():
                values = [self._value(each.name, each.type) for each in kind.elements]
                return kind.construct(values)
            case sats.SumType():
                return self._value(name, rng.choice(kind.variants).type)
        if kind == sats.BOOL:
            return rng.random() < 0.5
        if kind == sats.STRING:
            return self._text(name)
        return min(self._number(name), 2**31 - 1 if kind == sats.I32 else 2**32 - 1)

    def _number(self, name: str) -> int:
        rng = self.rng
        if rng.random() < 0.1:
            return rng.choice(_NUMBERS)
        match name:
            case "slot_index" | "from_slot" | "to_slot" | "slot":
                return rng.choice([*self._slots(name), rng.randint(0, 41)])
            case "expected_turn":
                return next((row.turn for row in self._rows(StorySession)), 0)
            case "expected_version":
                return next((row.version for row in self._rows(BattleState)), 1)
            case "quantity":
                return rng.choice([1, 1, 1, 2, 3, 5, 30, 200])
            case "affinity":
                return rng.choice([-101, -100, -30, 0, 45, 60, 100])
            case "amount_delta":
                return rng.choice([-300, -5, 0, 5, 70, 2_000_000])
            case "amount":
                return rng.choice([0, 24, 24, 400, 5_000, 60_000, 1_000_001])
            case "music_volume" | "sfx_volume" | "limit":
                return rng.randint(0, 130)
        return rng.randint(0, 6)

    def _slots(self, name: str) -> list[int]:
        lineages = {row.runtime_session_id for row in self._rows(StorySession)}
        held = [row for row in self._own(InventorySlot) if row.runtime_session_id in lineages]
        return [row.slot_index for row in held]

    def _text(self, name: str) -> str:
        rng = self.rng
        known = self._known(name)
        if rng.random() < 0.06 or not known:
            return rng.choice(_NONSENSE)
        return rng.choice(known)

    def _known(self, name: str) -> list[str]:
        """Texts that such a field could hold."""
        sessions = self._rows(StorySession)
        match name:
            case "story_session_id":
                return [self._story]
            case "runtime_session_id":
                return [row.runtime_session_id for row in sessions]
            case "invite_code":
                return [row.invite_code or "none" for row in sessions]
            case "chapter_id":
                return [f"{row.profile_id}:c{row.chapter_index}" for row in sessions]
            case "battle_state_id":
                return [row.battle_state_id for row in self._rows(BattleState)][-2:]
            case "quest_record_id":
                return [row.quest_record_id for row in self._rows(QuestRecord)]
            case "treasure_key":
                return [row.treasure_key for row in self._rows(TreasureRecord)]
            case "choice_id":
                return [row.choice_id for row in self._rows(StoryChoice)]
            case "npc_key":
                here = {row.current_scene_key for row in sessions}
                npcs = self._rows(NpcState)
                near = [row.npc_key for row in npcs if row.scene_key in here]
                return near if near and self.rng.random() < 0.8 else [row.npc_key for row in npcs]
            case "item_id":
                held = [row.item_id for row in self._own(InventorySlot)]
                return held or [*CORE_ITEMS, "wild_hide", "wild_key", "flask_3"]
            case "skill_id":
                return [each.skill_id for row in self._rows(BattleCombatant) for each in row.skills]
            case "archive_id" | "replace_archive_id":
                return [row.archive_id for row in self._own(ProfileSaveArchive)]
            case "user_id" | "participant_user_id":
                return [*self.user_ids, self._player.user_id]
        return _TEXTS_OF.get(name, list(_TEXTS))


_TEXTS_OF: dict[str, list[str]] = {
    "profile_id": [PROFILE, WILD_PROFILE, WILD_PROFILE, "cwp_none"],
    "role_key": ["wanderer", "role_0", "role_1", "role_2"],
    "locale": ["en", "zh-CN", "de"],
    "encounter_key": [
        *("slime_pack", "mill_prowl", "shore_guard", "shore_trio", "shore_elite", "tower_guard")
    ],
    "hostile_key": ["vale_slime", "keep_drake", "beast_0", "beast_3", "beast_4"],
    "source_ref": [f"ref_{number}" for number in range(40)],
    "entry_key": [f"entry_{number}" for number in range(10)],
    "client_state_json": ["{}", '{"tab": 1}', "[]", "{", '{"b":1,"a":[null]}'],
    "world_key": [f"custom_world:{PROFILE}", f"custom_world:{WILD_PROFILE}", "puzzle:none"],
    "kind": ["story_narration"],
}
