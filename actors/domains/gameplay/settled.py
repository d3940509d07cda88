"""Settled rewards: what a story does when users' own actors answer its bundles (5.6, 5.7, 5.8)."""

from __future__ import annotations

from actors import ReducerContext, message, replace
from actors.domains.domain_types import AffinityDelta, GrantSource, ObjectiveKind, QuestKind
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.npc import find_npc
from actors.domains.gameplay.quest import (
    QuestRecord,
    QuestStatus,
    Signal,
    offer_following,
    signal,
    source_ref_of,
    write_rejected,
    write_turned_in,
)
from actors.domains.gameplay.relations import change_affinity
from actors.domains.gameplay.rewards import (
    RewardSettlement,
    SettlementStatus,
    mark_rejected,
    mark_settled,
)
from actors.domains.gameplay.story import (
    StoryEventKind,
    StoryPace,
    StoryParticipant,
    StorySession,
    StoryStatus,
    pace_of,
    participant_of,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.treasure import (
    TreasureRecord,
    TreasureStatus,
    write_opened,
    write_refused,
)
from actors.domains.gameplay.treasure import source_ref_of as treasure_ref_of
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.messages import Settled, SettlementRejected
from actors.domains.rules.combat import player_stats
from actors.domains.rules.progression import effective_level
from actors.domains.rules.world import WorldDocument

__all__ = ["settled", "settlement_rejected"]


@message(STORY)
def settled(ctx: ReducerContext, payload: Settled) -> None:
    """A bundle is paid: show it, take over the player's level, and close what it was for."""
    row = mark_settled(ctx, payload)
    if row is None:
        return
    session = session_of(ctx.db)
    world = world_of(ctx.db, session)
    _take_level(ctx, session, world, payload)
    if payload.user_id == session.host_user_id:
        for item in (*payload.result.items_granted, *payload.result.items_overflowed):
            what = Signal(ObjectiveKind.OBTAIN_ITEM, item.item_id, item.quantity)
            signal(ctx, session, what)
        _apply_affinity(ctx, session, world, row.preview.affinity)
    if row.source is GrantSource.QUEST:
        session = _close_quest(ctx, session, world, row)
    elif row.source is GrantSource.TREASURE and payload.user_id == session.host_user_id:
        session = _close_treasure(ctx, session, world, row)
    refresh_choices(ctx, session, world)


@message(STORY)
def settlement_rejected(ctx: ReducerContext, payload: SettlementRejected) -> None:
    """A bundle was refused: show it, and reopen what it was for if it was the host's."""
    row = mark_rejected(ctx, payload)
    if row is None:
        return
    if row.source is GrantSource.TREASURE:
        # Only the key can be missing, and that is what clients know it by (domain 5.8).
        code = "treasure.requirements_not_met"
        row = ctx.db[RewardSettlement].update(replace(row, error_code=code))
    session = session_of(ctx.db)
    world = world_of(ctx.db, session)
    if row.source is GrantSource.QUEST:
        session = _close_quest(ctx, session, world, row)
    elif row.source is GrantSource.TREASURE and payload.user_id == session.host_user_id:
        treasure = _treasure_of(ctx, session, row)
        if treasure is not None:
            write_refused(ctx, treasure)
    refresh_choices(ctx, session, world)


def _take_level(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, payload: Settled
) -> None:
    player = participant_of(ctx.db, payload.user_id)
    if player is None:
        return
    # The chapter that the story is in bounds the level, whichever chapter the bundle is of.
    exit_level = world.chapter(session.chapter_index).plan.exit_level
    level = effective_level(payload.progression.level, exit_level)
    if player.effective_level != level:
        before, after = player_stats(player.effective_level), player_stats(level)
        max_hp = player.max_hp + after.max_hp - before.max_hp
        ctx.db[StoryParticipant].update(
            replace(
                player,
                effective_level=level,
                hp=min(player.hp, max_hp),
                max_hp=max_hp,
                updated_at=ctx.timestamp,
            )
        )
    pace = replace(pace_of(ctx.db, player), level=payload.progression.level)
    chapter = payload.chapter
    if chapter is not None and chapter.chapter_index == session.chapter_index:
        pace = replace(pace, defeats=chapter.actual_hostile_defeat_count)
    ctx.db[StoryPace].upsert(pace)


def _apply_affinity(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    deltas: list[AffinityDelta],
) -> None:
    for each in deltas:
        npc = find_npc(ctx.db, session, each.npc_key)
        change_affinity(ctx, session, world, npc, each.delta)


def _close_quest(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: RewardSettlement
) -> StorySession:
    """Close the quest of an answered settlement once nobody's answer is missing."""
    quest = next(
        (
            each
            for each in ctx.db[QuestRecord].filter(status=QuestStatus.TURN_IN_PENDING)
            if source_ref_of(each) == row.source_ref
        ),
        None,
    )
    if quest is None:
        return session
    answers = [each for each in ctx.db[RewardSettlement] if each.source_ref == row.source_ref]
    if any(each.status is SettlementStatus.PENDING for each in answers):
        return session
    own = next(each for each in answers if each.user_id == session.host_user_id)
    if own.status is SettlementStatus.REJECTED:
        write_rejected(ctx, session, quest, own.error_code or "")
        return session
    quest = write_turned_in(ctx, session, quest)
    offer_following(ctx, session, world, quest)
    narrator = narrator_of(ctx.db, session, world)
    text = narrator.text("turn_in_quest", quest=quest.title)
    session = tell(ctx, session, StoryEventKind.QUEST_UPDATE, text)
    if quest.kind is QuestKind.MAIN and quest.chapter_index == session.chapter_index:
        text = narrator.text("chapter_completed")
        session = tell(ctx, session, StoryEventKind.CHAPTER_COMPLETED, text)
        if session.status is StoryStatus.ACTIVE:
            session = replace(session, status=StoryStatus.CHAPTER_BREAK)
    return touch(ctx, session)


def _close_treasure(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, row: RewardSettlement
) -> StorySession:
    treasure = _treasure_of(ctx, session, row)
    if treasure is None:
        return session
    write_opened(ctx, session, world, treasure)
    signal(ctx, session, Signal(ObjectiveKind.OPEN_TREASURE, treasure.treasure_key))
    narrator = narrator_of(ctx.db, session, world)
    contents = narrator.enumeration(
        narrator.amount(world.items[item.item_id], item.quantity) for item in row.preview.items
    )
    text = narrator.text("treasure_opened", item=treasure.title, contents=contents)
    return touch(ctx, tell(ctx, session, StoryEventKind.TREASURE, text))


def _treasure_of(
    ctx: ReducerContext, session: StorySession, row: RewardSettlement
) -> TreasureRecord | None:
    return next(
        (
            each
            for each in ctx.db[TreasureRecord]
            if each.status is TreasureStatus.OPENING
            and treasure_ref_of(session, each.treasure_key) == row.source_ref
        ),
        None,
    )
