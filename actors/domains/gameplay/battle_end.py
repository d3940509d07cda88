"""Battle end: what an outcome does to the story, and what it pays (domain 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from actors import ReducerContext, replace
from actors.domains.domain_types import GrantSource, ItemGrant, LootEntry, ObjectiveKind
from actors.domains.gameplay.attacks import (
    attack_ref_of,
    attacked_npc,
    forget_attack,
    remove_npc,
)
from actors.domains.gameplay.battle_start import SPAR_MARK
from actors.domains.gameplay.choices import refresh_choices
from actors.domains.gameplay.combat import (
    BattleLoadout,
    BattleSecret,
    BattleState,
    loadouts_of,
)
from actors.domains.gameplay.encounters import mark_cleared
from actors.domains.gameplay.narration import Narrator, narrator_of
from actors.domains.gameplay.npc import find_npc
from actors.domains.gameplay.quest import Signal, is_chapter_done, signal
from actors.domains.gameplay.relations import change_affinity
from actors.domains.gameplay.rewards import bundle_of, request_settlement
from actors.domains.gameplay.scenes import enter
from actors.domains.gameplay.story import (
    StoryEventKind,
    StoryParticipant,
    StorySession,
    StoryStatus,
    host_of,
    participant_of,
    players_of,
    put_mark,
    session_of,
    tell,
    touch,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import USER
from actors.domains.messages import ReleaseLoadout
from actors.domains.rules import combat as rules
from actors.domains.rules.combat import (
    BattleMode,
    CombatantKind,
    CombatOutcome,
    coins_of,
    defeated_hostiles,
    defeats_of,
    roll_loot,
    spar_won,
)
from actors.domains.rules.ids import derived_id
from actors.domains.rules.items import COIN
from actors.domains.rules.progression import EncounterKind, hostile_xp, spar_xp
from actors.domains.rules.world import WorldDocument
from actors.rng import SplitMix64

__all__ = ["close_battle", "release"]

_WIN_AFFINITY = 3
_LOSS_AFFINITY = 1


def close_battle(ctx: ReducerContext, row: BattleState, battle: rules.Battle) -> None:
    """Take the session out of a battle that has just ended, in the same transaction."""
    session = session_of(ctx.db)
    world = world_of(ctx.db, session)
    # A main quest may have been turned in just before the battle began.
    is_done = is_chapter_done(ctx.db, session, world)
    status = StoryStatus.CHAPTER_BREAK if is_done else StoryStatus.ACTIVE
    session = replace(session, status=status, turn=session.turn + 1)
    # Before its first round a battle holds bare stats, which say nothing of the players.
    if battle.battle_mode is BattleMode.FIGHT and battle.round > 0:
        _write_back(ctx, battle)
    for loadout in loadouts_of(ctx.db, row.battle_state_id):
        release(ctx, row, loadout, _belt_after(battle, loadout.user_id))
    narrator = narrator_of(ctx.db, session, world)
    match battle.outcome:
        case CombatOutcome.VICTORY:
            session = _win(ctx, session, world, narrator, row, battle)
        case CombatOutcome.DEFEAT:
            session = _lose(ctx, session, world)
        case CombatOutcome.SPAR_COMPLETE:
            session = _finish_spar(ctx, session, world, narrator, battle)
        case CombatOutcome.ESCAPED:
            session = _tell(ctx, session, narrator, StoryEventKind.BATTLE_ESCAPED)
        case _:
            session = _tell(ctx, session, narrator, StoryEventKind.BATTLE_ABORTED)
    npc = attacked_npc(ctx.db, row)
    if npc is not None:
        forget_attack(ctx, row, npc)
    summary = session.latest_narrative_text[:400]
    ctx.db[BattleState].update(replace(row, summary_text=summary))
    session = touch(ctx, session)
    refresh_choices(ctx, session, world)


def release(
    ctx: ReducerContext, row: BattleState, loadout: BattleLoadout, left: Iterable[ItemGrant]
) -> None:
    """Tell a player's own actor which belt items were used; the others are free again."""
    kept = {grant.item_id: grant.quantity for grant in left}
    consumed = [
        ItemGrant(grant.item_id, used)
        for grant in loadout.belt
        if (used := grant.quantity - kept.get(grant.item_id, 0))
    ]
    ctx.send(
        USER.key(loadout.user_id),
        ReleaseLoadout(row.battle_state_id, row.runtime_session_id, consumed),
        idempotency_key=row.battle_state_id,
    )


def _belt_after(battle: rules.Battle, user_id: str) -> list[ItemGrant]:
    return next(each.belt for each in battle.combatants if each.user_id == user_id)


def _write_back(ctx: ReducerContext, battle: rules.Battle) -> None:
    """Keep what the battle left of its players.

    Who is down when the others win or flee gets up with the least that one can enter the next
    battle with (domain 4.2): a host at 0 could not lead the story on.
    """
    for combatant in battle.combatants:
        if combatant.user_id is None:
            continue
        player = participant_of(ctx.db, combatant.user_id)
        if player is not None:
            changed = replace(
                player,
                effective_level=combatant.level,
                hp=max(1, combatant.hp),
                max_hp=combatant.stats.max_hp,
            )
            _write_player(ctx, player, changed)


