"""Story stream: what happens in a story, as server-sent events from its rows (domain 11.3).

A look at the rows answers what a reader has not seen yet. The story's commits cause the next look,
so a reader misses nothing and nobody polls. An event's id says how far its reader has come: the
newest story event that was shown and, while one is still being told, which, and its last piece.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Final, NamedTuple

from actors import ProcedureContext, ReducerError, ServerEvent, ViewContext, struct, u32
from actors.domains.ai.chunks import chunks_of
from actors.domains.ai.stages import stages_of
from actors.domains.facade.limits import STREAM_WAIT_SECONDS
from actors.domains.gameplay.combat import (
    BattleState,
    running_battle,
    snapshot_of,
)
from actors.domains.gameplay.lifecycle import LIVE_STATES
from actors.domains.gameplay.rewards import RewardSettlement, SettlementStatus
from actors.domains.gameplay.story import (
    StoryChoice,
    StoryEvent,
    TextStatus,
    find_session,
    last_event_seq,
    participant_of,
)
from actors.domains.kinds import STORY
from actors.domains.rules.text import check_id
from actors.module import DatabaseReader

__all__ = [
    "ChoicesNews",
    "FollowStory",
    "Look",
    "Place",
    "SettlementNews",
    "StoryDelta",
    "StoryNews",
    "follow_story",
    "look_at",
    "read_place",
]

_PLACE: Final = re.compile(r"(\d{1,9})(?::(\d{1,9})(?:\.(\d{1,9})\.(\d{1,9})\.(\d{1,9}))?)?\Z")
_UNTOLD: Final = frozenset({TextStatus.PENDING, TextStatus.STREAMING})


@struct
class FollowStory:
    """Which story, and where an earlier stream of it ended."""

    story_session_id: str
    last_event_id: str | None = None


@struct
class StoryNews:
    """A story event; it comes again when its text is complete."""

    event: StoryEvent


@struct
class StoryDelta:
    """A piece of an event's text; pieces of another stage or attempt begin a new text."""

    event_id: str
    stage: u32
    attempt: u32
    sequence: u32
    text: str


@struct
class ChoicesNews:
    """All choices that there are now."""

    choices: list[StoryChoice]


@struct
class SettlementNews:
    """A reward of the reader's own."""

    settlement: RewardSettlement


class Place(NamedTuple):
    """How far a reader has come.

    Attributes:
        seq: of the newest story event that was shown.
        untold: the seq of a shown event whose text is not complete yet; 0 without one.
        piece: stage, attempt and sequence of that text's last piece.
        choices: as they were shown.
        battle: the id, version and status of the shown battle.
        settlements: statuses by id.
    """

    seq: int
    untold: int = 0
    piece: tuple[int, int, int] | None = None
    choices: list[StoryChoice] | None = None
    battle: tuple[str, int, int] | None = None
    settlements: dict[str, int] | None = None

    @property
    def event_id(self) -> str:
        """What ``read_place`` makes a place of again."""
        if not self.untold:
            return str(self.seq)
        piece = "" if self.piece is None else ".{}.{}.{}".format(*self.piece)
        return f"{self.seq}:{self.untold}{piece}"


class Look(NamedTuple):
    """What a reader has not seen yet, and how far it has come with that."""

    events: list[ServerEvent]
    place: Place
    is_over: bool


async def follow_story(ctx: ProcedureContext, input: FollowStory) -> AsyncIterator[ServerEvent]:
    """Tell a participant what happens; ends when the story does, or the participant has left.

    A new reader begins with the newest event; whoever names an event's id goes on behind it. Both
    are shown the choices and the running battle as they are.

    Raises ``story.not_found`` or ``input.invalid_id``.
    """
    actor = STORY.key(check_id(input.story_session_id))
    place = None if input.last_event_id is None else read_place(input.last_event_id)
    is_over = False
    while not is_over:
        look = await ctx.until(actor, partial(_news_for, place), STREAM_WAIT_SECONDS)
        if look is not None:
            for event in look.events:
                yield event
            place, is_over = look.place, look.is_over


def read_place(event_id: str) -> Place:
    """The place that an event's id names; raises ``input.invalid_id``."""
    found = _PLACE.match(event_id)
    if found is None:
        raise ReducerError("input.invalid_id", "no event of a story has such an id")
    seq, untold, stage, attempt, sequence = (int(part or 0) for part in found.groups())
    return Place(seq, untold, (stage, attempt, sequence) if found[3] else None)


