"""Quests: their rows, what advances them, and what they pay (domain 5.6)."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from actors import ReducerContext, ReducerError, Timestamp, replace, struct, table, u32
from actors.domains.domain_types import (
    AffinityDelta,
    GrantSource,
    ItemGrant,
    ObjectiveKind,
    QuestKind,
)
from actors.domains.gameplay.limits import QUESTS_ACTIVE_MAX
from actors.domains.gameplay.npc import is_present
from actors.domains.gameplay.rewards import bundle_of, request_settlement
from actors.domains.gameplay.story import StorySession, players_of
from actors.domains.kinds import STORY
from actors.domains.rules.ids import chapter_id, derived_id, local_id
from actors.domains.rules.items import COIN
from actors.domains.rules.world import WorldDocument, quest_coins
from actors.domains.rules.world_sections import Quest
from actors.module import DatabaseReader

__all__ = [
    "QuestLog",
    "QuestLogKind",
    "QuestObjective",
    "QuestRecord",
    "QuestReward",
    "QuestStatus",
    "Signal",
    "abandon",
    "accept",
    "fail_quests_of",
    "find_quest",
    "giver_is_here",
    "is_chapter_done",
    "leave_chapter",
    "log",
    "offer",
    "offer_following",
    "offer_in_scene",
    "open_chapter_quests",
    "request_turn_in",
    "signal",
    "source_ref_of",
    "write_rejected",
    "write_turned_in",
]


class QuestStatus(IntEnum):
    """Where a quest stands."""

    OFFERED = 0
    ACTIVE = 1
    COMPLETED = 2
    TURN_IN_PENDING = 3
    TURNED_IN = 4
    FAILED = 5
    ABANDONED = 6


class QuestLogKind(IntEnum):
    """What happened to a quest."""

    OFFERED = 0
    ACCEPTED = 1
    PROGRESSED = 2
    COMPLETED = 3
    TURN_IN_REQUESTED = 4
    TURNED_IN = 5
    TURN_IN_REJECTED = 6
    FAILED = 7
    ABANDONED = 8


@struct
class QuestObjective:
    """One thing a quest counts, and how far it has come."""

    objective_id: str
    kind: ObjectiveKind
    target_key: str
    required: u32
    progress: u32
    optional: bool


@struct
class QuestReward:
    """What turning a quest in pays; ``xp`` is the client's reward hint."""

    xp: u32
    coins: u32
    items: list[ItemGrant]
    affinity: list[AffinityDelta]


@table(
    public=True,
    primary_key="quest_record_id",
    index=["story_session_id", "status"],
    actor=STORY,
)
class QuestRecord:
    """A quest of this playthrough."""

    quest_record_id: str
    story_session_id: str
    runtime_session_id: str
    quest_key: str
    chapter_id: str
    chapter_index: u32
    giver_npc_key: str | None
    title: str
    description: str
    kind: QuestKind
    status: QuestStatus
    objectives: list[QuestObjective]
    deliver_items: list[ItemGrant]
    reward_preview: QuestReward
    accepted_turn: u32 | None
    completed_turn: u32 | None
    turned_in_turn: u32 | None
    last_error: str | None
    version: u32
    created_at: Timestamp
    updated_at: Timestamp


@table(public=True, primary_key="quest_log_id", index=["quest_record_id"], actor=STORY)
class QuestLog:
    """One step of a quest; append-only."""

    quest_log_id: str
    quest_record_id: str
    story_session_id: str
    seq: u32
    kind: QuestLogKind
    objective_id: str | None
    delta: u32
    text: str
    turn: u32
    created_at: Timestamp


class Signal(NamedTuple):
    """Something that quests may count: so many of a kind at a target."""

    kind: ObjectiveKind
    target_key: str
    amount: int = 1


def is_chapter_done(db: DatabaseReader, session: StorySession, world: WorldDocument) -> bool:
    """Whether the running chapter's main quest is turned in."""
    main = world.chapter(session.chapter_index).main_quest_key
    row = db[QuestRecord].find(local_id(session.story_session_id, "q", main))
    return row is not None and row.status is QuestStatus.TURNED_IN


