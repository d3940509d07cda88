"""Laws of the game, as the domain specification states them, over the rows of actors at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from actors.domains.custom_world.agent.session import CustomWorldAgentSession
from actors.domains.domain_types import AgentStage, ParticipantRole, QuestKind, SessionKind
from actors.domains.gameplay.chapter import ChapterLedgerEntry, ChapterProgression
from actors.domains.gameplay.combat import BattleCombatant, BattleEvent, BattleState
from actors.domains.gameplay.inventory import ContainerKind, InventorySlot
from actors.domains.gameplay.npc import NpcState, RelationStage
from actors.domains.gameplay.npc_exchange import NpcExchangeRecord
from actors.domains.gameplay.progression import PlayerProgression, ProgressionGrantLog
from actors.domains.gameplay.quest import QuestLog, QuestLogKind, QuestRecord, QuestStatus
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryEvent,
    StoryParticipant,
    StorySession,
    StoryStatus,
)
from actors.domains.gameplay.treasure import TreasureRecord, TreasureStatus
from actors.domains.gameplay.world import StoryWorldDocument
from actors.domains.rules.combat import BattleStatus, CombatOutcome
from actors.domains.rules.world import WorldDocument, read_world
from actors.domains.runtime.directory_entry import DirectoryState, SessionDirectoryEntry
from actors.domains.runtime.profile import ProfileDashboardState
from actors.domains.runtime.save_archives import ProfileSaveArchive, ProfileSaveArchiveBlob
from actors.domains.runtime.wallet import ProfileWalletLedger

__all__ = [
    "LIVE",
    "Rows",
    "check_chapters",
    "check_lineages",
    "check_story",
    "check_story_step",
    "check_user",
    "check_user_step",
    "creations_of",
]

Rows = Mapping[type, list[Any]]
"""The rows of one actor by table."""

LIVE = frozenset({StoryStatus.ACTIVE, StoryStatus.IN_BATTLE, StoryStatus.CHAPTER_BREAK})

_QUEST_NEXT = {
    QuestStatus.OFFERED: {QuestStatus.ACTIVE, QuestStatus.FAILED},
    QuestStatus.ACTIVE: {QuestStatus.COMPLETED, QuestStatus.FAILED, QuestStatus.ABANDONED},
    QuestStatus.COMPLETED: {QuestStatus.TURN_IN_PENDING, QuestStatus.FAILED},
    QuestStatus.TURN_IN_PENDING: {QuestStatus.TURNED_IN, QuestStatus.COMPLETED},
    QuestStatus.TURNED_IN: set(),
    QuestStatus.FAILED: set(),
    QuestStatus.ABANDONED: {QuestStatus.OFFERED},
}
_TREASURE_NEXT = {
    TreasureStatus.HIDDEN: {TreasureStatus.FOUND},
    TreasureStatus.FOUND: {TreasureStatus.OPENING, TreasureStatus.LEFT},
    TreasureStatus.LEFT: {TreasureStatus.OPENING, TreasureStatus.FOUND},
    TreasureStatus.OPENING: {TreasureStatus.OPENED, TreasureStatus.FOUND},
    TreasureStatus.OPENED: set(),
}
_STAGES = ((-40, "HOSTILE"), (-10, "WARY"), (19, "NEUTRAL"), (49, "FRIENDLY"), (79, "TRUSTED"))

_worlds: dict[str, WorldDocument] = {}


def check_user(rows: Rows) -> None:
    """What is true of a user's rows whenever nothing is under way."""
    _check_progression(rows)
    _check_wallet(rows)
    _check_inventory(rows[InventorySlot])
    archives = {row.archive_id for row in rows[ProfileSaveArchive]}
    assert archives == {row.archive_id for row in rows[ProfileSaveArchiveBlob]}
    assert len(archives) <= 20
    entries = rows[SessionDirectoryEntry]
    assert all(row.state is not DirectoryState.STARTING for row in entries), entries
    open_ = Counter(row.kind for row in entries if row.state is not DirectoryState.ARCHIVED)
    assert open_[SessionKind.STORY] <= 5, open_
    assert open_[SessionKind.AGENT_RPG] <= 10, open_


def _check_progression(rows: Rows) -> None:
    """Domain 3.2, 3.3, 3.9: the level follows from the total, the total from the grants."""
    grants = rows[ProgressionGrantLog]
    assert len({row.source_ref for row in grants}) == len(grants)
    total = sum(row.amount_granted for row in grants)
    for row in grants:
        assert row.amount_requested == row.amount_granted + row.amount_discarded, row
    level, floor = 1, 0
    while level < 50 and floor + (cost := 8 * level**2 + 40 * level + 52) <= total:
        level, floor = level + 1, floor + cost
    for row in rows[PlayerProgression]:
        is_top = level == 50
        cost = 0 if is_top else 8 * level**2 + 40 * level + 52
        assert (row.total_xp, row.level) == (total, level), row
        assert row.current_level_xp == (0 if is_top else total - floor), row
        assert row.xp_to_next_level == cost, row
        assert row.pending_level_ups <= level - 1, row
    assert total == 0 or rows[PlayerProgression]
    for dashboard in rows[ProfileDashboardState]:
        assert dashboard.highest_level in ({0, 1} if level == 1 else {level}), dashboard


