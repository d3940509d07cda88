"""Story begin: from the user's wish to an active session, or back with a refusal (domain 12.6)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, message, replace, table
from actors.domains.domain_types import ParticipantRole
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.lifecycle import (
    ask_to_enter,
    open_chapter,
    tell_directory,
    watch_idleness,
)
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.npc import create_npcs, refresh_profiles
from actors.domains.gameplay.play_time import report_start
from actors.domains.gameplay.rewards import grant_starting_items
from actors.domains.gameplay.stock import restock_all
from actors.domains.gameplay.story import (
    NarrativeState,
    StoryEventKind,
    StoryPace,
    StoryParticipant,
    StorySecret,
    StorySession,
    StoryStatus,
    find_session,
    participant_of,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.treasure import create_treasures
from actors.domains.gameplay.world import StoryWorldDocument, keep_world, world_of
from actors.domains.kinds import CATALOG, STORY, USER
from actors.domains.messages import (
    ChapterEntered,
    ChapterExited,
    GetProfile,
    ProfileFound,
    ProfileMissing,
    RecordPlay,
    StoryBegin,
    StoryRejected,
)
from actors.domains.rules.combat import player_stats
from actors.domains.rules.ids import chapter_id, derived_id
from actors.domains.rules.world import WorldDocument
from actors.domains.runtime.directory_entry import DirectoryState

__all__ = [
    "StoryOpening",
    "chapter_entered",
    "chapter_exited",
    "profile_found",
    "profile_missing",
    "story_begin",
]

_SCHEMA_VERSION = 1


@table(primary_key="story_session_id", actor=STORY)
class StoryOpening:
    """What is known of a session between its first message and its first chapter."""

    story_session_id: str
    host_display_name: str
    role_key: str


@message(STORY)
def story_begin(ctx: ReducerContext, payload: StoryBegin) -> None:
    """Remember who wants to play what, and ask the catalog for the world."""
    if find_session(ctx.db) is not None:
        return
    ctx.db[StorySession].insert(_starting(ctx, payload))
    ctx.db[StoryOpening].insert(
        StoryOpening(
            story_session_id=payload.story_session_id,
            host_display_name=payload.host_display_name,
            role_key=payload.role_key,
        )
    )
    ctx.send(
        CATALOG.shard_key(payload.profile_id),
        GetProfile(payload.story_session_id, payload.profile_id, None),
        idempotency_key=payload.story_session_id,
    )


@message(STORY)
def profile_missing(ctx: ReducerContext, payload: ProfileMissing) -> None:
    """There is no such world: the session never was."""
    if ctx.db[StoryOpening].find(payload.request_id) is not None:
        _refuse(ctx, payload.code, payload.message)


@message(STORY)
def profile_found(ctx: ReducerContext, payload: ProfileFound) -> None:
    """Check the enter-world gate (domain 6.7), pin the world and enter its first chapter."""
    opening = ctx.db[StoryOpening].find(payload.request_id)
    if opening is None or ctx.db[StorySecret].find(payload.request_id) is not None:
        return
    session = session_of(ctx.db)
    if payload.schema_version != _SCHEMA_VERSION:
        _refuse(ctx, "world.gate_blocked", "EW03: the world's schema version is not supported")
        return
    try:
        world = keep_world(
            ctx, payload.published_profile_id, payload.owner_user_id, payload.document_json
        )
    except ReducerError:
        # What the reader refuses has no opening scene or no first chapter to rely on.
        _refuse(ctx, "world.gate_blocked", "EW05: the world's document cannot be played")
        return
    if opening.role_key not in world.roles:
        _refuse(ctx, "story.role_not_found", "the world has no such role")
        return
    ctx.db[StorySecret].insert(
        StorySecret(
            story_session_id=session.story_session_id,
            loot_seed=ctx.rng.next_u64(),
            stock_seed=ctx.rng.next_u64(),
            world_document_ref=payload.published_profile_id,
        )
    )
    first = world.chapter(1)
    session = touch(
        ctx,
        replace(
            session,
            published_version=payload.version,
            document_hash=payload.document_hash,
            world_name=world.world.name,
            total_chapters=len(world.chapters),
            chapter_key=first.key,
            current_scene_key=first.opening_scene_key,
        ),
    )
    ask_to_enter(ctx, session, world, [session.host_user_id])


@message(STORY)
def chapter_entered(ctx: ReducerContext, payload: ChapterEntered) -> None:
    """Take over a player's level; the host's first answer opens the story."""
    session = find_session(ctx.db)
    if session is None:
        return
    world = world_of(ctx.db, session)
    if payload.chapter_id != chapter_id(session.profile_id, session.chapter_index):
        return
    opening = ctx.db[StoryOpening].find(session.story_session_id)
    if opening is not None and payload.user_id == session.host_user_id:
        _open(ctx, session, world, opening, payload)
        return
    player = participant_of(ctx.db, payload.user_id)
    if player is None:
        return
    stats = player_stats(payload.effective_level)
    ctx.db[StoryParticipant].update(
        replace(
            player,
            effective_level=payload.effective_level,
            hp=stats.max_hp,
            max_hp=stats.max_hp,
            updated_at=ctx.timestamp,
        )
    )
    ctx.db[StoryPace].upsert(_pace(player.participant_id, payload))
    if payload.user_id == session.host_user_id:
        refresh_profiles(ctx, session, world)
        restock_all(ctx, session, world)
    refresh_choices(ctx, session, world)


@message(STORY)
def chapter_exited(ctx: ReducerContext, payload: ChapterExited) -> None:
    """Take over the level at a chapter's exit and what its report advises for the next one."""
    session = find_session(ctx.db)
    player = None if session is None else participant_of(ctx.db, payload.user_id)
    if player is None:
        return
    paces = ctx.db[StoryPace]
    pace = paces.find(player.participant_id)
    if pace is not None:
        paces.update(replace(pace, level=payload.progression.level, advice=payload.advice))