def _write_player(ctx: ReducerContext, before: StoryParticipant, after: StoryParticipant) -> None:
    if after != before:
        ctx.db[StoryParticipant].update(replace(after, updated_at=ctx.timestamp))


def _tell(
    ctx: ReducerContext,
    session: StorySession,
    narrator: Narrator,
    kind: StoryEventKind,
    **slots: str,
) -> StorySession:
    return tell(ctx, session, kind, narrator.text(kind.name.lower(), **slots))


def _win(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    narrator: Narrator,
    row: BattleState,
    battle: rules.Battle,
) -> StorySession:
    hostiles = defeated_hostiles(battle)
    source_ref = row.battle_state_id
    tables = {key: hostile.loot_table for key, hostile in world.hostiles.items()}
    encounters = world.chapter(session.chapter_index).encounters
    if row.encounter_key is not None:
        encounter = encounters[row.encounter_key]
        if encounter.kind is EncounterKind.FIXED:
            mark_cleared(ctx, session, row.encounter_key)
            source_ref = derived_id(
                session.runtime_session_id, "enc", session.chapter_index, row.encounter_key
            )
    npc = attacked_npc(ctx.db, row)
    if npc is not None:
        source_ref = attack_ref_of(session, npc)
        # An npc has no table of its own, even if a hostile has the same key.
        tables = {}
        remove_npc(ctx, session, npc)
    names = narrator.enumeration(each.display_name for each in hostiles)
    session = _tell(ctx, session, narrator, StoryEventKind.BATTLE_WON, hostile=names)
    for hostile in hostiles:
        signal(ctx, session, Signal(ObjectiveKind.DEFEAT_HOSTILE, hostile.entity_key))
    _pay(ctx, session, world, row, battle, tables, source_ref)
    return session


def _pay(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    row: BattleState,
    battle: rules.Battle,
    tables: Mapping[str, Sequence[LootEntry]],
    source_ref: str,
) -> None:
    """Owe every player who fought the full experience, the coins and loot of their own."""
    rng = SplitMix64(battle.rng_state)
    hostiles = defeated_hostiles(battle)
    fought = {each.user_id for each in battle.combatants if each.user_id is not None}
    paid: list[str] = []
    for player in players_of(ctx.db):
        if player.user_id not in fought:
            continue
        loot = roll_loot(rng, hostiles, tables)
        bundle = bundle_of(
            session,
            GrantSource.HOSTILE_DEFEAT,
            source_ref,
            hostile_defeats=defeats_of(hostiles),
            items=[*loot, ItemGrant(COIN, coins_of(hostiles))],
        )
        request_settlement(ctx, session, player, bundle, world, locked_by=row.battle_state_id)
        paid.append(player.user_id)
    secrets = ctx.db[BattleSecret]
    secret = secrets.get(row.battle_state_id)
    secrets.update(replace(secret, rng_state=rng.state, settled_user_ids=paid))


def _lose(ctx: ReducerContext, session: StorySession, world: WorldDocument) -> StorySession:
    """Everyone wakes up where the chapter began, with half their strength and nothing lost."""
    for player in players_of(ctx.db):
        _write_player(ctx, player, replace(player, hp=-(-player.max_hp // 2)))
    session = replace(session, defeat_count=session.defeat_count + 1)
    opening = world.chapter(session.chapter_index).opening_scene_key
    session = enter(ctx, session, world, opening)
    narrator = narrator_of(ctx.db, session, world)
    return _tell(ctx, session, narrator, StoryEventKind.BATTLE_LOST)


def _finish_spar(
    ctx: ReducerContext,
    session: StorySession,
    world: WorldDocument,
    narrator: Narrator,
    battle: rules.Battle,
) -> StorySession:
    partner = next(each for each in battle.combatants if each.kind is CombatantKind.SPAR_PARTNER)
    npc = find_npc(ctx.db, session, partner.entity_key)
    put_mark(ctx, session.turn, SPAR_MARK, session.chapter_index, npc.npc_key)
    session = _tell(ctx, session, narrator, StoryEventKind.BATTLE_SPAR, npc=npc.npc_name)
    if not spar_won(battle):
        change_affinity(ctx, session, world, npc, _LOSS_AFFINITY)
        return session
    npc = replace(npc, spar_wins=npc.spar_wins + 1)
    change_affinity(ctx, session, world, npc, _WIN_AFFINITY)
    signal(ctx, session, Signal(ObjectiveKind.WIN_SPAR, npc.npc_key))
    source_ref = derived_id(session.runtime_session_id, "spar", session.chapter_index, npc.npc_key)
    bundle = bundle_of(
        session,
        GrantSource.SPAR,
        source_ref,
        flat_xp=spar_xp(hostile_xp(partner.level, partner.rank)),
    )
    request_settlement(ctx, session, host_of(ctx.db), bundle, world)
    return session