def check_chapters(rows: Rows, reset: Iterable[str]) -> None:
    """Domain 3.1: actuals are the sums of the ledger, unless a service began a chapter anew."""
    entries: dict[str, list[Any]] = {}
    for entry in rows[ChapterLedgerEntry]:
        entries.setdefault(entry.chapter_id, []).append(entry)
    for row in rows[ChapterProgression]:
        if row.chapter_id in reset:
            continue
        own, most = entries.get(row.chapter_id, []), 2**32 - 1
        assert row.actual_quest_xp == min(most, sum(each.quest_xp for each in own)), row
        assert row.actual_hostile_xp == min(most, sum(each.hostile_xp for each in own)), row
        assert row.actual_hostile_defeat_count == min(most, sum(each.defeats for each in own)), row
        assert row.planned_total_xp == row.planned_quest_xp + row.planned_hostile_xp, row


def _check_wallet(rows: Rows) -> None:
    """Domain 2.5: contiguous, each balance from the one before, never negative, no source twice."""
    ledger = sorted(rows[ProfileWalletLedger], key=lambda row: row.seq)
    balance = 0
    for seq, row in enumerate(ledger, start=1):
        balance += row.amount_delta
        assert row.amount_delta != 0, row
        assert (row.seq, row.balance_after) == (seq, balance), row
        assert balance >= 0, row
    assert len({row.source_ref for row in ledger}) == len(ledger)
    assert [row.wallet_balance for row in rows[ProfileDashboardState]] in ([balance], []), balance


def _check_inventory(slots: list[InventorySlot]) -> None:
    """Domain 5.4: one stack in a place, within its limit, in containers of 40, 3 and 20 slots."""
    places = Counter((row.runtime_session_id, row.container, row.slot_index) for row in slots)
    assert all(count == 1 for count in places.values()), places
    for row in slots:
        assert 1 <= row.quantity <= row.stack_limit, row
        if row.container is ContainerKind.BACKPACK:
            assert row.slot_index < 40, row
        else:
            assert row.locked_by is None, row
        if row.container is ContainerKind.EQUIPMENT:
            assert row.slot_index == row.category, row
        if row.container is ContainerKind.OVERFLOW and row.slot_index >= 20:
            assert row.category.name in {"QUEST", "KEY", "CURRENCY"}, row


def check_user_step(before: Rows, after: Rows) -> None:
    """What never changes, and what only grows, from one call to the next."""
    for table, key in ((ProfileWalletLedger, "ledger_id"), (ProgressionGrantLog, "grant_id")):
        known = {getattr(row, key): row for row in after[table]}
        assert all(known.get(getattr(row, key)) == row for row in before[table]), table.__name__


def world_of(rows: Rows) -> WorldDocument:
    """The world that a story is pinned to."""
    (document,) = rows[StoryWorldDocument]
    text = document.document_json
    if text not in _worlds:
        _worlds[text] = read_world(text)
    return _worlds[text]


def check_story(rows: Rows) -> None:
    """What is true of a story's rows whenever nothing is under way."""
    if not rows[StorySession]:
        assert not any(rows[table] for table in (StoryChoice, StoryEvent, StoryParticipant))
        return
    (session,) = rows[StorySession]
    assert session.status is not StoryStatus.STARTING, session
    world = world_of(rows)
    assert session.current_scene_key in world.landmarks, session
    assert 1 <= session.chapter_index <= session.total_chapters == len(world.chapters), session
    assert (session.completed_at is not None) == (session.status is StoryStatus.COMPLETED), session
    assert len(session.flags) <= 128
    seqs = [row.seq for row in sorted(rows[StoryEvent], key=lambda row: row.seq)]
    assert seqs == list(range(1, len(seqs) + 1)), seqs
    answered = [*rows[RewardSettlement], *rows[NpcExchangeRecord]]
    assert all(row.status is not SettlementStatus.PENDING for row in answered), answered
    _check_choices(session, world, rows)
    _check_participants(session, rows)
    _check_npcs(session, world, rows)
    _check_quests(session, rows)
    _check_battles(session, rows)
    for treasure in rows[TreasureRecord]:
        assert treasure.status is not TreasureStatus.OPENING, treasure
        assert (treasure.opened_by is not None) == (treasure.status is TreasureStatus.OPENED)