def find_quest(db: DatabaseReader, quest_record_id: str) -> QuestRecord:
    """A quest of the session.

    Raises:
        ReducerError: ``quest.not_found``.
    """
    row = db[QuestRecord].find(quest_record_id)
    if row is None:
        raise ReducerError("quest.not_found", "there is no such quest")
    return row


def giver_is_here(db: DatabaseReader, session: StorySession, row: QuestRecord) -> bool:
    """Whether the quest can be accepted or turned in where the party stands."""
    return row.giver_npc_key is None or is_present(db, session, row.giver_npc_key)


def log(
    ctx: ReducerContext,
    session: StorySession,
    row: QuestRecord,
    kind: QuestLogKind,
    *,
    objective_id: str | None = None,
    delta: int = 0,
    text: str = "",
) -> None:
    """Append one step to a quest's log."""
    logs = ctx.db[QuestLog]
    seq = len(logs.filter(quest_record_id=row.quest_record_id)) + 1
    logs.insert(
        QuestLog(
            quest_log_id=derived_id(row.quest_record_id, seq),
            quest_record_id=row.quest_record_id,
            story_session_id=session.story_session_id,
            seq=seq,
            kind=kind,
            objective_id=objective_id,
            delta=delta,
            text=text,
            turn=session.turn,
            created_at=ctx.timestamp,
        )
    )


