"""Npc calls: the host talks to npcs, asks for help and chooses company (domain 5.5)."""

from __future__ import annotations

from actors import ReducerContext, ReducerError, ViewContext, procedure, reducer, struct
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.npc import NpcState, find_npc
from actors.domains.gameplay.play_time import count_play
from actors.domains.gameplay.relations import dismiss, help_party, recruit, talk
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
    "ask_npc_help",
    "dismiss_npc",
    "get_npc_state",
    "recruit_npc",
    "talk_to_npc",
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


@reducer(actor=STORY)
def talk_to_npc(ctx: ReducerContext, input: NpcCall) -> NpcState:
    """Talk to an npc of the scene; raises ``npc.not_found`` or ``npc.not_in_scene_state``."""
    session, world = _led(ctx, input)
    npc, facts = talk(ctx, session, world, input.npc_key)
    narrator = narrator_of(ctx.db, session, world)
    text = narrator.text("talk", npc=npc.npc_name, fact=narrator.fact(facts))
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