def _check_choices(session: StorySession, world: WorldDocument, rows: Rows) -> None:
    """Domain 5.3: three to eight while there is something to choose, of this turn alone."""
    choices = sorted(rows[StoryChoice], key=lambda row: row.position)
    if session.status not in {StoryStatus.ACTIVE, StoryStatus.CHAPTER_BREAK}:
        assert choices == [], session.status
        return
    assert 3 <= len(choices) <= 8, choices
    assert [row.position for row in choices] == list(range(1, len(choices) + 1)), choices
    assert len({(row.function, row.target_key) for row in choices}) == len(choices), choices
    near = world.landmarks[session.current_scene_key].connections
    for row in choices:
        assert row.turn == session.turn, row
        assert row.label, row
        assert len(row.label) <= 40, row
        assert len(row.detail) <= 120, row
        assert row.enabled == (row.disabled_reason is None), row
        if row.function.name == "TRAVEL":
            assert row.target_key in near, row
    onward = {row.function.name for row in choices} & {"ADVANCE_CHAPTER", "FINISH"}
    assert bool(onward) == (session.status is StoryStatus.CHAPTER_BREAK), choices


def _check_participants(session: StorySession, rows: Rows) -> None:
    """Domain 5.2: one host, at most 4 players and 16 spectators, hp within bounds."""
    people = rows[StoryParticipant]
    players = [row for row in people if row.role is not ParticipantRole.SPECTATOR]
    hosts = [row.user_id for row in people if row.role is ParticipantRole.HOST]
    assert hosts == [session.host_user_id], people
    assert session.player_count == len(players) <= 4, people
    assert len(people) - len(players) <= 16
    assert len({row.user_id for row in people}) == len(people)
    for row in people:
        assert row.hp <= row.max_hp, row
        assert row.max_hp >= 1, row


