"""Story sessions: the rows every part of a playthrough reads and writes (domain 5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from actors import ReducerContext, ReducerError, Timestamp, replace, table, u32, u64
from actors.domains.domain_types import PaceAdvice, ParticipantRole, TextSource
from actors.domains.gameplay.limits import STORY_EVENTS_MAX, STORY_FLAGS_MAX
from actors.domains.kinds import STORY
from actors.domains.rules.ids import derived_id, local_id
from actors.module import DatabaseReader

__all__ = [
    "NarrativeState",
    "StoryChoice",
    "StoryEvent",
    "StoryEventKind",
    "StoryFunction",
    "StoryMark",
    "StoryPace",
    "StoryParticipant",
    "StorySecret",
    "StorySession",
    "StoryStatus",
    "TextStatus",
    "add_event",
    "events_back",
    "find_session",
    "has_mark",
    "host_of",
    "is_test_play",
    "last_event_seq",
    "live_session",
    "pace_of",
    "participant_of",
    "players_of",
    "put_mark",
    "require_host",
    "session_of",
    "set_flag",
    "tell",
    "touch",
]


class StoryStatus(IntEnum):
    """Where a playthrough stands (domain 5.2)."""

    STARTING = 0
    ACTIVE = 1
    IN_BATTLE = 2
    CHAPTER_BREAK = 3
    COMPLETED = 4
    ABANDONED = 5
    SUPERSEDED = 6


class NarrativeState(IntEnum):
    """Whether narration is on its way."""

    IDLE = 0
    STREAMING = 1


class StoryFunction(IntEnum):
    """What a choice does (domain 5.3)."""

    NARRATIVE = 0
    FREE_TEXT = 1
    TRAVEL = 2
    TALK = 3
    HELP = 4
    GIFT = 5
    TRADE = 6
    RECRUIT = 7
    DISMISS = 8
    SPAR = 9
    FIGHT = 10
    INSPECT = 11
    REST = 12
    ACCEPT_QUEST = 13
    TURN_IN_QUEST = 14
    ADVANCE_CHAPTER = 15
    FINISH = 16


class StoryEventKind(IntEnum):
    """What happened in a story."""

    SESSION_STARTED = 0
    CHAPTER_STARTED = 1
    SCENE_ENTERED = 2
    CHOICE_RESOLVED = 3
    NARRATION = 4
    NPC_TALK = 5
    QUEST_UPDATE = 6
    BATTLE_STARTED = 7
    BATTLE_WON = 8
    BATTLE_LOST = 9
    BATTLE_ESCAPED = 10
    BATTLE_SPAR = 11
    BATTLE_ABORTED = 12
    TREASURE = 13
    TRADE = 14
    GIFT = 15
    RECRUIT = 16
    REST = 17
    CHAPTER_COMPLETED = 18
    SESSION_COMPLETED = 19
    SYSTEM = 20


class TextStatus(IntEnum):
    """How far an event's text has come."""

    NONE = 0
    PENDING = 1
    STREAMING = 2
    COMPLETE = 3
    PARTIAL = 4


@table(
    public=True,
    primary_key="story_session_id",
    index=["runtime_session_id", "host_user_id", "status"],
    actor=STORY,
)
class StorySession:
    """One playthrough of a published world; the actor holds exactly one."""

    story_session_id: str
    runtime_session_id: str
    host_user_id: str
    profile_id: str
    published_version: u32
    document_hash: str
    world_name: str
    status: StoryStatus
    narrative_state: NarrativeState
    chapter_index: u32
    total_chapters: u32
    chapter_key: str
    current_scene_key: str
    turn: u32
    latest_narrative_text: str
    latest_function: StoryFunction | None
    flags: list[str]
    defeat_count: u32
    invite_code: str | None
    player_count: u32
    version: u32
    created_at: Timestamp
    completed_at: Timestamp | None
    updated_at: Timestamp