def _open(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    opening: StoryOpening,
    entered: ChapterEntered,
) -> None:
    """The last step: everything a client sees appears in one transaction."""
    ctx.db[StoryOpening].delete(opening.story_session_id)
    host = _host(ctx, session, opening, entered)
    ctx.db[StoryParticipant].insert(host)
    ctx.db[StoryPace].insert(_pace(host.participant_id, entered))
    create_npcs(ctx, session, world)
    create_treasures(ctx, session, world)
    session = replace(session, turn=1)
    restock_all(ctx, session, world)
    text = narrator_of(ctx.db, session, world).text("session_started")
    session = tell(ctx, session, StoryEventKind.SESSION_STARTED, text)
    session = touch(ctx, open_chapter(ctx, session, world))
    refresh_choices(ctx, session, world)
    grant_starting_items(ctx, session, host, world)
    tell_directory(ctx, session, DirectoryState.ACTIVE)
    report_start(ctx, session, world, host.user_id)
    ctx.send(
        CATALOG.shard_key(session.profile_id),
        RecordPlay(session.profile_id, host.user_id, session.story_session_id),
        idempotency_key=session.story_session_id,
    )
    watch_idleness(ctx, session)


def _host(
    ctx: ReducerContext, session: StorySession, opening: StoryOpening, entered: ChapterEntered
) -> StoryParticipant:
    max_hp = player_stats(entered.effective_level).max_hp
    return StoryParticipant(
        participant_id=derived_id(session.story_session_id, session.host_user_id),
        story_session_id=session.story_session_id,
        user_id=session.host_user_id,
        role=ParticipantRole.HOST,
        display_name=opening.host_display_name,
        role_key=opening.role_key,
        effective_level=entered.effective_level,
        hp=max_hp,
        max_hp=max_hp,
        connected=True,
        joined_at=ctx.timestamp,
        updated_at=ctx.timestamp,
    )


def _pace(participant_id: str, entered: ChapterEntered) -> StoryPace:
    return StoryPace(
        participant_id=participant_id,
        level=entered.progression.level,
        chapter_index=entered.chapter.chapter_index,
        defeats=entered.chapter.actual_hostile_defeat_count,
        advice=entered.previous_advice,
    )


def _refuse(ctx: ReducerContext, code: str, text: str) -> None:
    """Leave no row behind and tell the user why."""
    session = session_of(ctx.db)
    for document in ctx.db[StoryWorldDocument]:
        ctx.db[StoryWorldDocument].delete(document.world_document_ref)
    ctx.db[StoryOpening].delete(session.story_session_id)
    ctx.db[StorySession].delete(session.story_session_id)
    ctx.send(
        USER.key(session.host_user_id),
        StoryRejected(session.story_session_id, code, text),
        idempotency_key=session.story_session_id,
    )


def _starting(ctx: ReducerContext, payload: StoryBegin) -> StorySession:
    return StorySession(
        story_session_id=payload.story_session_id,
        runtime_session_id=payload.runtime_session_id,
        host_user_id=payload.host_user_id,
        profile_id=payload.profile_id,
        published_version=0,
        document_hash="",
        world_name="",
        status=StoryStatus.STARTING,
        narrative_state=NarrativeState.IDLE,
        chapter_index=1,
        total_chapters=0,
        chapter_key="",
        current_scene_key="",
        turn=0,
        latest_narrative_text="",
        latest_function=None,
        flags=[],
        defeat_count=0,
        invite_code=None,
        player_count=1,
        version=1,
        created_at=ctx.timestamp,
        completed_at=None,
        updated_at=ctx.timestamp,
    )
