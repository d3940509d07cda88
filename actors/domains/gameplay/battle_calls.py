"""Battle calls: what clients may ask of battles (domain 4.6)."""

from __future__ import annotations

from actors import (
    ReducerContext,
    ReducerError,
    ViewContext,
    procedure,
    reducer,
    replace,
    struct,
    u32,
)
from actors.domains.domain_types import HostileGroup
from actors.domains.gameplay.battle_course import abort, advance, count_absence
from actors.domains.gameplay.battle_start import (
    check_ready,
    create_attack,
    create_fight,
    create_spar,
    find_encounter,
)
from actors.domains.gameplay.combat import (
    BattleEvent,
    BattleMeter,
    BattleSnapshot,
    BattleState,
    load_battle,
    snapshot_of,
)
from actors.domains.gameplay.lifecycle import LIVE_STATES
from actors.domains.gameplay.limits import BATTLE_ACTIONS_BURST, BATTLE_ACTIONS_PER_SECOND
from actors.domains.gameplay.play_time import count_play
from actors.domains.gameplay.story import (
    live_session,
    participant_of,
    require_host,
    session_of,
)
from actors.domains.gameplay.world import world_of
from actors.domains.kinds import STORY
from actors.domains.rules.combat import (
    ActionRequest,
    BattleMode,
    CombatAction,
    CombatOutcome,
    apply_action,
)
from actors.domains.rules.text import check_id, check_slug
from actors.module import DatabaseReader

__all__ = [
    "AbortBattle",
    "CombatResolution",
    "CreateBattleState",
    "GetBattleState",
    "ResolveCombatActionInput",
    "abort_battle",
    "create_battle_state",
    "get_battle_state",
    "resolve_combat_action",
]

_CREDIT_PER_ACTION = 1_000_000


@struct
class CreateBattleState:
    """Input of ``create_battle_state``: an encounter, an npc, or free hostiles.

    An npc is a partner in a spar and an enemy in a fight.
    """

    story_session_id: str
    battle_mode: BattleMode
    encounter_key: str | None
    npc_key: str | None
    hostiles: list[HostileGroup] | None
    request_id: str


@struct
class ResolveCombatActionInput:
    """What a user does with a combatant's turn; a single legal target may be left out."""

    battle_state_id: str
    expected_version: u32
    action: CombatAction
    skill_id: str | None
    item_id: str | None
    target_seq: u32 | None
    request_id: str


@struct
class AbortBattle:
    """Input of ``abort_battle``."""

    battle_state_id: str
    request_id: str


@struct
class GetBattleState:
    """Input of ``get_battle_state``."""

    battle_state_id: str


@struct
class CombatResolution:
    """A battle after an action, and everything that happened up to the next player's turn."""

    snapshot: BattleSnapshot
    events: list[BattleEvent]
    outcome: CombatOutcome


@reducer(actor=STORY)
def create_battle_state(ctx: ReducerContext, input: CreateBattleState) -> BattleSnapshot:
    """Begin a battle: an encounter of the scene, or with an npc who is there.

    Services may also name free hostiles. Raises ``story.not_found``, ``story.not_active_state``,
    what ``create_fight``, ``create_attack`` and ``create_spar`` raise,
    ``combat.encounter_not_found`` and ``combat.already_cleared``.
    """
    is_service = ctx.has_role("service")
    if input.hostiles is not None and not is_service:
        raise ReducerError("auth.forbidden", "hostiles are chosen by the world")
    if not is_service:
        require_host(ctx.db, ctx.user_id)
    session = live_session(ctx.db, *LIVE_STATES)
    check_ready(ctx.db, session)
    world = world_of(ctx.db, session)
    if input.battle_mode is BattleMode.SPAR:
        if input.npc_key is None:
            raise ReducerError("input.missing_field", "a spar needs an npc", field="npc_key")
        row = create_spar(ctx, session, world, check_slug(input.npc_key))
    elif input.hostiles is not None:
        row = create_fight(ctx, session, world, input.hostiles, None)
    elif input.encounter_key is not None:
        encounter = find_encounter(ctx.db, session, world, input.encounter_key)
        row = create_fight(ctx, session, world, encounter.groups, encounter.encounter_key)
    elif input.npc_key is not None:
        row = create_attack(ctx, session, world, check_slug(input.npc_key))
    else:
        raise ReducerError(
            "input.missing_field", "a fight needs an encounter", field="encounter_key"
        )
    count_play(ctx, session, ctx.user_id)
    return snapshot_of(ctx.db, row)


@reducer(actor=STORY)
def resolve_combat_action(ctx: ReducerContext, input: ResolveCombatActionInput) -> CombatResolution:
    """Play a turn: the user's action and all turns up to the next player's, or to the end.

    Raises the codes of domain 4.6 in the order of its table, and ``limit.rate_exceeded``.
    """
    row = _find_battle(ctx.db, input.battle_state_id, ctx.user_id)
    session = session_of(ctx.db)
    _spend_action(ctx, row)
    request = ActionRequest(
        user_id=ctx.user_id,
        action=input.action,
        expected_version=input.expected_version,
        skill_id=input.skill_id,
        item_id=input.item_id,
        target_seq=input.target_seq,
    )
    items = world_of(ctx.db, session).items
    battle, events = apply_action(load_battle(ctx.db, row), request, items)
    count_absence(ctx, row, ctx.user_id, is_absent=False)
    count_play(ctx, session, ctx.user_id)
    row, written = advance(ctx, row, battle, events)
    return CombatResolution(snapshot_of(ctx.db, row), written, row.outcome)


@reducer(actor=STORY)
def abort_battle(ctx: ReducerContext, input: AbortBattle) -> BattleSnapshot:
    """End the battle without rewards and penalties; only the host may.

    Raises ``combat.not_found``, ``auth.forbidden`` or ``combat.not_active_state``.
    """
    row = _find_battle(ctx.db, input.battle_state_id, ctx.user_id)
    session = require_host(ctx.db, ctx.user_id)
    row = abort(ctx, row)
    count_play(ctx, session, ctx.user_id)
    return snapshot_of(ctx.db, row)


@procedure(actor=STORY)
def get_battle_state(ctx: ViewContext, input: GetBattleState) -> BattleSnapshot:
    """A battle as it stands, for its session's participants.

    Raises ``combat.not_found``.
    """
    return snapshot_of(ctx.db, _find_battle(ctx.db, input.battle_state_id, ctx.user_id))


def _find_battle(db: DatabaseReader, battle_state_id: str, user_id: str) -> BattleState:
    row = db[BattleState].find(check_id(battle_state_id))
    if row is None or participant_of(db, user_id) is None:
        raise ReducerError("combat.not_found", "there is no such battle")
    return row


def _spend_action(ctx: ReducerContext, row: BattleState) -> None:
    """Take one action from the battle's credit, which fills up with time.

    Raises:
        ReducerError: ``limit.rate_exceeded``.
    """
    meters = ctx.db[BattleMeter]
    meter = meters.get(row.battle_state_id)
    # Microseconds times actions per second are millionths of an action.
    earned = (ctx.timestamp - meter.credited_at) * BATTLE_ACTIONS_PER_SECOND
    credit = min(meter.action_credit + earned, BATTLE_ACTIONS_BURST * _CREDIT_PER_ACTION)
    if credit < _CREDIT_PER_ACTION:
        raise ReducerError("limit.rate_exceeded", "too many actions in this battle")
    meters.update(
        replace(
            meter,
            action_credit=credit - _CREDIT_PER_ACTION,
            credited_at=ctx.timestamp,
        )
    )
