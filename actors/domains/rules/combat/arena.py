"""The working copy of a battle while one call is resolved.

Rows are immutable; a call changes fighters many times. An ``Arena`` is made from a ``Battle``, is
changed in place by one thread, and freezes into the next ``Battle``. It never outlives the call.
"""

from __future__ import annotations

from actors.domains.domain_types import SkillCooldown, SkillDef, StatusInstance, StatusKind
from actors.domains.rules.combat.state import (
    Battle,
    BattleEvent,
    BattleEventKind,
    BattleMode,
    BattleSide,
    BattleStatus,
    Combatant,
    CombatantKind,
    CombatOutcome,
)
from actors.module.types import replace
from actors.rng import SplitMix64

__all__ = ["Arena", "Fighter", "spar_limit"]


def spar_limit(max_hp: int) -> int:
    """The hp at which a spar is over for a fighter (domain 4.5)."""
    return -(-max_hp * 200 // 1000)


class Fighter:
    """A combatant in the arena. Effective stats follow its lasting effects (domain 4.3)."""

    __slots__ = (
        "alive",
        "belt",
        "cooldowns",
        "hp",
        "mana",
        "row",
        "seq",
        "shield",
        "stats",
        "statuses",
    )

    def __init__(self, row: Combatant) -> None:
        self.row = row
        self.seq = row.seq
        self.stats = row.stats
        self.hp = row.hp
        self.mana = row.mana
        self.shield = row.shield
        self.cooldowns = {cooldown.skill_id: cooldown.turns_left for cooldown in row.cooldowns}
        self.statuses = {status.kind: status for status in row.statuses}
        self.belt = list(row.belt)
        self.alive = row.alive

    @property
    def attack(self) -> int:
        """Attack after weaken."""
        return self._effective(self.stats.attack, -self._potency(StatusKind.WEAKEN))

    @property
    def defense(self) -> int:
        """Defense after fortify."""
        return self._effective(self.stats.defense, self._potency(StatusKind.FORTIFY))

    @property
    def speed(self) -> int:
        """Speed after haste and slow."""
        change = self._potency(StatusKind.HASTE) - self._potency(StatusKind.SLOW)
        return self._effective(self.stats.speed, change)

    @property
    def pays_mana(self) -> bool:
        """Hostiles and companions pay with cooldowns only (domain 4.4)."""
        return self.row.kind is CombatantKind.PLAYER

    def is_ready(self, skill: SkillDef) -> bool:
        """Whether a skill is off cooldown and affordable."""
        return skill.skill_id not in self.cooldowns and (
            not self.pays_mana or self.mana >= skill.mana_cost
        )

    def freeze(self) -> Combatant:
        """The combatant as it stands now."""
        return replace(
            self.row,
            hp=self.hp,
            mana=self.mana,
            shield=self.shield,
            cooldowns=[SkillCooldown(skill, turns) for skill, turns in self.cooldowns.items()],
            statuses=list(self.statuses.values()),
            belt=self.belt,
            alive=self.alive,
        )

    def set_status(self, status: StatusInstance) -> None:
        """Put a lasting effect on, in place of one of the same kind."""
        self.statuses[status.kind] = status

    def _potency(self, kind: StatusKind) -> int:
        status = self.statuses.get(kind)
        return 0 if status is None else status.potency

    @staticmethod
    def _effective(base: int, change_permille: int) -> int:
        return base * (1000 + min(max(change_permille, -600), 600)) // 1000


class Arena:
    """A battle being resolved: fighters by seq, the stream, and the events of this call."""

    __slots__ = (
        "active_seq",
        "battle",
        "escape_attempts",
        "events",
        "fighters",
        "outcome",
        "rng",
        "round",
        "turn_index",
        "turn_order",
    )

    def __init__(self, battle: Battle) -> None:
        self.battle = battle
        self.fighters = {row.seq: Fighter(row) for row in battle.combatants}
        self.rng = SplitMix64(battle.rng_state)
        self.events: list[BattleEvent] = []
        self.outcome = battle.outcome
        self.round = battle.round
        self.turn_index = battle.turn_index
        self.turn_order = battle.turn_order
        self.active_seq = battle.active_seq
        self.escape_attempts = battle.escape_attempts

    @property
    def is_spar(self) -> bool:
        """Whether nobody can die here."""
        return self.battle.battle_mode is BattleMode.SPAR

    @property
    def has_ended(self) -> bool:
        """Whether an outcome is decided."""
        return self.outcome is not CombatOutcome.ONGOING

    def opponents(self, fighter: Fighter) -> list[Fighter]:
        """Living fighters of the other side, by seq."""
        side = fighter.row.side
        return [one for one in self.fighters.values() if one.alive and one.row.side is not side]

    def friends(self, fighter: Fighter) -> list[Fighter]:
        """Living fighters of the own side and the fighter itself, by seq."""
        side = fighter.row.side
        return [one for one in self.fighters.values() if one.alive and one.row.side is side]

    def emit(
        self, kind: BattleEventKind, actor_seq: int, target_seq: int, amount: int, detail_key: str
    ) -> None:
        """Add an event with the battle's next number."""
        seq = self.battle.last_event_seq + len(self.events) + 1
        self.events.append(
            BattleEvent(seq, self.round, kind, actor_seq, target_seq, amount, detail_key)
        )

    def lose_hp(self, target: Fighter, points: int, actor_seq: int, cause: str) -> None:
        """Take hp away; at none a fighter is down, but a spar leaves everyone standing."""
        target.hp = max(1 if self.is_spar else 0, target.hp - points)
        if target.hp == 0:
            target.alive = False
            self.emit(BattleEventKind.DEFEATED, actor_seq, target.seq, 0, cause)

    def gain_hp(self, target: Fighter, points: int, actor_seq: int, cause: str) -> None:
        """Give hp up to the maximum; the event counts what was really gained."""
        gained = min(points, target.stats.max_hp - target.hp)
        if gained > 0:
            target.hp += gained
            self.emit(BattleEventKind.HEAL, actor_seq, target.seq, gained, cause)

    def decide(self) -> None:
        """Set the outcome if hit points decide it (domain 4.5)."""
        if self.has_ended:
            return
        fighters = self.fighters.values()
        if self.is_spar:
            if any(
                one.hp <= spar_limit(one.stats.max_hp)
                for one in fighters
                if one.row.kind in {CombatantKind.PLAYER, CombatantKind.SPAR_PARTNER}
            ):
                self.outcome = CombatOutcome.SPAR_COMPLETE
        elif not any(one.alive for one in fighters if one.row.side is BattleSide.HOSTILE):
            self.outcome = CombatOutcome.VICTORY
        elif not any(one.alive for one in fighters if one.row.kind is CombatantKind.PLAYER):
            self.outcome = CombatOutcome.DEFEAT

    def freeze(self) -> tuple[Battle, list[BattleEvent]]:
        """The battle after this call, one version later, and the call's events."""
        if self.has_ended:
            self.active_seq = 0
            self.emit(BattleEventKind.ENDED, 0, 0, 0, self.outcome.name.lower())
        after = replace(
            self.battle,
            status=BattleStatus.ENDED if self.has_ended else BattleStatus.ACTIVE,
            outcome=self.outcome,
            round=self.round,
            turn_index=self.turn_index,
            active_seq=self.active_seq,
            turn_order=self.turn_order,
            escape_attempts=self.escape_attempts,
            version=self.battle.version + 1,
            rng_state=self.rng.state,
            last_event_seq=self.battle.last_event_seq + len(self.events),
            combatants=[fighter.freeze() for fighter in self.fighters.values()],
        )
        return after, self.events