def look_at(db: DatabaseReader, user_id: str, place: Place | None) -> Look:
    """What a participant has not seen of a story; raises ``story.not_found`` for others.

    Args:
        db: the story's rows.
        user_id: the reader.
        place: how far the reader has come; None for a new one.
    """
    session = find_session(db)
    if session is None or participant_of(db, user_id) is None:
        if place is not None and place.choices is not None:
            return Look([], place, is_over=True)
        raise ReducerError("story.not_found", "there is no such story session")
    if place is None:
        place = Place(max(last_event_seq(db) - 1, 0))
    news: list[ServerEvent] = []
    place = _look_at_text(db, place, news)
    place = _look_at_events(db, place, news)
    place = _look_at_choices(db, place, news)
    place = _look_at_battle(db, place, news)
    place = _look_at_settlements(db, user_id, place, news)
    return Look(news, place, session.status not in LIVE_STATES and not place.untold)


def _news_for(place: Place | None, view: ViewContext) -> Look | None:
    look = look_at(view.db, view.user_id, place)
    return look if look.events or look.is_over else None


def _look_at_events(db: DatabaseReader, place: Place, news: list[ServerEvent]) -> Place:
    """New events; the text of one that is being told follows it."""
    for row in db[StoryEvent].range("seq", place.seq + 1, None):
        is_untold = row.text_status in _UNTOLD
        place = place._replace(seq=row.seq)
        if is_untold:
            place = place._replace(untold=row.seq, piece=None)
        news.append(ServerEvent("story_event", StoryNews(row), place.event_id))
        if is_untold:
            place = _look_at_text(db, place, news)
    return place


def _look_at_text(db: DatabaseReader, place: Place, news: list[ServerEvent]) -> Place:
    """New pieces of the text that is being told, and the whole event once it is complete."""
    event = db[StoryEvent].first(seq=place.untold) if place.untold else None
    if event is None:
        return place._replace(untold=0, piece=None)
    stages = [] if event.ai_task_id is None else stages_of(db, event.ai_task_id)
    for stage in stages:
        for chunk in chunks_of(db, stage):
            piece = stage.stage_order, chunk.attempt, chunk.sequence
            if place.piece is None or piece > place.piece:
                place = place._replace(piece=piece)
                delta = StoryDelta(event.event_id, *piece, chunk.delta_text)
                news.append(ServerEvent("delta", delta, place.event_id))
    if event.text_status in _UNTOLD:
        return place
    place = place._replace(untold=0, piece=None)
    news.append(ServerEvent("story_event", StoryNews(event), place.event_id))
    return place


def _look_at_choices(db: DatabaseReader, place: Place, news: list[ServerEvent]) -> Place:
    choices = sorted(db[StoryChoice], key=lambda row: row.position)
    if choices == place.choices:
        return place
    news.append(ServerEvent("choices", ChoicesNews(choices)))
    return place._replace(choices=choices)


def _look_at_battle(db: DatabaseReader, place: Place, news: list[ServerEvent]) -> Place:
    """The running battle, or how the shown one ended."""
    row = running_battle(db)
    if row is None and place.battle is not None:
        row = db[BattleState].find(place.battle[0])
    if row is None:
        return place
    shown = row.battle_state_id, row.version, row.status
    if shown == place.battle:
        return place
    news.append(ServerEvent("battle", snapshot_of(db, row)))
    return place._replace(battle=shown)


def _look_at_settlements(
    db: DatabaseReader, user_id: str, place: Place, news: list[ServerEvent]
) -> Place:
    """The reader's rewards; at first those that are pending, or came after the newest event."""
    rows = db[RewardSettlement].filter(user_id=user_id)
    shown = place.settlements
    if shown is None:
        newest = db[StoryEvent].first(seq=place.seq)
        since = 0 if newest is None else newest.created_at
        settled = (row for row in rows if row.status is not SettlementStatus.PENDING)
        shown = {row.settlement_id: row.status for row in settled if row.updated_at < since}
    new = (row for row in rows if shown.get(row.settlement_id) != row.status)
    news.extend(ServerEvent("settlement", SettlementNews(row)) for row in new)
    return place._replace(settlements={row.settlement_id: row.status for row in rows})
