"""Screen: what a player sees, printed as the subscription's deltas come in.

It knows tables by their columns' names and draws nothing that the server has not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table

from loadtest.player import Deltas

__all__ = ["Screen"]

_BAR_CELLS = 28

_HITS = {"Hit": "hits", "Crit": "[bold]crits[/bold]", "DotTick": "wears down"}
_OTHERS = {
    "Miss": "misses",
    "Heal": "heals",
    "Shield": "shields",
    "Guarded": "guards",
    "Stunned": "is stunned",
}


class Screen:
    """One player's view. ``show`` is a watcher of the player's deltas.

    Args:
        console: where to print.
        rows: the player's rows of a table, as they are now.
        user_id: whose screen it is.
    """

    def __init__(self, console: Console, rows: Callable[[str], list[Any]], user_id: str) -> None:
        self._console = console
        self._rows = rows
        self._user_id = user_id
        self._drawers: dict[str, Callable[[list[Any], list[Any]], None]] = {
            "battle_event": self._battle_events,
            "battle_combatant": self._combatants,
            "battle_state": self._battle,
            "story_event": self._events,
            "quest_record": self._quests,
            "inventory_slot": self._inventory,
            "reward_settlement": self._settlements,
            "my_chapter_progression": self._chapter,
            "my_player_progression": self._level,
            "story_choice": self._choices,
        }

    def show(self, deltas: Deltas) -> None:
        """Draw one commit: what happened first, what can be done next last."""
        for table, draw in self._drawers.items():
            if table in deltas:
                came, went = deltas[table]
                draw(came, went)

    def step(self, text: str) -> None:
        """Say what the player does."""
        self._console.print(f"\n[bold cyan]> {text}[/bold cyan]")

    def say(self, text: str) -> None:
        """Say something that is no row."""
        self._console.print(text)

    # Story

    def _events(self, came: list[Any], _went: list[Any]) -> None:
        for event in sorted(came, key=lambda row: row.seq):
            if event.text:
                self._console.print(Panel(event.text, title=_words(event.kind), width=84))

    def _choices(self, came: list[Any], _went: list[Any]) -> None:
        for choice in sorted(came, key=lambda row: row.position):
            text = f"  {choice.position}. {choice.label}"
            if choice.enabled:
                self._console.print(f"{text}  [dim]{choice.detail}[/dim]")
            else:
                self._console.print(f"[dim]{text} ({choice.disabled_reason})[/dim]")

    def _quests(self, came: list[Any], went: list[Any]) -> None:
        before = {row.quest_record_id: row.status for row in went}
        for quest in came:
            if before.get(quest.quest_record_id) != quest.status:
                status = _words(quest.status).lower()
                self._console.print(f"  [yellow]quest[/yellow] {quest.title}: {status}")

    def _inventory(self, came: list[Any], went: list[Any]) -> None:
        changes: dict[str, int] = {}
        for sign, rows in ((1, came), (-1, went)):
            for row in rows:
                changes[row.name] = changes.get(row.name, 0) + sign * row.quantity
        for name, change in changes.items():
            if change:
                self._console.print(f"  [green]{change:+d}[/green] {name}")

    # Battle

    def _battle(self, came: list[Any], went: list[Any]) -> None:
        before = {row.battle_state_id: row.status for row in went}
        for battle in came:
            if before.get(battle.battle_state_id) != battle.status:
                text = f"battle {_words(battle.status).lower()}"
                if battle.outcome.name != "Ongoing":
                    text += f": {_words(battle.outcome).lower()}"
                self._console.print(f"  [bold magenta]{text}[/bold magenta]")

    def _battle_events(self, came: list[Any], _went: list[Any]) -> None:
        names = {
            (row.battle_state_id, row.seq): row.display_name
            for row in self._rows("battle_combatant")
        }
        for event in sorted(came, key=lambda row: row.seq):
            actor = names.get((event.battle_state_id, event.actor_seq), "")
            target = names.get((event.battle_state_id, event.target_seq), "")
            kind = event.kind.name
            if kind == "RoundStarted":
                self._console.print(f"  [dim]round {event.round}[/dim]")
            elif kind in _HITS:
                self._console.print(f"  {actor} {_HITS[kind]} {target} for {event.amount}")
            elif kind == "ActionUsed" and event.detail_key:
                self._console.print(f"  {actor} uses {event.detail_key.replace('_', ' ')}")
            elif kind == "Defeated":
                self._console.print(f"  [red]{target or actor} is defeated[/red]")
            elif kind in _OTHERS:
                amount = f" ({event.amount})" if event.amount else ""
                self._console.print(f"  {actor} {_OTHERS[kind]}{amount}")

    def _combatants(self, came: list[Any], _went: list[Any]) -> None:
        battles = {row.battle_state_id for row in came}
        grid = Table.grid(padding=(0, 1))
        for row in sorted(self._rows("battle_combatant"), key=lambda each: each.seq):
            if row.battle_state_id in battles:
                color = "green" if row.side.name == "Ally" else "red"
                bar = _bar(row.hp, row.stats.max_hp, color)
                hp = f"{row.hp}/{row.stats.max_hp} hp"
                grid.add_row(f"   {row.display_name}", f"L{row.level}", bar, hp)
        self._console.print(grid)

    # Progress

    def _settlements(self, came: list[Any], _went: list[Any]) -> None:
        for row in came:
            if row.user_id != self._user_id:
                continue
            status = row.status.name.lower()
            if row.result is None:
                owed = row.preview.quest_xp + row.preview.flat_xp
                owed += sum(defeat.base_xp for defeat in row.preview.hostile_defeats)
                text = f"{owed} raw XP {status}" if owed else f"items {status}"
            elif row.result.xp_granted:
                text = f"[bold]+{row.result.xp_granted} XP[/bold] {status}"
            else:
                text = f"items {status}"
            self._console.print(f"  [yellow]reward[/yellow] {_words(row.source).lower()}: {text}")

    def _level(self, came: list[Any], _went: list[Any]) -> None:
        for row in came:
            grid = Table.grid(padding=(0, 1))
            bar = _bar(row.current_level_xp, row.xp_to_next_level, "yellow")
            text = f"{row.current_level_xp}/{row.xp_to_next_level} XP, {row.total_xp} in all"
            grid.add_row(f"   [bold]Level {row.level}[/bold]", bar, text)
            self._console.print(grid)
            if row.pending_level_ups:
                self._console.print(f"   [bold]{row.pending_level_ups} level-ups![/bold]")

    def _chapter(self, came: list[Any], _went: list[Any]) -> None:
        for row in came:
            done = row.actual_quest_xp + row.actual_hostile_xp
            self._console.print(
                f"   [dim]chapter {row.chapter_index}/{row.total_chapters}: {done} of"
                f" {row.planned_total_xp} planned XP, {row.actual_hostile_defeat_count} defeats,"
                f" levels {row.entry_level} to {row.exit_level}[/dim]"
            )


def _bar(value: int, whole: int, color: str) -> ProgressBar:
    return ProgressBar(
        total=max(1, whole),
        completed=value,
        width=_BAR_CELLS,
        complete_style=color,
        finished_style=color,
    )


def _words(member: Any) -> str:
    """An enumeration's member as words: ``SceneEntered`` gives ``Scene entered``."""
    name: str = member.name
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.strip().capitalize()
