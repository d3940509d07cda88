"""Quest and treasure calls: what the host does about them outside turns (domain 5.6, 5.8)."""

from __future__ import annotations

from enum import IntEnum

from actors import ReducerContext, ViewContext, procedure, reducer, struct
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.limits import TREASURE_SECONDS_MAX
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.play_time import count_play
from actors.domains.gameplay.quest import (
    QuestRecord,
    abandon,
    accept,
    find_quest,
    giver_is_here,
    request_turn_in,
)
from actors.domains.gameplay.story import (
    StoryEventKind,
    StoryFunction,
    StorySession,
    StoryStatus,
    live_session,
    require_host,
    tell,
    touch,
)
from actors.domains.gameplay.treasure import (
    TreasureRecord,
    TreasureStatus,
    check_reachable,
    find_treasure,
    leave_treasure,
    open_treasure,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.rules.text import check_id, check_slug
from actors.domains.rules.world import WorldDocument
from actors.errors import ReducerError
from actors.module.context import ProcedureContext

__all__ = [
    "QuestCall",
    "ResolveTreasureInteraction",
    "TreasureAction",
    "abandon_quest",
    "accept_quest",
    "resolve_treasure_interaction",
    "resolve_treasure_interaction_and_return",
    "turn_in_quest",
]


class TreasureAction(IntEnum):
    """What to do about a treasure."""

    INSPECT = 0
    OPEN = 1
    LEAVE = 2


@struct
class QuestCall:
    """Input of everything that the host does with one quest."""

    story_session_id: str
    quest_record_id: str
    request_id: str


@struct
class ResolveTreasureInteraction:
    """Input of ``resolve_treasure_interaction``."""

    story_session_id: str
    treasure_key: str
    action: TreasureAction
    request_id: str


@reducer(actor=STORY)
def accept_quest(ctx: ReducerContext, input: QuestCall) -> QuestRecord:
    """Accept an offered quest from its giver.

    Raises ``quest.not_found``, ``quest.giver_absent_state``, ``quest.not_offered_state``,
    ``quest.too_many_state``.
    """
    session, world = _led(ctx)
    row = find_quest(ctx.db, check_id(input.quest_record_id))
    if not giver_is_here(ctx.db, session, row):
        raise ReducerError("quest.giver_absent_state", "the giver is not in this scene")
    row = accept(ctx, session, row)
    slots = {"quest": row.title, "quest_line": row.description}
    text = narrator_of(ctx.db, session, world).text("accept_quest", **slots)
    kind, function = StoryEventKind.QUEST_UPDATE, StoryFunction.ACCEPT_QUEST
    _close(ctx, tell(ctx, session, kind, text, function, actor_user_id=ctx.user_id), world)
    return row


@reducer(actor=STORY)
def abandon_quest(ctx: ReducerContext, input: QuestCall) -> QuestRecord:
    """Give an active side quest up; raises ``quest.not_found``, ``quest.not_active_state``."""
    session, world = _led(ctx)
    row = abandon(ctx, session, find_quest(ctx.db, check_id(input.quest_record_id)))
    _close(ctx, session, world)
    return row


@reducer(actor=STORY)
def turn_in_quest(ctx: ReducerContext, input: QuestCall) -> QuestRecord:
    """Turn a completed quest in; the answer shows it waiting for the settlements.

    Raises ``quest.not_found``, ``quest.already_turned_in``, ``quest.not_completed_state``,
    ``quest.giver_absent_state``.
    """
    require_host(ctx.db, ctx.user_id)
    session = live_session(ctx.db, StoryStatus.ACTIVE, StoryStatus.CHAPTER_BREAK)
    world = world_of(ctx.db, session)
    row = find_quest(ctx.db, check_id(input.quest_record_id))
    row = request_turn_in(ctx, session, world, row)
    _close(ctx, session, world)
    return row


@reducer(actor=STORY)
def resolve_treasure_interaction(
    ctx: ReducerContext, input: ResolveTreasureInteraction
) -> TreasureRecord:
    """Look at a treasure, open it, or leave it for later.

    Raises ``treasure.not_found``, ``treasure.not_in_scene_state``, ``treasure.already_opened``,
    ``treasure.requirements_not_met``.
    """
    session, world = _led(ctx)
    row = find_treasure(ctx.db, session, check_slug(input.treasure_key))
    match input.action:
        case TreasureAction.INSPECT:
            check_reachable(session, world, row)
            return row
        case TreasureAction.OPEN:
            row = open_treasure(ctx, session, world, row)
            text = narrator_of(ctx.db, session, world).text("inspect", item=row.title)
            kind, function = StoryEventKind.TREASURE, StoryFunction.INSPECT
            session = tell(ctx, session, kind, text, function, actor_user_id=ctx.user_id)
        case TreasureAction.LEAVE:
            row = leave_treasure(ctx, session, world, row)
    _close(ctx, session, world)
    return row


@procedure(actor=STORY)
async def resolve_treasure_interaction_and_return(
    ctx: ProcedureContext, input: ResolveTreasureInteraction
) -> TreasureRecord:
    """Do the same, and answer the treasure once an opening is over, or as it is after the deadline.

    Raises what ``resolve_treasure_interaction`` raises, and ``treasure.requirements_not_met`` when
    the host does not have the key.
    """
    row = await ctx.call(resolve_treasure_interaction, input)
    if row.status is not TreasureStatus.OPENING:
        return row

    def opened(view: ViewContext) -> TreasureRecord | None:
        now = view.db[TreasureRecord].get(row.treasure_record_id)
        if now.status is TreasureStatus.OPENING:
            return None
        if now.status is not TreasureStatus.OPENED:
            raise ReducerError("treasure.requirements_not_met", "the key is missing")
        return now

    after = await ctx.until(STORY.key(row.story_session_id), opened, TREASURE_SECONDS_MAX)
    return after or row


def _led(ctx: ReducerContext) -> tuple[StorySession, WorldDocument]:
    require_host(ctx.db, ctx.user_id)
    session = live_session(ctx.db)
    return session, world_of(ctx.db, session)


def _close(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> None:
    session = touch(ctx, session)
    refresh_choices(ctx, session, world)
    count_play(ctx, session, ctx.user_id)
