"""Battles: their rows, and the way between rows and the rules' battle (domain 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

from actors import ReducerContext, Timestamp, replace, struct, table, u32, u64
from actors.domains.domain_types import (
    CombatStats,
    HostileRank,
    ItemGrant,
    LevelSource,
    SkillCooldown,
    SkillDef,
    StatusInstance,
)
from actors.domains.gameplay.limits import BATTLE_EVENTS_MAX, BATTLES_ENDED_MAX
from actors.domains.kinds import STORY
from actors.domains.rules import combat as rules
from actors.domains.rules.combat import (
    BattleEventKind,
    BattleMode,
    BattleSide,
    BattleStatus,
    CombatantKind,
    CombatOutcome,
)
from actors.domains.rules.ids import derived_id
from actors.module import DatabaseReader

__all__ = [
    "BattleCombatant",
    "BattleEvent",
    "BattleLoadout",
    "BattleMeter",
    "BattleSecret",
    "BattleSnapshot",
    "BattleState",
    "insert_battle",
    "load_battle",
    "loadouts_of",
    "running_battle",
    "snapshot_of",
    "write_battle",
]


@table(
    public=True,
    primary_key="battle_state_id",
    index=["story_session_id", "status"],
    actor=STORY,
)
class BattleState:
    """A battle of the session, from its preparation to its outcome."""

    battle_state_id: str
    story_session_id: str
    runtime_session_id: str
    chapter_id: str | None
    encounter_key: str | None
    battle_mode: BattleMode
    status: BattleStatus
    outcome: CombatOutcome
    round: u32
    turn_index: u32
    active_seq: u32
    turn_order: list[u32]
    escape_attempts: u32
    escape_blocked: bool
    turn_deadline: Timestamp | None
    version: u32
    summary_text: str
    created_at: Timestamp
    ended_at: Timestamp | None
    updated_at: Timestamp


@table(public=True, primary_key="combatant_id", index=["battle_state_id"], actor=STORY)
class BattleCombatant:
    """One fighter; ``level`` and ``rank`` are what clients show as its badge."""

    combatant_id: str
    battle_state_id: str
    seq: u32
    side: BattleSide
    kind: CombatantKind
    user_id: str | None
    entity_key: str
    display_name: str
    rank: HostileRank
    level: u32
    level_source: LevelSource
    hp: u32
    mana: u32
    shield: u32
    stats: CombatStats
    skills: list[SkillDef]
    cooldowns: list[SkillCooldown]
    statuses: list[StatusInstance]
    belt: list[ItemGrant]
    alive: bool
    updated_at: Timestamp


@table(public=True, primary_key="battle_event_id", index=["battle_state_id"], actor=STORY)
class BattleEvent:
    """One thing that happened in a battle; only the newest ones are kept."""

    battle_event_id: str
    battle_state_id: str
    seq: u32
    round: u32
    kind: BattleEventKind
    actor_seq: u32
    target_seq: u32
    amount: u32
    detail_key: str
    created_at: Timestamp


@table(primary_key="battle_state_id", actor=STORY)
class BattleSecret:
    """What no client may see: the stream of the battle, and who was owed its reward."""

    battle_state_id: str
    rng_state: u64
    settled_user_ids: list[str]


@table(primary_key="battle_state_id", actor=STORY)
class BattleMeter:
    """How many events there were, and how many actions may come at once (domain 4.7)."""

    battle_state_id: str
    last_event_seq: u32
    action_credit: u64
    credited_at: Timestamp


@table(primary_key="loadout_id", index=["battle_state_id"], actor=STORY)
class BattleLoadout:
    """What a player brought into a battle, and how often in a row its turn was missed."""

    loadout_id: str
    battle_state_id: str
    user_id: str
    has_arrived: bool
    belt: list[ItemGrant]
    absent_turns: u32


@struct
class BattleSnapshot:
    """A battle and its combatants, by seq."""

    battle: BattleState
    combatants: list[BattleCombatant]


def insert_battle(
    ctx: ReducerContext, row: BattleState, battle: rules.Battle, meter: BattleMeter
) -> None:
    """Write a battle that is being prepared; the oldest one may go for it."""
    _forget_oldest(ctx)
    ctx.db[BattleState].insert(row)
    ctx.db[BattleMeter].insert(meter)
    ctx.db[BattleSecret].insert(BattleSecret(row.battle_state_id, battle.rng_state, []))
    for combatant in battle.combatants:
        ctx.db[BattleCombatant].insert(_combatant_row(ctx, row.battle_state_id, combatant))


def running_battle(db: DatabaseReader) -> BattleState | None:
    """The battle that is preparing or active; there is at most one."""
    for status in (BattleStatus.ACTIVE, BattleStatus.PREPARING):
        row = db[BattleState].first(status=status)
        if row is not None:
            return row
    return None


def loadouts_of(db: DatabaseReader, battle_state_id: str) -> list[BattleLoadout]:
    """What the players of a battle brought, by user id."""
    return db[BattleLoadout].filter(battle_state_id=battle_state_id)


def load_battle(db: DatabaseReader, row: BattleState) -> rules.Battle:
    """The rules' battle of a row and its combatants."""
    battle_state_id = row.battle_state_id
    return rules.Battle(
        battle_mode=row.battle_mode,
        status=row.status,
        outcome=row.outcome,
        round=row.round,
        turn_index=row.turn_index,
        active_seq=row.active_seq,
        turn_order=row.turn_order,
        escape_attempts=row.escape_attempts,
        escape_blocked=row.escape_blocked,
        version=row.version,
        rng_state=db[BattleSecret].get(battle_state_id).rng_state,
        last_event_seq=db[BattleMeter].get(battle_state_id).last_event_seq,
        combatants=[_combatant(each) for each in _combatant_rows(db, battle_state_id)],
    )


