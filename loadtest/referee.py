"""Referee: watches what one player is shown, and notes every rule of the game that it breaks.

Rules of the user's own rows hold after every commit; rules that tie the user's actor to the story's
hold whenever nothing is under way between them. Session rows are remembered: they leave the
subscription when the story is archived.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from loadtest.account_rules import (
    chapter_laws,
    experience_laws,
    inventory_laws,
    report_laws,
    settled_laws,
    wallet_laws,
)
from loadtest.errors import CheckError
from loadtest.player import Deltas
from loadtest.story_rules import STEP_LAWS, choice_laws, combatant_laws, gapless

__all__ = ["OWN_TABLES", "SESSION_TABLES", "UNTOLD", "Referee"]

OWN_TABLES = (
    "my_player_progression",
    "my_chapter_progression",
    "progression_grant_log",
    "chapter_deviation_report",
    "profile_wallet_ledger",
    "profile_dashboard_state",
    "profile_played_world",
    "session_directory_entry",
    "inventory_slot",
)
"""Tables of the user's own actor: nobody else's row may show there."""

SESSION_TABLES = (
    "story_session",
    "story_participant",
    "story_event",
    "story_choice",
    "quest_record",
    "quest_log",
    "npc_state",
    "npc_exchange_record",
    "treasure_record",
    "reward_settlement",
    "battle_state",
    "battle_combatant",
    "battle_event",
)
"""Tables of the stories in which the user takes part."""

UNTOLD = frozenset({"Pending", "Streaming"})
"""Events whose text is still being written by a model; a story goes on behind it."""

_XP = ":xp"


class Referee:
    """Judges what one player sees. ``observe`` is a watcher of the player's deltas.

    Args:
        user_id: of the player.
        rows: the player's rows of a table, as they are now.

    Attributes:
        violations: broken rules, in words, oldest first.
        last_seen: session rows as they were last shown, by table and first column.
        told: what was told: story events, then events of battles, in the order they came.
    """

    def __init__(self, user_id: str, rows: Callable[[str], list[Any]]) -> None:
        self.violations: list[str] = []
        self.last_seen: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        self.told: Mapping[str, list[Any]] = {"story_event": [], "battle_event": []}
        self._user_id = user_id
        self._rows = rows
        self._paid: set[str] = set()
        self._last_seqs: Counter[str] = Counter()

    def observe(self, deltas: Deltas) -> None:
        """Judge one commit; the rows are already those after it."""
        self.violations += self._judge_commit(deltas)

    def judge(self) -> None:
        """Judge the moment: the books between the actors, too, if nothing is under way.

        Raises:
            CheckError: a rule was broken, now or before.
        """
        if self.is_quiet():
            self.violations += self._judge_books()
        if self.violations:
            raise CheckError(f"{self._user_id}: {self.violations[0]}")

    def is_quiet(self) -> bool:
        """Whether nothing that concerns the player is under way between actors."""
        waiting = (*self._own("reward_settlement"), *self._own("npc_exchange_record"))
        return (
            all(row.status.name != "Pending" for row in waiting)
            and all(row.status.name == "Ended" for row in self.last_seen["battle_state"].values())
            and all(row.locked_by is None for row in self._rows("inventory_slot"))
        )

    def _judge_commit(self, deltas: Deltas) -> Iterator[str]:
        yield from self._judge_owners(deltas)
        for table, (came, went) in deltas.items():
            if table not in SESSION_TABLES:
                continue
            before = {row[0]: row for row in went}
            law = STEP_LAWS.get(table)
            for row in came:
                if law is not None and row[0] in before:
                    yield from law(before[row[0]], row)
                self.last_seen[table][row[0]] = row
        yield from self._judge_payments(deltas)
        yield from self._judge_telling(deltas)
        for row in deltas.get("battle_combatant", ((), ()))[0]:
            yield from combatant_laws(row)
        for row in deltas.get("story_participant", ((), ()))[0]:
            if row.hp > row.max_hp:
                yield f"{row.display_name} has {row.hp} hp of {row.max_hp}"
        if deltas.keys() & {"story_session", "story_choice"}:
            choices = self._rows("story_choice")
            for session in self._rows("story_session"):
                own = [row for row in choices if row.story_session_id == session[0]]
                yield from choice_laws(session, own)
        yield from self._judge_accounts(deltas)

    def _judge_owners(self, deltas: Deltas) -> Iterator[str]:
        sessions = {row.session_key for row in self._rows("session_directory_entry")}
        for table, (came, _) in deltas.items():
            for row in came:
                if table in OWN_TABLES and row.user_id != self._user_id:
                    yield f"{table} shows a row of {row.user_id}"
                if table in SESSION_TABLES and _session_of(row) not in sessions:
                    yield f"{table} shows a row of {_session_of(row)}, a story of others"

    def _judge_payments(self, deltas: Deltas) -> Iterator[str]:
        """A reward is owed, then paid, then shown as settled (domain 13.1 step 8)."""
        for row in deltas.get("progression_grant_log", ((), ()))[0]:
            self._paid.add(row.source_ref)
            owed = {each.source_ref: each.status.name for each in self._own("reward_settlement")}
            if owed.get(row.source_ref.removesuffix(_XP)) != "Pending":
                yield f"{row.source_ref} was paid before it was owed"
        for row in deltas.get("reward_settlement", ((), ()))[0]:
            is_own = row.user_id == self._user_id and row.result is not None
            if is_own and row.result.xp_granted and f"{row.source_ref}{_XP}" not in self._paid:
                yield f"{row.source_ref} was settled before it was paid"

    def _judge_telling(self, deltas: Deltas) -> Iterator[str]:
        """Events are numbered without gaps, and never told otherwise afterwards."""
        for table, told in self.told.items():
            came, went = deltas.get(table, ((), ()))
            before = {row[0]: row for row in went}
            if any(row[0] in before and not _is_untold(before[row[0]]) for row in came):
                yield f"{table}: something told was changed"
            came = [row for row in came if row[0] not in before]
            by_owner: defaultdict[str, list[Any]] = defaultdict(list)
            for row in came:
                by_owner[row[1]].append(row)
            for owner, rows in by_owner.items():
                rows.sort(key=lambda row: row.seq)
                last = self._last_seqs[owner]
                yield from gapless(f"{table} of {owner}:", last, (row.seq for row in rows))
                self._last_seqs[owner] = rows[-1].seq
                told.extend(rows)

    def _judge_accounts(self, deltas: Deltas) -> Iterator[str]:
        rows, touched = self._rows, deltas.keys()
        grants, chapters = "progression_grant_log", "my_chapter_progression"
        if touched & {"my_player_progression", grants}:
            yield from experience_laws(rows("my_player_progression"), rows(grants))
        if touched & {chapters, grants}:
            yield from chapter_laws(rows(chapters), rows(grants))
        if touched & {chapters, "chapter_deviation_report"}:
            yield from report_laws(rows("chapter_deviation_report"), rows(chapters))
        if touched & {"profile_wallet_ledger", "profile_dashboard_state"}:
            yield from wallet_laws(rows("profile_wallet_ledger"), rows("profile_dashboard_state"))

    def _judge_books(self) -> Iterator[str]:
        settlements = self._own("reward_settlement")
        yield from settled_laws(self._rows("my_chapter_progression"), settlements)
        slots = self._rows("inventory_slot")
        exchanges = self._own("npc_exchange_record")
        yield from inventory_laws(slots, settlements, exchanges, self._used())

    def _own(self, table: str) -> list[Any]:
        return [row for row in self.last_seen[table].values() if row.user_id == self._user_id]

    def _used(self) -> Counter[str]:
        """Items that the player's combatants used up."""
        own = {
            (row.battle_state_id, row.seq)
            for row in self.last_seen["battle_combatant"].values()
            if row.user_id == self._user_id
        }
        return Counter(
            row.detail_key
            for row in self.told["battle_event"]
            if row.kind.name == "ItemUsed" and (row.battle_state_id, row.actor_seq) in own
        )


def _is_untold(event: Any) -> bool:
    """Whether a model is still writing an event's text (domain 8.1)."""
    status = getattr(event, "text_status", None)
    return status is not None and status.name in UNTOLD


def _session_of(row: Any) -> str:
    """The story that a row belongs to; ids of battles begin with it (domain 1.3)."""
    own = getattr(row, "story_session_id", None)
    return str(own or row.battle_state_id.partition(".")[0])