@table(
    public=True,
    primary_key="participant_id",
    index=["story_session_id", "user_id"],
    actor=STORY,
)
class StoryParticipant:
    """A user in the session, with what fights leave of them."""

    participant_id: str
    story_session_id: str
    user_id: str
    role: ParticipantRole
    display_name: str
    role_key: str
    effective_level: u32
    hp: u32
    max_hp: u32
    connected: bool
    joined_at: Timestamp
    updated_at: Timestamp


@table(
    public=True,
    primary_key="event_id",
    index=["story_session_id", "seq"],
    actor=STORY,
)
class StoryEvent:
    """One thing that happened, with its text once there is one."""

    event_id: str
    story_session_id: str
    seq: u32
    kind: StoryEventKind
    actor_user_id: str | None
    choice_id: str | None
    text: str
    text_status: TextStatus
    text_source: TextSource
    ai_task_id: str | None
    data_json: str
    created_at: Timestamp
    updated_at: Timestamp


@table(public=True, primary_key="choice_id", index=["story_session_id"], actor=STORY)
class StoryChoice:
    """What the host may do now; only the current turn's choices exist."""

    choice_id: str
    story_session_id: str
    turn: u32
    position: u32
    function: StoryFunction
    target_key: str
    label: str
    detail: str
    enabled: bool
    disabled_reason: str | None
    created_at: Timestamp


@table(primary_key="story_session_id", actor=STORY)
class StorySecret:
    """Seeds that clients must not know, and where the session's world is kept."""

    story_session_id: str
    loot_seed: u64
    stock_seed: u64
    world_document_ref: str


@table(primary_key="participant_id", actor=STORY)
class StoryPace:
    """What a player's own actor last said of level and chapter; sets hostile levels (3.6)."""

    participant_id: str
    level: u32
    chapter_index: u32
    defeats: u32
    advice: PaceAdvice | None


@table(primary_key="mark_id", actor=STORY)
class StoryMark:
    """Something that happens once, e.g. ``enc:1:slime_pack`` for a cleared encounter."""

    mark_id: str
    turn: u32


def find_session(db: DatabaseReader) -> StorySession | None:
    """The actor's session, or None before it began."""
    return next(iter(db[StorySession]), None)


def session_of(db: DatabaseReader) -> StorySession:
    """The actor's session.

    Raises:
        ReducerError: ``story.not_found``: none was begun here.
    """
    session = find_session(db)
    if session is None:
        raise ReducerError("story.not_found", "there is no such story session")
    return session


def live_session(db: DatabaseReader, *allowed: StoryStatus) -> StorySession:
    """The actor's session in one of the allowed states, ``active`` when none is named.

    Raises:
        ReducerError: ``story.not_found`` or ``story.not_active_state``.
    """
    session = session_of(db)
    if session.status not in (allowed or (StoryStatus.ACTIVE,)):
        state = session.status.name.lower()
        raise ReducerError("story.not_active_state", f"the story is {state}", status=state)
    return session


def is_test_play(session: StorySession) -> bool:
    """Whether the host tries an own draft out, which has no published version (domain 6.7)."""
    return session.published_version == 0


def participant_of(db: DatabaseReader, user_id: str) -> StoryParticipant | None:
    """The row of a user in the session."""
    return db[StoryParticipant].first(user_id=user_id)


def players_of(db: DatabaseReader) -> list[StoryParticipant]:
    """Host and players in the order in which they joined."""
    rows = (row for row in db[StoryParticipant] if row.role is not ParticipantRole.SPECTATOR)
    return sorted(rows, key=lambda row: (row.joined_at, row.participant_id))


def host_of(db: DatabaseReader) -> StoryParticipant:
    """The host's row; there is one from the moment the session is active."""
    host = next((row for row in db[StoryParticipant] if row.role is ParticipantRole.HOST), None)
    assert host is not None, "an active story has a host"
    return host


