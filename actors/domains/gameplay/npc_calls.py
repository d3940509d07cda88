"""Npc calls: the host talks to npcs, asks for help and chooses company (domain 5.5)."""

from __future__ import annotations

from actors import (
    ReducerContext,
    ReducerError,
    ViewContext,
    i32,
    procedure,
    reducer,
    replace,
    struct,
    u32,
)
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.lifecycle import LIVE_STATES
from actors.domains.gameplay.limits import AFFINITY_MAX, AFFINITY_MIN, PARTY_COMPANIONS_MAX
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.npc import NpcState, companions_of, find_npc
from actors.domains.gameplay.play_time import count_play
from actors.domains.gameplay.relations import (
    change_affinity,
    dismiss,
    help_party,
    recruit,
    talk,
)
from actors.domains.gameplay.story import (
    StoryEventKind,
    StoryFunction,
    StorySession,
    live_session,
    participant_of,
    require_host,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.rules.text import check_slug
from actors.domains.rules.world import WorldDocument

__all__ = [
    "GetNpcState",
    "NpcCall",
    "UpsertNpcState",
    "ask_npc_help",
    "dismiss_npc",
    "get_npc_state",
    "recruit_npc",
    "talk_to_npc",
    "upsert_npc_state",
]


@struct
class NpcCall:
    """Input of everything that the host does with one npc."""

    story_session_id: str
    npc_key: str
    request_id: str


@struct
class GetNpcState:
    """Input of ``get_npc_state``."""

    story_session_id: str
    npc_key: str


@struct
class UpsertNpcState:
    """Input of ``upsert_npc_state``: what is given changes, the rest stays."""

    story_session_id: str
    npc_key: str
    scene_key: str | None
    affinity: i32 | None
    recruitable: bool | None
    recruited: bool | None
    expected_version: u32 | None
    request_id: str


@reducer(actor=STORY)
def talk_to_npc(ctx: ReducerContext, input: NpcCall) -> NpcState:
    """Talk to an npc of the scene; raises ``npc.not_found`` or ``npc.not_in_scene_state``."""
    session, world = _led(ctx, input)
    npc, facts = talk(ctx, session, world, input.npc_key)
    narrator = narrator_of(ctx.db, session, world)
    text = narrator.text("talk", npc=npc.npc_name, facts=narrator.facts(facts))
    _close(ctx, session, world, StoryEventKind.NPC_TALK, StoryFunction.TALK, text)
    return npc


@reducer(actor=STORY)
def ask_npc_help(ctx: ReducerContext, input: NpcCall) -> NpcState:
    """Let a friend tend to the party, once a chapter; raises ``npc.requirements_not_met``."""
    session, world = _led(ctx, input)
    npc = help_party(ctx, session, input.npc_key)
    text = narrator_of(ctx.db, session, world).text("help", npc=npc.npc_name)
    _close(ctx, session, world, StoryEventKind.NPC_TALK, StoryFunction.HELP, text)
    return npc


@reducer(actor=STORY)
def recruit_npc(ctx: ReducerContext, input: NpcCall) -> NpcState:
    """Let an npc join the party; raises what ``relations.recruit`` raises."""
    session, world = _led(ctx, input)
    npc = recruit(ctx, session, input.npc_key)
    text = narrator_of(ctx.db, session, world).text("recruit", npc=npc.npc_name)
    _close(ctx, session, world, StoryEventKind.RECRUIT, StoryFunction.RECRUIT, text)
    return npc


@reducer(actor=STORY)
def dismiss_npc(ctx: ReducerContext, input: NpcCall) -> NpcState:
    """Send a companion home; raises ``npc.requirements_not_met``."""
    session, world = _led(ctx, input)
    npc = dismiss(ctx, session, world, input.npc_key)
    text = narrator_of(ctx.db, session, world).text("dismiss", npc=npc.npc_name)
    _close(ctx, session, world, StoryEventKind.RECRUIT, StoryFunction.DISMISS, text)
    return npc


@reducer(actor=STORY, roles={"service"})
def upsert_npc_state(ctx: ReducerContext, input: UpsertNpcState) -> NpcState:
    """Change what a live session knows of one of its world's npcs.

    A new affinity has all the effects of one that was earned; whoever is recruited is where the
    party is. A patch that changes nothing writes nothing.

    Raises ``story.not_found``, ``story.not_active_state``, ``npc.not_found``,
    ``npc.stale_version``, ``npc.affinity_out_of_range``, ``npc.scene_not_found``,
    ``npc.party_full_state``.
    """
    session = live_session(ctx.db, *LIVE_STATES)
    world = world_of(ctx.db, session)
    before = find_npc(ctx.db, session, check_slug(input.npc_key))
    if input.expected_version not in {None, before.version}:
        raise ReducerError("npc.stale_version", "the npc has changed", current=before.version)
    after = _patched(ctx, session, world, before, input)
    affinity = before.affinity if input.affinity is None else input.affinity
    if after == before and affinity == before.affinity:
        return before
    after = change_affinity(ctx, session, world, after, affinity - before.affinity)
    refresh_choices(ctx, session, world)
    return after


@procedure(actor=STORY)
def get_npc_state(ctx: ViewContext, input: GetNpcState) -> NpcState:
    """An npc as the session knows it, for its participants; raises ``npc.not_found``."""
    session = session_of(ctx.db)
    if participant_of(ctx.db, ctx.user_id) is None:
        raise ReducerError("npc.not_found", "there is no such npc")
    return find_npc(ctx.db, session, check_slug(input.npc_key))


def _led(ctx: ReducerContext, input: NpcCall) -> tuple[StorySession, WorldDocument]:
    check_slug(input.npc_key)
    require_host(ctx.db, ctx.user_id)
    session = live_session(ctx.db)
    return session, world_of(ctx.db, session)


def _patched(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    row: NpcState,
    patch: UpsertNpcState,
) -> NpcState:
    """The npc as the patch has it, but for its affinity."""
    if patch.affinity is not None and not AFFINITY_MIN <= patch.affinity <= AFFINITY_MAX:
        raise ReducerError(
            "npc.affinity_out_of_range", f"affinity must be {AFFINITY_MIN} to {AFFINITY_MAX}"
        )
    if patch.scene_key is not None:
        if patch.scene_key not in world.landmarks:
            raise ReducerError("npc.scene_not_found", "the world has no such scene")
        row = replace(row, scene_key=patch.scene_key)
    if patch.recruitable is not None:
        row = replace(row, recruitable=patch.recruitable)
    if patch.recruited and not row.recruited and len(companions_of(ctx.db)) >= PARTY_COMPANIONS_MAX:
        raise ReducerError("npc.party_full_state", "the party is full")
    if patch.recruited is not None:
        row = replace(row, recruited=patch.recruited)
    return replace(row, scene_key=session.current_scene_key) if row.recruited else row


def _close(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    kind: StoryEventKind,
    function: StoryFunction,
    text: str,
) -> None:
    session = tell(ctx, session, kind, text, function, actor_user_id=ctx.user_id)
    session = touch(ctx, session)
    refresh_choices(ctx, session, world)
    count_play(ctx, session, ctx.user_id)
