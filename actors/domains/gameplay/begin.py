"""Story begin: from the user's wish to an active session, or back with a refusal (domain 12.6)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, message, replace
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
from actors.domains.gameplay.opening import (
    StoryOpening,
    ask_for_world,
    pace_at_entry,
    refuse,
)
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
    is_test_play,
    participant_of,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.story_language import choose_locale
from actors.domains.gameplay.story_restore import announce_import, reopen
from actors.domains.gameplay.treasure import create_treasures
from actors.domains.gameplay.world import keep_world, world_of
from actors.domains.kinds import CATALOG, STORY
from actors.domains.messages import (
    ChapterEntered,
    ChapterExited,
    ProfileFound,
    ProfileMissing,
    RecordPlay,
    StoryBegin,
)
from actors.domains.rules.combat import player_stats
from actors.domains.rules.compile.gates import EnterFacts, enter_gate, failed_checks
from actors.domains.rules.ids import chapter_id, derived_id
from actors.domains.rules.world import WorldDocument
from actors.domains.runtime.directory_entry import DirectoryState

__all__ = [
    "chapter_entered",
    "chapter_exited",
    "profile_found",
    "profile_missing",
    "story_begin",
]


@message(STORY)
def story_begin(ctx: ReducerContext, payload: StoryBegin) -> None:
    """Remember who wants to play what, and ask the catalog for the world."""
    if find_session(ctx.db) is not None:
        return
    session = ctx.db[StorySession].insert(_starting(ctx, payload))
    choose_locale(ctx, payload.story_session_id, payload.locale)
    ctx.db[StoryOpening].insert(
        StoryOpening(
            story_session_id=payload.story_session_id,
            host_display_name=payload.host_display_name,
            role_key=payload.role_key,
            state_json=None,
            is_strict=payload.is_strict,
        )
    )
    ask_for_world(ctx, session, None, payload.draft)


@message(STORY)
def profile_missing(ctx: ReducerContext, payload: ProfileMissing) -> None:
    """There is no such world: the session never was."""
    if ctx.db[StoryOpening].find(payload.request_id) is not None:
        refuse(ctx, session_of(ctx.db), payload.code, payload.message)


@message(STORY)
def profile_found(ctx: ReducerContext, payload: ProfileFound) -> None:
    """Check the enter-world gate (domain 6.7), pin the world and enter its first chapter.

    A restored session waits here until no other one of its lineage is played.
    """
    opening = ctx.db[StoryOpening].find(payload.request_id)
    if opening is None or ctx.db[StorySecret].find(payload.request_id) is not None:
        return
    session = session_of(ctx.db)
    try:
        world = keep_world(
            ctx, payload.published_profile_id, payload.owner_user_id, payload.document_json
        )
    except ReducerError:
        # What the reader refuses has no opening scene or no first chapter to rely on.
        refuse(ctx, session, "world.gate_blocked", "EW05: the world's document cannot be played")
        return
    if opening.role_key not in world.roles:
        refuse(ctx, session, "story.role_not_found", "the world has no such role")
        return
    failed = failed_checks(enter_gate(_enter_facts(payload, opening, world)))
    if failed:
        refuse(ctx, session, "world.gate_blocked", f"{failed[0].check_code}: {failed[0].message}")
        return
    if opening.state_json is not None and payload.document_hash != session.document_hash:
        refuse(ctx, session, "archive.corrupt_state", "the archive is of another document")
        return
    ctx.db[StorySecret].insert(
        StorySecret(
            story_session_id=session.story_session_id,
            loot_seed=ctx.rng.next_u64(),
            stock_seed=ctx.rng.next_u64(),
            world_document_ref=payload.published_profile_id,
        )
    )
    if opening.state_json is not None:
        announce_import(ctx, session)
        return
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
        if opening.state_json is None:
            _open(ctx, session, world, opening, payload)
        else:
            reopen(ctx, session, world, opening.state_json, payload)
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
    ctx.db[StoryPace].upsert(pace_at_entry(player.participant_id, payload))
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


def _enter_facts(payload: ProfileFound, opening: StoryOpening, world: WorldDocument) -> EnterFacts:
    """What the catalog's answer says: it holds back what is not live, and a reader what is broken.

    Who goes on in a session has passed the content filter when it began.
    """
    return EnterFacts(
        is_live=payload.version > 0,
        is_own_draft=payload.version == 0,
        is_pinned=opening.state_json is not None,
        schema_version=payload.schema_version,
        role_keys=world.roles,
        role_key=opening.role_key,
        has_opening_scene=True,
        has_first_plan=bool(world.chapters),
        content_rating=world.meta.content_rating,
        is_strict=opening.is_strict,
    )


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
    ctx.db[StoryPace].insert(pace_at_entry(host.participant_id, entered))
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
    if not is_test_play(session):
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