def write_battle(
    ctx: ReducerContext,
    row: BattleState,
    battle: rules.Battle,
    events: Sequence[rules.BattleEvent],
) -> tuple[BattleState, list[BattleEvent]]:
    """Write what the rules made of a battle: changed combatants only, and the newest events.

    Returns:
        The battle's row and the rows of all the events given, kept or not.
    """
    battle_state_id = row.battle_state_id
    row = replace(
        row,
        status=battle.status,
        outcome=battle.outcome,
        round=battle.round,
        turn_index=battle.turn_index,
        active_seq=battle.active_seq,
        turn_order=battle.turn_order,
        escape_attempts=battle.escape_attempts,
        version=battle.version,
        ended_at=ctx.timestamp if battle.status is BattleStatus.ENDED else None,
        updated_at=ctx.timestamp,
    )
    ctx.db[BattleState].update(row)
    secrets, meters = ctx.db[BattleSecret], ctx.db[BattleMeter]
    secret, meter = secrets.get(battle_state_id), meters.get(battle_state_id)
    secrets.update(replace(secret, rng_state=battle.rng_state))
    meters.update(replace(meter, last_event_seq=battle.last_event_seq))
    combatants = ctx.db[BattleCombatant]
    before = _combatant_rows(ctx.db, battle_state_id)
    for old, new in zip(before, battle.combatants, strict=True):
        if _combatant(old) != new:
            combatants.update(_combatant_row(ctx, battle_state_id, new))
    written = [_event_row(ctx, battle_state_id, event) for event in events]
    for event in written:
        ctx.db[BattleEvent].insert(event)
    _drop_old_events(ctx, battle_state_id, battle.last_event_seq, len(events))
    return row, written


def snapshot_of(db: DatabaseReader, row: BattleState) -> BattleSnapshot:
    """A battle as clients see it."""
    return BattleSnapshot(row, _combatant_rows(db, row.battle_state_id))


def _forget_oldest(ctx: ReducerContext) -> None:
    battles = ctx.db[BattleState]
    ended = battles.filter(status=BattleStatus.ENDED)
    if len(ended) < BATTLES_ENDED_MAX:
        return
    oldest = min(ended, key=lambda row: (row.created_at, row.battle_state_id)).battle_state_id
    for combatant in _combatant_rows(ctx.db, oldest):
        ctx.db[BattleCombatant].delete(combatant.combatant_id)
    for event in ctx.db[BattleEvent].filter(battle_state_id=oldest):
        ctx.db[BattleEvent].delete(event.battle_event_id)
    for loadout in loadouts_of(ctx.db, oldest):
        ctx.db[BattleLoadout].delete(loadout.loadout_id)
    ctx.db[BattleSecret].delete(oldest)
    ctx.db[BattleMeter].delete(oldest)
    battles.delete(oldest)


def _combatant_rows(db: DatabaseReader, battle_state_id: str) -> list[BattleCombatant]:
    rows = db[BattleCombatant].filter(battle_state_id=battle_state_id)
    return sorted(rows, key=lambda row: row.seq)


def _combatant(row: BattleCombatant) -> rules.Combatant:
    return rules.Combatant(
        seq=row.seq,
        side=row.side,
        kind=row.kind,
        user_id=row.user_id,
        entity_key=row.entity_key,
        display_name=row.display_name,
        rank=row.rank,
        level=row.level,
        level_source=row.level_source,
        hp=row.hp,
        mana=row.mana,
        shield=row.shield,
        stats=row.stats,
        skills=row.skills,
        cooldowns=row.cooldowns,
        statuses=row.statuses,
        belt=row.belt,
        alive=row.alive,
    )


def _combatant_row(
    ctx: ReducerContext, battle_state_id: str, combatant: rules.Combatant
) -> BattleCombatant:
    return BattleCombatant(
        combatant_id=derived_id(battle_state_id, combatant.seq),
        battle_state_id=battle_state_id,
        seq=combatant.seq,
        side=combatant.side,
        kind=combatant.kind,
        user_id=combatant.user_id,
        entity_key=combatant.entity_key,
        display_name=combatant.display_name,
        rank=combatant.rank,
        level=combatant.level,
        level_source=combatant.level_source,
        hp=combatant.hp,
        mana=combatant.mana,
        shield=combatant.shield,
        stats=combatant.stats,
        skills=combatant.skills,
        cooldowns=combatant.cooldowns,
        statuses=combatant.statuses,
        belt=combatant.belt,
        alive=combatant.alive,
        updated_at=ctx.timestamp,
    )


def _event_row(ctx: ReducerContext, battle_state_id: str, event: rules.BattleEvent) -> BattleEvent:
    return BattleEvent(
        battle_event_id=derived_id(battle_state_id, "e", event.seq),
        battle_state_id=battle_state_id,
        seq=event.seq,
        round=event.round,
        kind=event.kind,
        actor_seq=event.actor_seq,
        target_seq=event.target_seq,
        amount=event.amount,
        detail_key=event.detail_key,
        created_at=ctx.timestamp,
    )


def _drop_old_events(ctx: ReducerContext, battle_state_id: str, last_seq: int, added: int) -> None:
    """Delete the events that the added ones pushed out of the newest ones."""
    newest_dropped = last_seq - BATTLE_EVENTS_MAX
    for seq in range(max(1, newest_dropped - added + 1), newest_dropped + 1):
        ctx.db[BattleEvent].delete(derived_id(battle_state_id, "e", seq))