def open_chapter_quests(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Entering a chapter: its main quest is active at once, quests without a giver are offered."""
    chapter = world.chapter(session.chapter_index)
    main = offer(ctx, session, world, chapter.main_quest_key)
    if main is not None and main.status is QuestStatus.OFFERED:
        accept(ctx, session, main)
    for key in chapter.side_quest_keys:
        if world.quests[key].giver_npc_key is None and _is_unlocked(ctx.db, session, world, key):
            offer(ctx, session, world, key)


def offer_in_scene(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    """Entering a scene: whoever is there offers the chapter's side quests."""
    for key in world.chapter(session.chapter_index).side_quest_keys:
        giver = world.quests[key].giver_npc_key
        if giver is None or not is_present(ctx.db, session, giver):
            continue
        if _is_unlocked(ctx.db, session, world, key):
            offer(ctx, session, world, key)


def offer_following(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: QuestRecord
) -> None:
    """Offer what comes after a quest that was turned in, unless a later chapter is to offer it."""
    following = world.quests[row.quest_key].next_quest_key
    if following is None:
        return
    chapters = {
        chapter.index
        for chapter in world.chapters
        if following in {chapter.main_quest_key, *chapter.side_quest_keys}
    }
    if not chapters or session.chapter_index in chapters:
        offer(ctx, session, world, following)


def offer(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, quest_key: str
) -> QuestRecord | None:
    """Offer a quest; None when the playthrough had it before.

    A quest that was given up in an earlier chapter is offered afresh.
    """
    record_id = local_id(session.story_session_id, "q", quest_key)
    known = ctx.db[QuestRecord].find(record_id)
    if known is not None and (
        known.status is not QuestStatus.ABANDONED or known.chapter_index == session.chapter_index
    ):
        return None
    quest = world.quests[quest_key]
    row = QuestRecord(
        quest_record_id=record_id,
        story_session_id=session.story_session_id,
        runtime_session_id=session.runtime_session_id,
        quest_key=quest.key,
        chapter_id=chapter_id(session.profile_id, session.chapter_index),
        chapter_index=session.chapter_index,
        giver_npc_key=quest.giver_npc_key,
        title=quest.title,
        description=quest.description,
        kind=quest.kind,
        status=QuestStatus.OFFERED,
        objectives=[
            QuestObjective(
                each.objective_id, each.kind, each.target_key, each.required, 0, each.optional
            )
            for each in quest.objectives
        ],
        deliver_items=list(quest.deliver_items),
        reward_preview=_reward_of(session, world, quest),
        accepted_turn=None,
        completed_turn=None,
        turned_in_turn=None,
        last_error=None,
        version=1 if known is None else known.version + 1,
        created_at=ctx.timestamp if known is None else known.created_at,
        updated_at=ctx.timestamp,
    )
    ctx.db[QuestRecord].upsert(row)
    log(ctx, session, row, QuestLogKind.OFFERED)
    return row


def accept(ctx: ReducerContext, session: StorySession, row: QuestRecord) -> QuestRecord:
    """Make an offered quest active.

    Raises:
        ReducerError: ``quest.not_offered_state`` or ``quest.too_many_state``.
    """
    if row.status is not QuestStatus.OFFERED:
        raise ReducerError("quest.not_offered_state", "the quest is not on offer")
    if len(ctx.db[QuestRecord].filter(status=QuestStatus.ACTIVE)) >= QUESTS_ACTIVE_MAX:
        raise ReducerError("quest.too_many_state", f"at most {QUESTS_ACTIVE_MAX} quests are active")
    row = _write(ctx, replace(row, status=QuestStatus.ACTIVE, accepted_turn=session.turn))
    log(ctx, session, row, QuestLogKind.ACCEPTED)
    return row


def abandon(ctx: ReducerContext, session: StorySession, row: QuestRecord) -> QuestRecord:
    """Give an active side quest up.

    Raises:
        ReducerError: ``quest.not_active_state``, also for main quests.
    """
    if row.status is not QuestStatus.ACTIVE or row.kind is QuestKind.MAIN:
        raise ReducerError("quest.not_active_state", "only an active side quest can be given up")
    row = _write(ctx, replace(row, status=QuestStatus.ABANDONED))
    log(ctx, session, row, QuestLogKind.ABANDONED)
    return row


def leave_chapter(ctx: ReducerContext, session: StorySession) -> None:
    """Leaving a chapter fails its side quests that were not completed."""
    for row in ctx.db[QuestRecord]:
        if row.kind is QuestKind.SIDE:
            _fail(ctx, session, row)


def fail_quests_of(ctx: ReducerContext, session: StorySession, npc_key: str) -> None:
    """The giver is gone: its quests that were not completed fail."""
    for row in ctx.db[QuestRecord]:
        if row.giver_npc_key == npc_key:
            _fail(ctx, session, row)


def signal(ctx: ReducerContext, session: StorySession, what: Signal) -> None:
    """Count something in every active quest that waits for it, by quest id.

    A quest whose objectives are all full, but for optional ones, becomes completed.
    """
    for row in ctx.db[QuestRecord].filter(status=QuestStatus.ACTIVE):
        objectives, changed = [], False
        for objective in row.objectives:
            progress = _progress_after(objective, what)
            delta = progress - objective.progress
            if delta:
                changed = True
                objective = replace(objective, progress=progress)  # noqa: PLW2901 - the new row
                log(
                    ctx,
                    session,
                    row,
                    QuestLogKind.PROGRESSED,
                    objective_id=objective.objective_id,
                    delta=delta,
                )
            objectives.append(objective)
        if not changed:
            continue
        row = replace(row, objectives=objectives)  # noqa: PLW2901 - the new row
        if all(each.optional or each.progress >= each.required for each in objectives):
            row = replace(  # noqa: PLW2901 - the new row
                row, status=QuestStatus.COMPLETED, completed_turn=session.turn
            )
            _write(ctx, row)
            log(ctx, session, row, QuestLogKind.COMPLETED)
        else:
            _write(ctx, row)


def request_turn_in(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: QuestRecord
) -> QuestRecord:
    """Turn a completed quest in: every player is owed its reward, the host delivers its items.

    Raises:
        ReducerError: ``quest.already_turned_in``, ``quest.not_completed_state`` or
            ``quest.giver_absent_state``.
    """
    if row.status in {QuestStatus.TURN_IN_PENDING, QuestStatus.TURNED_IN}:
        raise ReducerError("quest.already_turned_in", "the quest was turned in before")
    if row.status is not QuestStatus.COMPLETED:
        raise ReducerError("quest.not_completed_state", "the quest is not completed")
    if not giver_is_here(ctx.db, session, row):
        raise ReducerError("quest.giver_absent_state", "the giver is not in this scene")
    row = _write(ctx, replace(row, status=QuestStatus.TURN_IN_PENDING, last_error=None))
    log(ctx, session, row, QuestLogKind.TURN_IN_REQUESTED)
    reward = row.reward_preview
    items = [*reward.items, ItemGrant(COIN, reward.coins)]
    bundle = bundle_of(
        session,
        GrantSource.QUEST,
        source_ref_of(row),
        quest_xp=reward.xp,
        items=items,
    )
    bundle = replace(bundle, chapter_id=row.chapter_id)
    for player in players_of(ctx.db):
        if player.user_id == session.host_user_id:
            own = replace(bundle, consume_items=row.deliver_items, affinity=reward.affinity)
            request_settlement(ctx, session, player, own, world)
        else:
            request_settlement(ctx, session, player, bundle, world)
    return row


def source_ref_of(row: QuestRecord) -> str:
    """The business key of a quest's reward: once per lineage (domain 12.2)."""
    return derived_id(row.runtime_session_id, "quest", row.quest_key)


def write_turned_in(ctx: ReducerContext, session: StorySession, row: QuestRecord) -> QuestRecord:
    """Close a quest whose settlements have been answered."""
    row = _write(ctx, replace(row, status=QuestStatus.TURNED_IN, turned_in_turn=session.turn))
    log(ctx, session, row, QuestLogKind.TURNED_IN)
    return row


def write_rejected(
    ctx: ReducerContext, session: StorySession, row: QuestRecord, code: str
) -> QuestRecord:
    """Reopen a quest whose turn-in the host's actor refused."""
    row = _write(ctx, replace(row, status=QuestStatus.COMPLETED, last_error=code))
    log(ctx, session, row, QuestLogKind.TURN_IN_REJECTED, text=code)
    return row


def _is_unlocked(
    db: DatabaseReader, session: StorySession, world: WorldDocument, quest_key: str
) -> bool:
    """Whether a quest begins a chain, or the one before it was turned in."""
    before = [quest.key for quest in world.quests.values() if quest.next_quest_key == quest_key]
    rows = (db[QuestRecord].find(local_id(session.story_session_id, "q", key)) for key in before)
    return not before or any(row and row.status is QuestStatus.TURNED_IN for row in rows)


def _fail(ctx: ReducerContext, session: StorySession, row: QuestRecord) -> None:
    if row.status in {QuestStatus.OFFERED, QuestStatus.ACTIVE}:
        row = _write(ctx, replace(row, status=QuestStatus.FAILED))
        log(ctx, session, row, QuestLogKind.FAILED)


def _progress_after(objective: QuestObjective, what: Signal) -> int:
    if objective.kind is not what.kind or objective.target_key not in {"any", what.target_key}:
        return objective.progress
    if what.kind is ObjectiveKind.REACH_AFFINITY:
        # An affinity is a height that is reached, not a number of things that add up.
        return max(objective.progress, min(objective.required, max(0, what.amount)))
    return min(objective.required, objective.progress + what.amount)


def _reward_of(session: StorySession, world: WorldDocument, quest: Quest) -> QuestReward:
    chapter = world.chapter(session.chapter_index)
    return QuestReward(
        xp=chapter.quest_xp.get(quest.key, 0),
        coins=quest_coins(chapter.plan.entry_level, quest.kind),
        items=list(quest.reward_items),
        affinity=list(quest.affinity),
    )


def _write(ctx: ReducerContext, row: QuestRecord) -> QuestRecord:
    row = replace(row, version=row.version + 1, updated_at=ctx.timestamp)
    return ctx.db[QuestRecord].update(row)