def require_host(db: DatabaseReader, user_id: str) -> StorySession:
    """The session, if this user leads it.

    Raises:
        ReducerError: ``story.not_found`` for strangers, so that ids leak nothing;
            ``auth.forbidden`` for other participants.
    """
    session = session_of(db)
    if session.host_user_id == user_id:
        return session
    if participant_of(db, user_id) is None:
        raise ReducerError("story.not_found", "there is no such story session")
    raise ReducerError("auth.forbidden", "only the host leads the story")


def pace_of(db: DatabaseReader, participant: StoryParticipant) -> StoryPace:
    """What is known of a player's progress; the first chapter's start before any report."""
    pace = db[StoryPace].find(participant.participant_id)
    return pace or StoryPace(participant.participant_id, 1, 1, 0, None)


def last_event_seq(db: DatabaseReader) -> int:
    """The seq of the newest event, 0 before any: those that are kept have no gap."""
    events = db[StoryEvent]
    if not len(events) or _event(db, 1) is not None:
        return len(events)
    return next(events.range("seq")).seq + len(events) - 1


def events_back(db: DatabaseReader) -> Iterator[StoryEvent]:
    """The events that are kept, newest first; looks at no more of them than are taken."""
    seq = last_event_seq(db)
    while (event := _event(db, seq)) is not None:
        yield event
        seq -= 1


def add_event(
    ctx: ReducerContext,
    session: StorySession,
    kind: StoryEventKind,
    text: str = "",
    *,
    actor_user_id: str | None = None,
    choice_id: str | None = None,
) -> StoryEvent:
    """Append an event whose text, if it has one, is complete; the oldest may go for it."""
    events = ctx.db[StoryEvent]
    seq = last_event_seq(ctx.db) + 1
    if len(events) >= STORY_EVENTS_MAX:
        events.delete(local_id(session.story_session_id, "e", seq - STORY_EVENTS_MAX))
    return events.insert(
        StoryEvent(
            event_id=local_id(session.story_session_id, "e", seq),
            story_session_id=session.story_session_id,
            seq=seq,
            kind=kind,
            actor_user_id=actor_user_id,
            choice_id=choice_id,
            text=text,
            text_status=TextStatus.COMPLETE if text else TextStatus.NONE,
            text_source=TextSource.FALLBACK,
            ai_task_id=None,
            data_json="{}",
            created_at=ctx.timestamp,
            updated_at=ctx.timestamp,
        )
    )


def tell(
    ctx: ReducerContext,
    session: StorySession,
    kind: StoryEventKind,
    text: str,
    function: StoryFunction | None = None,
    *,
    actor_user_id: str | None = None,
    choice_id: str | None = None,
) -> StorySession:
    """Append an event and make its text the session's latest narration; not yet written."""
    add_event(ctx, session, kind, text, actor_user_id=actor_user_id, choice_id=choice_id)
    return replace(
        session,
        latest_narrative_text=text,
        latest_function=session.latest_function if function is None else function,
    )


def touch(ctx: ReducerContext, session: StorySession) -> StorySession:
    """Write a changed session: one version later, updated now."""
    row = replace(session, version=session.version + 1, updated_at=ctx.timestamp)
    return ctx.db[StorySession].update(row)


def set_flag(session: StorySession, flag: str) -> StorySession:
    """The session with a flag; beyond the limit the oldest flag goes."""
    if flag in session.flags:
        return session
    return replace(session, flags=[*session.flags, flag][-STORY_FLAGS_MAX:])


def _event(db: DatabaseReader, seq: int) -> StoryEvent | None:
    return db[StoryEvent].find(local_id(session_of(db).story_session_id, "e", seq))


def put_mark(ctx: ReducerContext, turn: int, *parts: str | int) -> None:
    """Remember that something that happens once has happened."""
    ctx.db[StoryMark].upsert(StoryMark(derived_id(*parts), turn))


def has_mark(db: DatabaseReader, *parts: str | int) -> bool:
    """Whether something that happens once has happened."""
    return db[StoryMark].find(derived_id(*parts)) is not None
