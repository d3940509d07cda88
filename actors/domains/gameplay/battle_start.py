"""Battle start: combatants are put together, players say what they bring (domain 4.5, 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

from actors import ReducerContext, ReducerError, replace
from actors.domains.domain_types import HostileGroup
from actors.domains.gameplay.attacks import ATTACK_AFFINITY, check_attackable, mark_attack
from actors.domains.gameplay.battle_timers import set_loadout_timer
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.combat import (
    BattleLoadout,
    BattleMeter,
    BattleState,
    insert_battle,
    running_battle,
)
from actors.domains.gameplay.encounters import is_cleared
from actors.domains.gameplay.limits import BATTLE_ACTIONS_BURST
from actors.domains.gameplay.narration import narrator_of
from actors.domains.gameplay.npc import companions_of
from actors.domains.gameplay.relations import change_affinity, check_willing, find_npc_here
from actors.domains.gameplay.story import (
    StoryEventKind,
    StoryFunction,
    StoryParticipant,
    StorySession,
    StoryStatus,
    has_mark,
    host_of,
    pace_of,
    players_of,
    tell,
    touch,
)
from actors.domains.gameplay.world import encounters_here
from actors.domains.kinds import USER
from actors.domains.messages import RequestLoadout
from actors.domains.rules.combat import (
    Battle,
    BattleMode,
    Combatant,
    CombatantKind,
    companion_combatant,
    hostile_combatant,
    player_combatant,
    prepare_battle,
)
from actors.domains.rules.ids import chapter_id, derived_id, local_id
from actors.domains.rules.limits import BATTLE_HOSTILES_MAX
from actors.domains.rules.progression import Encounter, advice_shift, hostile_profile
from actors.domains.rules.world import WorldDocument
from actors.module import DatabaseReader

__all__ = [
    "SPAR_MARK",
    "check_ready",
    "create_attack",
    "create_fight",
    "create_spar",
    "find_encounter",
]

SPAR_MARK = "spar"
"""Mark of a spar that was fought to its end, by chapter and npc."""


def find_encounter(
    db: DatabaseReader, session: StorySession, world: WorldDocument, encounter_key: str
) -> Encounter:
    """An encounter that can be fought where the party stands.

    Raises:
        ReducerError: ``combat.encounter_not_found`` or ``combat.already_cleared``.
    """
    for encounter in encounters_here(world, session):
        if encounter.encounter_key == encounter_key:
            if is_cleared(db, session, encounter):
                raise ReducerError("combat.already_cleared", "the encounter was won before")
            return encounter
    raise ReducerError("combat.encounter_not_found", "there is no such encounter in this scene")


def check_ready(db: DatabaseReader, session: StorySession) -> None:
    """Let a battle begin only where none is under way and the host can stand.

    Raises:
        ReducerError: ``combat.already_active``, ``story.not_active_state`` or
            ``combat.requirements_not_met``.
    """
    if running_battle(db) is not None:
        raise ReducerError("combat.already_active", "a battle is under way")
    if session.status is not StoryStatus.ACTIVE:
        state = session.status.name.lower()
        raise ReducerError("story.not_active_state", f"the story is {state}", status=state)
    if host_of(db).hp == 0:
        raise ReducerError("combat.requirements_not_met", "the host is down and must rest first")


def create_fight(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    groups: Sequence[HostileGroup],
    encounter_key: str | None,
    choice_id: str | None = None,
) -> BattleState:
    """Begin a fight of the whole party.

    Args:
        ctx: of the call that begins it.
        session: of the party.
        world: of the session.
        groups: whom it is against, in order.
        encounter_key: the encounter that is fought; None for a free one.
        choice_id: the choice that led here.

    Raises:
        ReducerError: ``combat.already_active``, ``story.not_active_state``,
            ``combat.hostile_not_found`` or ``combat.too_many_hostiles``.
    """
    check_ready(ctx.db, session)
    if sum(group.count for group in groups) > BATTLE_HOSTILES_MAX:
        raise ReducerError(
            "combat.too_many_hostiles", f"a battle has 1 to {BATTLE_HOSTILES_MAX} hostiles"
        )
    hostiles = [
        _hostile(ctx.db, session, world, group) for group in groups for _ in range(group.count)
    ]
    return _fight(ctx, session, world, hostiles, encounter_key, choice_id)


def create_attack(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, npc_key: str
) -> BattleState:
    """Turn the whole party against an npc, who fights as a hostile of its stored level.

    Raises:
        ReducerError: as ``create_fight``, ``find_npc_here`` and ``check_attackable``.
    """
    check_ready(ctx.db, session)
    npc = find_npc_here(ctx.db, session, npc_key)
    check_attackable(ctx.db, session, world, npc)
    npc = change_affinity(ctx, session, world, replace(npc, recruited=False), ATTACK_AFFINITY)
    hostile = hostile_combatant(npc.level_profile, npc.npc_name)
    row = _fight(ctx, session, world, [hostile], None, None)
    mark_attack(ctx, session, row, npc)
    return row


def create_spar(
    ctx: ReducerContext, session: StorySession, world: WorldDocument, npc_key: str
) -> BattleState:
    """Begin a friendly fight of the host against an npc.

    Raises:
        ReducerError: as ``create_fight``, ``find_npc_here`` and ``check_willing``, or
            ``npc.requirements_not_met``: they sparred in this chapter before.
    """
    check_ready(ctx.db, session)
    npc = find_npc_here(ctx.db, session, npc_key)
    check_willing(npc)
    if has_mark(ctx.db, SPAR_MARK, session.chapter_index, npc_key):
        raise ReducerError("npc.requirements_not_met", "one spar a chapter is enough")
    partner = hostile_combatant(npc.level_profile, npc.npc_name, kind=CombatantKind.SPAR_PARTNER)
    host = host_of(ctx.db)
    seed = ctx.rng.next_u64()
    battle = prepare_battle(BattleMode.SPAR, [_player(world, host)], [partner], seed)
    text = narrator_of(ctx.db, session, world).text("spar", npc=npc.npc_name)
    session = tell(
        ctx,
        session,
        StoryEventKind.BATTLE_STARTED,
        text,
        StoryFunction.SPAR,
        actor_user_id=session.host_user_id,
    )
    return _insert(ctx, session, world, battle, None, npc.npc_name)


def _fight(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    hostiles: Sequence[Combatant],
    encounter_key: str | None,
    choice_id: str | None,
) -> BattleState:
    host = host_of(ctx.db)
    allies = [_player(world, player) for player in players_of(ctx.db)]
    allies += [
        companion_combatant(npc.npc_key, npc.npc_name, host.effective_level)
        for npc in companions_of(ctx.db)
    ]
    battle = prepare_battle(BattleMode.FIGHT, allies, hostiles, ctx.rng.next_u64())
    narrator = narrator_of(ctx.db, session, world)
    names = narrator.enumeration(each.display_name for each in hostiles)
    text = narrator.text("fight", hostile=names)
    session = tell(
        ctx,
        session,
        StoryEventKind.BATTLE_STARTED,
        text,
        StoryFunction.FIGHT,
        actor_user_id=session.host_user_id,
        choice_id=choice_id,
    )
    return _insert(ctx, session, world, battle, encounter_key, names)


def _player(world: WorldDocument, player: StoryParticipant) -> Combatant:
    return player_combatant(
        player.user_id,
        player.role_key,
        player.display_name,
        player.effective_level,
        player.hp,
        world.roles[player.role_key].skills,
    )


def _hostile(
    db: DatabaseReader, session: StorySession, world: WorldDocument, group: HostileGroup
) -> Combatant:
    hostile = world.hostiles.get(group.hostile_key)
    if hostile is None:
        raise ReducerError("combat.hostile_not_found", "the world has no such hostile")
    pace = pace_of(db, host_of(db))
    profile = hostile_profile(
        hostile.key,
        group.rank,
        pace.level,
        plan=world.chapter(session.chapter_index).plan,
        defeats=pace.defeats,
        shift_millis=advice_shift(pace.advice),
        level_hint=hostile.level_hint,
    )
    return hostile_combatant(profile, hostile.name, hostile.skills)


def _insert(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    battle: Battle,
    encounter_key: str | None,
    opponents: str,
) -> BattleState:
    battle_state_id = local_id(session.story_session_id, ctx.new_id("bt_"))
    chapter = chapter_id(session.profile_id, session.chapter_index)
    row = BattleState(
        battle_state_id=battle_state_id,
        story_session_id=session.story_session_id,
        runtime_session_id=session.runtime_session_id,
        chapter_id=chapter,
        encounter_key=encounter_key,
        battle_mode=battle.battle_mode,
        status=battle.status,
        outcome=battle.outcome,
        round=battle.round,
        turn_index=battle.turn_index,
        active_seq=battle.active_seq,
        turn_order=battle.turn_order,
        escape_attempts=battle.escape_attempts,
        escape_blocked=battle.escape_blocked,
        turn_deadline=None,
        version=battle.version,
        summary_text=opponents,
        created_at=ctx.timestamp,
        ended_at=None,
        updated_at=ctx.timestamp,
    )
    credit = BATTLE_ACTIONS_BURST * 1_000_000
    meter = BattleMeter(battle_state_id, battle.last_event_seq, credit, ctx.timestamp)
    insert_battle(ctx, row, battle, meter)
    for combatant in battle.combatants:
        if combatant.user_id is not None:
            _ask(ctx, row, combatant.user_id)
    set_loadout_timer(ctx, battle_state_id)
    session = touch(ctx, replace(session, status=StoryStatus.IN_BATTLE))
    refresh_choices(ctx, session, world)
    return row


def _ask(ctx: ReducerContext, row: BattleState, user_id: str) -> None:
    ctx.db[BattleLoadout].insert(
        BattleLoadout(
            loadout_id=derived_id(row.battle_state_id, user_id),
            battle_state_id=row.battle_state_id,
            user_id=user_id,
            has_arrived=False,
            belt=[],
            absent_turns=0,
        )
    )
    ctx.send(
        USER.key(user_id),
        RequestLoadout(row.battle_state_id, row.runtime_session_id, row.chapter_id),
        idempotency_key=row.battle_state_id,
    )