def _check_npcs(session: StorySession, world: WorldDocument, rows: Rows) -> None:
    """Domain 5.5: bounds and stages, prices by affinity, at most two companions, at one's side."""
    for row in rows[NpcState]:
        assert -100 <= row.affinity <= 100, row
        stage = next((name for most, name in _STAGES if row.affinity <= most), "BONDED")
        assert row.relation_stage is RelationStage[stage], row
        # Whoever was slain is nowhere any more.
        assert row.scene_key in {"", *world.landmarks}, row
        bounded = min(max(row.affinity, -50), 100)
        for entry in row.trade_stock:
            value = world.items[entry.item_id].value_coins
            assert entry.unit_price == -(-value * (1300 - 3 * bounded) // 1000), row
            assert entry.quantity <= 3, row
        if row.recruited:
            assert row.scene_key == session.current_scene_key, row
    assert sum(row.recruited for row in rows[NpcState]) <= 2


def _check_quests(session: StorySession, rows: Rows) -> None:
    """Domain 5.6: status, objectives and log say the same."""
    logs: dict[str, list[Any]] = {}
    for entry in rows[QuestLog]:
        logs.setdefault(entry.quest_record_id, []).append(entry)
    ending = {
        QuestStatus.TURNED_IN: QuestLogKind.TURNED_IN,
        QuestStatus.FAILED: QuestLogKind.FAILED,
        QuestStatus.ABANDONED: QuestLogKind.ABANDONED,
        QuestStatus.OFFERED: QuestLogKind.OFFERED,
    }
    active = 0
    for row in rows[QuestRecord]:
        steps = sorted(logs[row.quest_record_id], key=lambda entry: entry.seq)
        assert [entry.seq for entry in steps] == list(range(1, len(steps) + 1)), steps
        assert steps[0].kind is QuestLogKind.OFFERED, steps
        assert row.status is not QuestStatus.TURN_IN_PENDING, row
        assert row.chapter_index <= session.chapter_index, row
        if row.status in ending:
            assert steps[-1].kind is ending[row.status], (row, steps[-1])
        full = all(each.optional or each.progress >= each.required for each in row.objectives)
        assert all(each.progress <= each.required for each in row.objectives), row
        if row.status in {QuestStatus.OFFERED, QuestStatus.ACTIVE}:
            assert not full, row
        if row.status in {QuestStatus.COMPLETED, QuestStatus.TURNED_IN}:
            assert full, row
        active += row.status is QuestStatus.ACTIVE
        if row.kind is QuestKind.MAIN:
            # A story whose main quest is gone would never end.
            assert row.status not in {QuestStatus.FAILED, QuestStatus.ABANDONED}, row
    assert active <= 10, active


def _check_battles(session: StorySession, rows: Rows) -> None:
    """Domain 4.1, 4.5: at most one battle runs, and exactly while the session is in battle."""
    running = [row for row in rows[BattleState] if row.status is not BattleStatus.ENDED]
    assert len(running) == (session.status is StoryStatus.IN_BATTLE), (session.status, running)
    for row in rows[BattleState]:
        has_ended = row.status is BattleStatus.ENDED
        assert has_ended == (row.outcome is not CombatOutcome.ONGOING), row
        assert has_ended == (row.ended_at is not None), row
    fighters = Counter(row.battle_state_id for row in rows[BattleCombatant])
    for row in rows[BattleCombatant]:
        assert row.hp <= row.stats.max_hp, row
        assert row.mana <= row.stats.max_mana, row
        assert row.shield <= row.stats.max_hp, row
        assert row.alive == (row.hp > 0), row
        assert 1 <= row.seq <= fighters[row.battle_state_id], row
        assert all(each.quantity >= 1 for each in row.belt), row
        assert all(1 <= each.turns_left <= 7 for each in row.cooldowns), row
        assert len({each.kind for each in row.statuses}) == len(row.statuses), row
    for battle in running:
        acting = {row.seq: row for row in rows[BattleCombatant] if _is_of(row, battle)}
        assert battle.status is BattleStatus.ACTIVE, battle
        assert acting[battle.active_seq].user_id is not None, battle
        assert acting[battle.active_seq].alive, battle
    for battle in rows[BattleState]:
        seqs = sorted(row.seq for row in rows[BattleEvent] if _is_of(row, battle))
        assert len(seqs) <= 200, battle
        assert not seqs or seqs == list(range(seqs[0], seqs[0] + len(seqs))), seqs


def _is_of(row: Any, battle: BattleState) -> bool:
    return bool(row.battle_state_id == battle.battle_state_id)


def check_story_step(before: Rows, after: Rows) -> None:
    """Domain 4.5, 5.2, 5.6, 5.8: states change along their arrows; counters never fall."""
    if not before[StorySession]:
        return
    (old,), (new,) = before[StorySession], after[StorySession]
    assert new.turn >= old.turn, (old, new)
    assert new.version >= old.version, (old, new)
    assert new.chapter_index >= old.chapter_index, (old, new)
    if old.status not in LIVE:
        assert new.status is old.status, (old, new)
        assert new.turn == old.turn, (old, new)
    _check_arrows(before, after, QuestRecord, _QUEST_NEXT)
    _check_arrows(before, after, TreasureRecord, _TREASURE_NEXT)
    battles = {row.battle_state_id: row for row in after[BattleState]}
    for battle in before[BattleState]:
        later = battles[battle.battle_state_id]
        assert later.status >= battle.status, (battle, later)
        assert later.version >= battle.version, (battle, later)
        if battle.status is BattleStatus.ENDED:
            assert later == battle, (battle, later)
    for table in (QuestLog, StoryEvent):
        known = {row[0] for row in after[table]}
        assert all(row[0] in known for row in before[table]), table.__name__


def _check_arrows(before: Rows, after: Rows, table: type, arrows: Mapping[Any, set[Any]]) -> None:
    then = {row[0]: row for row in after[table]}
    for row in before[table]:
        reached, fresh = {row.status}, [row.status]
        while fresh:
            fresh = [each for status in fresh for each in arrows[status] if each not in reached]
            reached.update(fresh)
        assert then[row[0]].status in reached, (row, then[row[0]])


def check_lineages(stories: Iterable[Rows], users: Mapping[str, Rows]) -> None:
    """Domain 1.2, 4.5: one live session of a lineage; stacks are locked by running battles alone.

    Every live story is in its participants' directories as active, and no other one is.
    """
    sessions = [(rows[StorySession][0], rows) for rows in stories if rows[StorySession]]
    live = [(session, rows) for session, rows in sessions if session.status in LIVE]
    lineages = Counter(session.runtime_session_id for session, _ in live)
    assert all(count == 1 for count in lineages.values()), lineages
    running = {
        row.battle_state_id
        for _, rows in live
        for row in rows[BattleState]
        if row.status is not BattleStatus.ENDED
    }
    for user_id, own in users.items():
        locks = {row.locked_by for row in own[InventorySlot]} - {None}
        assert locks <= running, (user_id, locks)
        expected = {
            session.story_session_id: row.role
            for session, rows in live
            for row in rows[StoryParticipant]
            if row.user_id == user_id
        }
        listed = {
            row.session_key: row.role
            for row in own[SessionDirectoryEntry]
            if row.state is not DirectoryState.ARCHIVED and row.kind is SessionKind.STORY
        }
        assert listed == expected, (user_id, listed, expected)


def creations_of(actors: Mapping[str, Rows], user_id: str) -> list[Rows]:
    """The rows of a user's creation sessions that are not archived."""
    return [
        rows
        for key, rows in actors.items()
        if key.startswith("agent/")
        for one in rows[CustomWorldAgentSession]
        if one.user_id == user_id and one.stage is not AgentStage.ARCHIVED
    ]
